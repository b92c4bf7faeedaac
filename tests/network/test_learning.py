from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.errors import CfgError, OutOfMemoryError, ShapeError
from darknet_py.ops.graph import Tracer
from tests.support.golden import golden_names, golden_network, load_golden, relative_error
from tests.support.networks import (
    BRANCHED,
    FLOAT64,
    HEAD,
    LAYERS,
    SMALL,
    make_network,
    pictures,
    truths,
    values,
)


@pytest.mark.parametrize("name", golden_names("train"))
def test_training_is_the_c_programs(name: str, tmp_path: Path) -> None:
    figure = load_golden("train", name)
    network = golden_network(figure, tmp_path)
    # sqrt(variance) of few values: small differences grow
    tolerance = 5e-3 if name == "connected_bn" else 1e-3
    losses = np.array(
        [network.train_step(x, y) for x, y in zip(figure["x"], figure["y"], strict=True)]
    )
    assert relative_error(losses, figure["loss"]) < tolerance
    path = tmp_path / "after.weights"
    network.save_weights(path)
    saved, expected = path.read_bytes(), figure["weights_after"].tobytes()
    assert saved[:20] == expected[:20], "header, seen"
    assert network.seen == 8 * network.settings.batch
    assert network.batch_num == 8
    before = np.frombuffer(figure["weights"].tobytes()[20:], "<f4")
    after, found = (np.frombuffer(content[20:], "<f4") for content in (expected, saved))
    assert relative_error(found, after) < tolerance
    assert relative_error(found - before, after - before) < 10 * tolerance


def test_a_batch_of_another_size_is_an_error() -> None:
    network = make_network(SMALL + "batch=2\n" + LAYERS)
    before = values(network)
    x, y = pictures(network), truths(network)
    for bad_x, bad_y, found in (
        (x[:1], y, "(1, 2, 6, 8) and (2, 3)"),
        (x, y[:, :2], "(2, 2, 6, 8) and (2, 2)"),
    ):
        with pytest.raises(ShapeError) as caught:
            network.train_step(bad_x, bad_y)
        assert str(caught.value) == (
            f"my.cfg: expected a batch of 2 pictures and truths of shape (2, 3), found {found}"
        )
    assert network.seen == 0
    for old, new in zip(before, values(network), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_network_without_a_loss_does_not_train() -> None:
    network = make_network(
        SMALL + "[convolutional]\nbatch_normalize=1\n[avgpool]\n[softmax]\nnoloss=1\n"
    )
    before = values(network)
    with pytest.raises(CfgError) as caught:
        network.train_step(pictures(network), np.zeros((1, 1), np.float32))
    assert str(caught.value) == (
        "my.cfg:8: the last layer has no loss to train on: expected [softmax], [logistic] or [cost]"
    )
    assert network.seen == 0
    for old, new in zip(before, values(network), strict=True):
        np.testing.assert_array_equal(old, new, "what cannot be trained is left alone")


TRAINER = SMALL + "batch=4\nlearning_rate=1\nmomentum=0\ndecay=0\n"

ENDS = [
    ("[avgpool]\n[softmax]\n", 1),
    ("[avgpool]\n[softmax]\ntemperature=2\n", 1),
    ("[softmax]\n", 1),
    ("[avgpool]\n[logistic]\n", 1),
    ("[avgpool]\n[cost]\n", 0.5),
    ("[avgpool]\n[cost]\ntype=L1\n", 1),
    ("[avgpool]\n[softmax]\nnoloss=1\n[cost]\n", 0.5),
    ("[connected]\noutput=5\nbatch_normalize=1\n[cost]\ntype=smooth\nscale=3\n", 1.5),
]


@pytest.mark.parametrize(("end", "share"), ENDS)
def test_an_update_follows_the_gradient_of_the_loss(end: str, share: float) -> None:
    check_updates(BRANCHED + end, share)


def check_updates(layers: str, share: float) -> None:
    """At rate 1, without momentum and decay, values change by the negative gradient."""
    network = make_network(TRAINER + layers, FLOAT64)
    x, y = pictures(network), truths(network)
    before = values(network)
    network.train_step(x, y)
    changes = [new - old for new, old in zip(values(network), before, strict=True)]
    still = make_network(TRAINER.replace("learning_rate=1", "learning_rate=0") + layers, FLOAT64)
    rng, step = np.random.default_rng(4), 1e-6
    learned = [p.learned for p in network.parameters()]
    largest = max(
        np.abs(c).max() for c, is_learned in zip(changes, learned, strict=True) if is_learned
    )
    for parameter, change in zip(still.parameters(), changes, strict=True):
        if not parameter.learned:
            continue
        flat = parameter.value.reshape(-1)
        for place in rng.permutation(flat.size)[:6]:
            value = flat[place]
            flat[place] = value + step
            above = still.train_step(x, y)
            flat[place] = value - step
            below = still.train_step(x, y)
            flat[place] = value
            gradient = (above - below) / (2 * step)
            error = abs(change.reshape(-1)[place] + share * gradient)
            assert error < 1e-6 * largest + 1e-8, parameter.name


def test_softmax_before_cost_gives_its_delta_once() -> None:
    """truth - prediction at the softmax's input; the loss said is the cost's."""
    text = TRAINER + "[connected]\noutput=3\nactivation=linear\n[softmax]\n"
    with_cost, without = make_network(text + "[cost]\n"), make_network(text)
    x, y = pictures(with_cost), truths(with_cost)
    prediction = without.predict(x)
    biases = without.parameters()[0].value.copy()
    loss, cross_entropy = with_cost.train_step(x, y), without.train_step(x, y)
    assert loss == pytest.approx(((y - prediction) ** 2).sum() / 4, rel=1e-5)
    assert cross_entropy == pytest.approx(-np.log(prediction[y == 1]).sum() / 4, rel=1e-5)
    for one, other in zip(values(with_cost), values(without), strict=True):
        np.testing.assert_array_equal(one, other)
    expected = biases + (y - prediction).sum(axis=0) / 4
    np.testing.assert_allclose(with_cost.parameters()[0].value, expected, rtol=1e-5)


def test_subdivisions_give_the_update_of_one_large_batch() -> None:
    keys = "batch=8\nsubdivisions={}\nlearning_rate=.1\n"
    text = SMALL + keys + LAYERS
    whole = make_network(text.format(1))
    x, y = pictures(whole), truths(whole)
    before = values(whole)
    losses = [whole.train_step(x, y) for _ in range(2)]
    for subdivisions in (2, 4, 8):
        parts = make_network(text.format(subdivisions))
        assert [parts.train_step(x, y) for _ in range(2)] == pytest.approx(losses, rel=1e-5)
        assert parts.seen == whole.seen == 16
        for new, expected, old in zip(values(parts), values(whole), before, strict=True):
            assert not np.array_equal(expected, old)
            np.testing.assert_allclose(new, expected, rtol=1e-5, atol=1e-6)


FROZEN = (
    "[convolutional]\nfilters=4\nsize=3\nbatch_normalize=1\n"
    "[batchnorm]\n"
    "[convolutional]\nfilters=4\nstopbackward=1\nbatch_normalize=1\n"
    "[convolutional]\nfilters=4\nbatch_normalize=1\n"
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n"
)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_frozen_layers_stay_as_they_are(optimiser: str) -> None:
    """Values, decay and rolling statistics; all others move."""
    network = make_network(SMALL + f"batch=4\ndecay=.1\noptimizer={optimiser}\n" + FROZEN)
    before = values(network)
    predicted = network.activations(pictures(network))[2]
    for seed in range(3):
        network.train_step(pictures(network, seed=seed), truths(network, seed=seed))
    frozen = sum(len(layer.parameters()) for layer in network.layers[:3])
    for index, (old, new) in enumerate(zip(before, values(network), strict=True)):
        assert (old.tobytes() == new.tobytes()) == (index < frozen)
    np.testing.assert_array_equal(network.activations(pictures(network))[2], predicted)


def test_a_frozen_layer_uses_its_rolling_statistics() -> None:
    """So its loss is that of inference, whatever else the batch holds."""
    network = make_network(SMALL + "batch=2\n" + FROZEN.replace("filters=4\nbatch", "filters=4\n#"))
    x, y = pictures(network), truths(network)
    expected = -np.log(network.predict(x)[y == 1]).sum() / 2
    assert network.train_step(x, y) == pytest.approx(expected, rel=1e-5)


GLOBAL = (
    "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
    "[maxpool]\nsize=2\nstride=2\n"
    "[batchnorm]\n"
    "[convolutional]\nfilters=4\nbatch_normalize=1\nactivation=relu\n"
    "[shortcut]\nfrom=-2\n"
    "[convolutional]\nfilters=20\nsize=3\nbatch_normalize=1\nactivation=tanh\n"
    "[connected]\noutput=5\nbatch_normalize=1\nactivation=leaky\n"
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n"
).replace("batch_normalize=1", "batch_normalize=1\nuse_global_stats=1")
GLOBAL = GLOBAL.replace("[batchnorm]", "[batchnorm]\nuse_global_stats=1")
"""All layers normalise with rolling statistics, and learn."""


def test_an_update_with_fixed_statistics_follows_the_gradient() -> None:
    check_updates(GLOBAL, 1)


def test_fixed_statistics_stay_and_all_else_learns() -> None:
    network = make_network(SMALL + "batch=4\n" + GLOBAL)
    x, y = pictures(network), truths(network)
    before, expected = values(network), -np.log(network.predict(x)[y == 1]).sum() / 4
    # whatever else is in the batch: the loss is that of inference
    assert network.train_step(x, y) == pytest.approx(expected, rel=1e-5)
    for parameter, old in zip(network.parameters(), before, strict=True):
        assert (parameter.value.tobytes() == old.tobytes()) == (not parameter.learned)


def test_fixed_statistics_in_a_program() -> None:
    """Compiled as with the batch's statistics, and equal to the plain functions."""
    text = SMALL + "batch=4\n" + GLOBAL
    network, plain = make_network(text), make_network(text, FLOAT64)
    for parameter, other in zip(network.parameters(), plain.parameters(), strict=True):
        other.value = parameter.value.astype("d")
    x, y = pictures(network), truths(network)
    names = [name for name, *_ in network.times(x, y, 1).steps]
    assert {"batchnorm + leaky + maxpool", "batchnorm + relu", "batchnorm"} <= set(names)
    assert "delta maxpool + delta leaky + delta batchnorm" in names
    assert not any("fixed" in name for name in names)
    for parameter in network.parameters():
        if parameter.learned:
            parameter.updates[...] = 0
    assert network.accumulate(x, y) == pytest.approx(plain.accumulate(x, y), rel=1e-5)
    for parameter, other in zip(network.parameters(), plain.parameters(), strict=True):
        if parameter.learned:
            largest = np.abs(other.updates).max()
            np.testing.assert_allclose(
                parameter.updates, other.updates, rtol=1e-4, atol=1e-4 * largest
            )


def test_a_frozen_layer_between_others_hands_its_delta_on() -> None:
    """As fine-tuning may freeze: by hand, and not all before."""
    network, plain = (make_network(SMALL + "batch=2\n" + LAYERS) for _ in range(2))
    x, y = pictures(network), truths(network)
    before = values(network)
    network.layers[2].frozen = True
    network.train_step(x, y)
    plain.train_step(x, y)
    frozen = network.layers[2].parameters()
    assert all(not parameter.updates.any() for parameter in frozen)
    for new, expected, old, parameter in zip(
        values(network), values(plain), before, network.parameters(), strict=True
    ):
        assert not np.array_equal(expected, old)
        np.testing.assert_array_equal(new, old if parameter in frozen else expected)


@pytest.mark.parametrize(("stop", "deltas", "updates"), [("", 1, 2), ("stopbackward=1\n", 0, 1)])
def test_what_nobody_reads_is_not_computed(
    stop: str, deltas: int, updates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No delta of the picture in training, nothing at all below what is frozen."""
    recorders: list[Tracer] = []

    class Kept(Tracer):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            recorders.append(self)

    def count(name: str) -> int:
        return [call.name for call in recorders[-1].calls].count(name)

    monkeypatch.setattr("darknet_py.network.tracing.Tracer", Kept)
    network = make_network(SMALL + LAYERS.replace("[maxpool]", f"{stop}[maxpool]"))
    network.train_step(pictures(network), truths(network))
    assert count("conv2d_backward_input") == deltas
    assert count("conv2d_backward_weights") == updates
    network.image_delta(pictures(network), 2, 0)
    assert count("conv2d_backward_input") == 2
    assert count("conv2d_backward_weights") == 0


def test_a_wholly_frozen_network_learns_nothing() -> None:
    network = make_network(SMALL + LAYERS.replace("[softmax]", "stopbackward=1\n[softmax]"))
    before = values(network)
    assert network.train_step(pictures(network), truths(network)) > 0
    for old, new in zip(before, values(network), strict=True):
        np.testing.assert_array_equal(old, new)


def test_training_repeats_bit_for_bit() -> None:
    text = SMALL + "batch=4\n[crop]\ncrop_height=5\ncrop_width=6\nflip=1\n[dropout]\n" + LAYERS

    def train(seed: int) -> list[np.ndarray]:
        network = make_network(text.replace("batch=4", f"batch=4\nseed={seed}"))
        for _ in range(3):
            network.train_step(pictures(network), truths(network))
        return values(network)

    for one, other in zip(train(1), train(1), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(not np.array_equal(a, b) for a, b in zip(train(1), train(2), strict=True))


def test_sequences_are_one_batch_but_as_many_pictures() -> None:
    layers = "[connected]\noutput=2\n[softmax]\n"
    sequences = make_network("[net]\ninputs=3\nbatch=2\ntime_steps=4\n" + layers)
    single = make_network("[net]\ninputs=3\nbatch=8\n" + layers)
    x = np.random.default_rng(0).random((8, 3)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[[0, 1] * 4]
    assert sequences.train_step(x, y) == single.train_step(x, y)
    assert (sequences.seen, single.seen) == (2, 8)
    for one, other in zip(values(sequences), values(single), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ShapeError, match="expected a batch of 8 pictures"):
        sequences.train_step(x[:2], y[:2])


DRAWING = """[net]
batch=4
subdivisions=2
height=7
width=8
channels=3
learning_rate=.05
[crop]
crop_height=5
crop_width=4
flip=1
[convolutional]
filters=6
size=3
pad=1
activation=leaky
[dropout]
probability=.3
[crop]
crop_height=3
crop_width=1
flip=1
noadjust=1
[connected]
output=5
activation=linear
[softmax]
"""


def test_steps_of_a_training_that_draws_at_random() -> None:
    """Dropout is no plain function, on the way back neither; to look at them draws nothing."""
    network = make_network(DRAWING)
    found = network.times(pictures(network, 2), truths(network)[:2])
    assert [way for name, _, way, *_ in found.steps if name == "dropout"] == ["", ""]
    assert not any(layer.draws for layer in network.layers)


def test_what_is_drawn_is_drawn_by_the_program_too() -> None:
    """Batch by batch the same windows and masks as by the plain functions, in float64."""
    found, plain = make_network(DRAWING), make_network(DRAWING, FLOAT64)
    for parameter, value in zip(plain.parameters(), values(found), strict=True):
        parameter.value = value.astype(np.float64)
    for seed in range(4):
        x, y = pictures(found, seed=seed), truths(found)
        assert found.train_step(x, y) == pytest.approx(plain.train_step(x, y), rel=1e-4)
    assert [layer.draws for layer in found.layers] == [8, 0, 8, 8, 0, 0]
    assert len(found.engine._programs) == 1
    for one, other in zip(values(found), values(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_updates_that_are_no_numbers_are_noticed() -> None:
    net = make_network(
        "[net]\nbatch=4\ninputs=3\n[connected]\noutput=2\nactivation=linear\n[softmax]\n"
    )
    x, y = pictures(net), truths(net)
    net.accumulate(x, y)
    assert net.updates_are_finite()
    assert net.first_nonfinite_layer(x) is None
    net.parameters()[1].value *= 100
    x[1, 2, 0, 0] = 3e38
    net.accumulate(x, y)
    assert not net.updates_are_finite()
    assert net.first_nonfinite_layer(x) == 0


LARGE = "[net]\nheight=64\nwidth=64\nchannels=3\nbatch={}\n[convolutional]\nfilters=32\n" + HEAD


@pytest.mark.parametrize(
    ("batch", "free", "advice"),
    [
        (256, 3 * 10**8, "subdivisions=2 would fit"),
        (256, 10**8, "subdivisions=8 would fit"),
        (240, 10**8, "subdivisions=5 would fit"),
        (256, 10**6, "one picture is too much for it"),
    ],
)
def test_a_batch_that_no_memory_holds(
    batch: int, free: int, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would fit is said, and nothing has changed."""
    net = make_network(LARGE.format(batch))
    monkeypatch.setattr("darknet_py.ops.memory.available_memory", lambda: free)
    before = values(net)
    with pytest.raises(OutOfMemoryError) as caught:
        net.train_step(pictures(net), truths(net))
    assert re.fullmatch(
        rf"my.cfg: {batch} at once need .* GB are free: {advice}", str(caught.value)
    )
    assert net.seen == 0
    for old, new in zip(before, values(net), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_prediction_that_no_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of pictures need little; sequences are not cut into groups."""
    text = LARGE.format(1).replace("channels=3", "channels=3\ntime_steps=2")
    net, x = make_network(text), np.zeros((256, 3, 64, 64), np.float32)
    monkeypatch.setattr("darknet_py.ops.memory.available_memory", lambda: 10**8)
    with pytest.raises(
        OutOfMemoryError, match=r"my.cfg: 256 at once need .*: (\d+) at once would"
    ) as caught:
        net.predict(x)
    assert 0 < caught.value.fits < 256
    assert net.predict(x[: caught.value.fits // 2 * 2]).shape[1] == 3
