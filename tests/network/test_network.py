from __future__ import annotations

import gc
import struct
import tracemalloc
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError, DarknetError, DeviceError, ShapeError, WeightsError
from darknet_py.network import Network, load_network
from darknet_py.ops.record import Recorder
from tests.support.golden import golden_names, golden_network, load_golden, relative_error

cpu = devices.for_device("cpu")
float64 = SimpleNamespace(**{name: getattr(cpu, name) for name in cpu.__all__})
float64.array = lambda host, dtype=np.float64: np.array(host, dtype=dtype, order="C")
"""The same functions, with parameters and pictures in float64: for numerical gradients."""

NET = "[net]\nheight=6\nwidth=8\nchannels=2\n"
CLASSIFIER = (
    "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n"
    "[maxpool]\nstride=2\n"
    "[convolutional]\nfilters=3\nactivation=linear\n"
    "[avgpool]\n[softmax]\n"
)


def make(text: str, ops: Any = cpu, seed: int = 0) -> Network:
    """A network with parameters drawn at random, biases and statistics too."""
    network = Network(parse_sections(text, "my.cfg"), "my.cfg", ops)
    network.initialise(seed)
    rng = np.random.default_rng(seed + 1)
    for parameter in network.parameters():
        if parameter.name == "biases":
            parameter.value += rng.normal(size=parameter.shape)
        elif parameter.name.startswith("rolling"):
            parameter.value += rng.uniform(0, 0.3, parameter.shape)
    return network


def pictures(network: Network, n: int | None = None, seed: int = 2) -> np.ndarray:
    """(n, c, h, w); a batch of the cfg unless n is said."""
    h, w, c = network.in_shape
    count = network.settings.batch if n is None else n
    return np.random.default_rng(seed).random((count, c, h, w)).astype(np.float32)


def truths(network: Network, seed: int = 3) -> np.ndarray:
    """(batch, outputs): one 1 in each row."""
    labels = np.random.default_rng(seed).integers(network.outputs, size=network.settings.batch)
    return np.eye(network.outputs, dtype=np.float32)[labels]


def values(network: Network) -> list[np.ndarray]:
    return [parameter.value.copy() for parameter in network.parameters()]


# The C program's figures


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


@pytest.mark.parametrize("name", golden_names("dream"))
def test_dreams_are_the_c_programs(name: str, tmp_path: Path) -> None:
    figure = load_golden("dream", name)
    network = golden_network(figure, tmp_path)
    layer, thresh = int(figure["layer"]), float(figure["thresh"])
    output = network.activations(figure["x"][None])[layer][0]
    assert relative_error(output, figure["output"]) < 1e-5
    delta = network.image_delta(figure["x"], layer, thresh)
    assert relative_error(delta, figure["image_delta"]) < 1e-4
    batched = network.image_delta(figure["x"][None], layer, thresh)
    np.testing.assert_array_equal(batched, delta[None])


# Prediction


@pytest.mark.parametrize("tail", ["", "[cost]\n", "[cost]\n[cost]\n"])
def test_predict_gives_the_last_activation(tail: str) -> None:
    network = make(NET + CLASSIFIER + tail)
    x = pictures(network, 5)
    y = network.predict(x)
    activations = network.activations(x)
    assert network.output_layer == 4
    assert network.outputs == 3
    assert y.shape == (5, 3)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, activations[-1], rtol=2e-6)  # fused otherwise
    np.testing.assert_allclose(y.sum(axis=1), np.ones(5), rtol=1e-6)
    assert [a.shape for a in activations[:4]] == [
        (5, 4, 6, 8),
        (5, 4, 3, 4),
        (5, 3, 3, 4),
        (5, 3, 1, 1),
    ]


def test_a_map_is_predicted_in_darknets_order() -> None:
    network = make(NET + "[convolutional]\nfilters=3\n")
    x = pictures(network, 2)
    np.testing.assert_array_equal(network.predict(x), network.activations(x)[0].reshape(2, -1))


def test_each_picture_is_predicted_by_itself() -> None:
    network = make(NET + CLASSIFIER)
    x = pictures(network, 3)
    alone = np.concatenate([network.predict(x[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(network.predict(x), alone, rtol=1e-5)


def test_no_pictures_give_no_predictions() -> None:
    network = make(NET + CLASSIFIER)
    assert network.predict(pictures(network, 0)).shape == (0, 3)


def test_a_vector_network() -> None:
    network = make("[net]\ninputs=5\n[connected]\noutput=3\nactivation=linear\n[softmax]\n")
    x = np.random.default_rng(0).random((4, 5)).astype(np.float32)
    biases, weights = (p.value for p in network.parameters())
    scores = np.exp(x @ weights.T + biases)
    expected = scores / scores.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.predict(x), expected, rtol=1e-5)
    np.testing.assert_allclose(network.predict(x[:, :, None, None]), expected, rtol=1e-5)


def test_inputs_are_left_alone() -> None:
    network = make(NET + "batch=2\n" + CLASSIFIER)
    x, y = pictures(network), truths(network)
    before = x.copy(), y.copy()
    network.predict(x)
    network.image_delta(x, 2, 0)
    network.train_step(x, y)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])


def test_predict_lets_intermediate_maps_go() -> None:
    network = make(
        "[net]\nheight=64\nwidth=64\nchannels=8\n"
        + "[convolutional]\nfilters=8\nactivation=relu\n" * 30
    )
    x = pictures(network, 4)
    network.predict(x)
    tracemalloc.start()
    try:
        network.predict(x)
        _, peak = tracemalloc.get_traced_memory()
        network.activations(x)
        _, all_kept = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * x.nbytes
    assert all_kept > 30 * x.nbytes


def test_nothing_is_kept_for_a_backward_that_never_comes() -> None:
    network = make(NET + "batch=2\n" + CLASSIFIER)
    x, y = pictures(network), truths(network)
    for run in (
        lambda: network.predict(x),
        lambda: network.activations(x),
        lambda: network.image_delta(x, 2, 0),
        lambda: network.train_step(x, y),
    ):
        run()
        assert [layer.saved for layer in network.layers] == [None] * 5


# Other sizes


def test_pictures_of_other_sizes_are_predicted_by_a_resized_network() -> None:
    network = make(NET + CLASSIFIER)
    larger = network.resized(w=11, h=9)
    assert larger.in_shape == (9, 11, 2)
    assert network.in_shape == (6, 8, 2)
    x = pictures(larger, 3)
    np.testing.assert_array_equal(network.predict(x), larger.predict(x))
    assert network.activations(x)[0].shape == (3, 4, 9, 11)
    assert network.image_delta(x[0], 0, 0).shape == (2, 9, 11)
    with pytest.raises(ShapeError):
        larger.train_step(pictures(network, 1), truths(network))


def test_a_resized_network_computes_what_a_cfg_of_that_size_does() -> None:
    network = make(NET + CLASSIFIER)
    other = make(NET.replace("6", "9").replace("8", "11") + CLASSIFIER, seed=5)
    for theirs, own in zip(other.parameters(), network.parameters(), strict=True):
        theirs.value = own.value
    x = pictures(other, 2)
    np.testing.assert_array_equal(network.predict(x), other.predict(x))


def test_resized_networks_share_parameters() -> None:
    network = make(NET + "learning_rate=1\n" + CLASSIFIER)
    larger = network.resized(w=11, h=9)
    for own, theirs in zip(network.parameters(), larger.parameters(), strict=True):
        assert own.value is theirs.value
    before = values(network)
    larger.train_step(pictures(larger), truths(larger))
    for own, theirs, old in zip(network.parameters(), larger.parameters(), before, strict=True):
        assert own.value is theirs.value
        assert not np.array_equal(own.value, old)


def test_a_resized_network_is_let_go() -> None:
    network = make(NET + CLASSIFIER)
    gone = weakref.ref(network.resized(w=11, h=9))
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ("[convolutional]\nfilters=2\n[connected]\noutput=3\n", "layer 1 [connected]"),
        ("[local]\nfilters=2\nsize=3\n", "layer 0 [local]"),
    ],
)
@pytest.mark.parametrize(("w", "h"), [(9, 7), (6, 8), (16, 3), (4, 12)])
def test_weights_that_depend_on_the_size_are_named(layers: str, named: str, w: int, h: int) -> None:
    network = make(NET + layers)
    with pytest.raises(ShapeError) as caught:
        network.predict(np.zeros((1, 2, h, w), np.float32))
    message = str(caught.value)
    assert message.startswith(f"my.cfg: {named} only takes a map of 8 x 6 x 2, and a picture of")
    assert f"a picture of {w} x {h} gives {w} x {h} x 2" in message


def test_a_picture_that_is_too_small_is_named() -> None:
    network = make(NET + "[convolutional]\nsize=5\n")
    with pytest.raises(ShapeError) as caught:
        network.predict(np.zeros((1, 2, 4, 9), np.float32))
    assert str(caught.value) == (
        "my.cfg:5: [convolutional] a 9 x 4 x 2 input gives a 5 x 0 x 1 output: expected at least "
        "1 x 1 x 1 (with a picture of 9 x 4)"
    )


# Shapes that do not fit


@pytest.mark.parametrize("shape", [(1, 3, 6, 8), (2, 6, 8), (6, 8), (1, 95), (), (1, 1, 2, 6, 8)])
def test_pictures_of_another_shape_are_an_error(shape: tuple[int, ...]) -> None:
    network = make(NET + CLASSIFIER)
    for run in (network.predict, network.activations):
        with pytest.raises(ShapeError) as caught:
            run(np.zeros(shape, np.float32))
        assert str(caught.value) == (
            f"my.cfg: expected pictures of shape (n, 2, 6, 8), found {shape}"
        )


def test_vectors_of_another_length_are_an_error() -> None:
    network = make("[net]\ninputs=5\n[softmax]\n")
    with pytest.raises(ShapeError) as caught:
        network.predict(np.zeros((1, 6), np.float32))
    assert str(caught.value) == "my.cfg: expected pictures of shape (n, 5), found (1, 6)"


def test_a_batch_of_another_size_is_an_error() -> None:
    network = make(NET + "batch=2\n" + CLASSIFIER)
    before = values(network)
    x, y = pictures(network), truths(network)
    for bad_x, bad_y, found in ((x[:1], y, "1 and (2, 3)"), (x, y[:, :2], "2 and (2, 2)")):
        with pytest.raises(ShapeError) as caught:
            network.train_step(bad_x, bad_y)
        assert str(caught.value) == (
            f"my.cfg: expected a batch of 2 pictures and truths of shape (2, 3), found {found}"
        )
    assert network.seen == 0
    for old, new in zip(before, values(network), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("layer", [-1, 5, 1000])
def test_a_dream_of_no_layer_is_an_error(layer: int) -> None:
    network = make(NET + CLASSIFIER)
    with pytest.raises(ShapeError) as caught:
        network.image_delta(pictures(network, 1), layer, 0)
    assert str(caught.value) == f"my.cfg: there is no layer {layer}: expected 0 to 4"


# Gradients of whole networks

BRANCHED = (
    "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=4\nactivation=tanh\nbatch_normalize=1\n"
    "[route]\nlayers=-1,-2,-1\n"  # one layer twice, another once more
    "[maxpool]\nstride=2\n"
    "[convolutional]\nfilters=4\nactivation=elu\n"
    "[shortcut]\nfrom=-1\nactivation=leaky\n"  # a map added to itself
    "[upsample]\n"
    "[shortcut]\nfrom=0\n"
    "[route]\nlayers=-1,1\n"
    "[convolutional]\nfilters=3\nactivation=linear\n"
)
TRAINER = NET + "batch=4\nlearning_rate=1\nmomentum=0\ndecay=0\n"

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
    """At rate 1, without momentum and decay, values change by the negative gradient."""
    network = make(TRAINER + BRANCHED + end, float64)
    x, y = pictures(network), truths(network)
    before = values(network)
    network.train_step(x, y)
    changes = [new - old for new, old in zip(values(network), before, strict=True)]
    still = make(TRAINER.replace("learning_rate=1", "learning_rate=0") + BRANCHED + end, float64)
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


def test_a_dreams_delta_is_a_gradient() -> None:
    """Of half the squares of the values that are dreamed of, which stay the same ones nearby."""
    network = make(TRAINER + BRANCHED, float64)
    x = pictures(network, 2).astype(np.float64)
    layer, step = 9, 1e-6
    outputs = network.activations(x)[layer]
    limit = outputs.mean(axis=(1, 2, 3)) + 0.5 * outputs.std(axis=(1, 2, 3))
    chosen = outputs > limit[:, None, None, None]
    assert 0.1 < chosen.mean() < 0.5
    delta = network.image_delta(x, layer, 0.5)
    flat = x.reshape(-1)
    for place in np.random.default_rng(4).permutation(flat.size)[:40]:
        value = flat[place]
        sums = []
        for moved in (value + step, value - step):
            flat[place] = moved
            sums.append((network.activations(x)[layer][chosen] ** 2).sum() / 2)
        flat[place] = value
        gradient = (sums[0] - sums[1]) / (2 * step)
        assert delta.reshape(-1)[place] == pytest.approx(gradient, rel=1e-6, abs=1e-7)


def test_softmax_before_cost_gives_its_delta_once() -> None:
    """truth - prediction at the softmax's input; the loss said is the cost's."""
    text = TRAINER + "[connected]\noutput=3\nactivation=linear\n[softmax]\n"
    with_cost, without = make(text + "[cost]\n"), make(text)
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


# Training


def test_subdivisions_give_the_update_of_one_large_batch() -> None:
    keys = "batch=8\nsubdivisions={}\nlearning_rate=.1\n"
    text = NET + keys + CLASSIFIER
    whole = make(text.format(1))
    x, y = pictures(whole), truths(whole)
    before = values(whole)
    losses = [whole.train_step(x, y) for _ in range(2)]
    for subdivisions in (2, 4, 8):
        parts = make(text.format(subdivisions))
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
    network = make(NET + f"batch=4\ndecay=.1\noptimizer={optimiser}\n" + FROZEN)
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
    network = make(NET + "batch=2\n" + FROZEN.replace("filters=4\nbatch", "filters=4\n#"))
    x, y = pictures(network), truths(network)
    expected = -np.log(network.predict(x)[y == 1]).sum() / 2
    assert network.train_step(x, y) == pytest.approx(expected, rel=1e-5)


def test_a_frozen_layer_between_others_hands_its_delta_on() -> None:
    """As fine-tuning may freeze: by hand, and not all before."""
    network, plain = (make(NET + "batch=2\n" + CLASSIFIER) for _ in range(2))
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
    recorders: list[Recorder] = []

    class Kept(Recorder):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            recorders.append(self)

    def count(name: str) -> int:
        return [call.name for call in recorders[-1].calls].count(name)

    monkeypatch.setattr("darknet_py.network.recordings.Recorder", Kept)
    network = make(NET + CLASSIFIER.replace("[maxpool]", f"{stop}[maxpool]"))
    network.train_step(pictures(network), truths(network))
    assert count("conv2d_backward_input") == deltas
    assert count("conv2d_backward_weights") == updates
    network.image_delta(pictures(network), 2, 0)
    assert count("conv2d_backward_input") == 2
    assert count("conv2d_backward_weights") == 0


def test_a_wholly_frozen_network_learns_nothing() -> None:
    network = make(NET + CLASSIFIER.replace("[softmax]", "stopbackward=1\n[softmax]"))
    before = values(network)
    assert network.train_step(pictures(network), truths(network)) > 0
    for old, new in zip(before, values(network), strict=True):
        np.testing.assert_array_equal(old, new)


def test_layers_may_have_a_rate_of_their_own() -> None:
    def change(rate: str) -> np.ndarray:
        text = CLASSIFIER.replace("filters=3", f"filters=3\nlearning_rate={rate}")
        network = make(NET + "learning_rate=.1\nbatch=2\n" + text)
        before = values(network)
        network.train_step(pictures(network), truths(network))
        after = values(network)
        assert not np.array_equal(after[0], before[0])
        return np.asarray(after[3] - before[3])

    plain = change("1")
    assert np.abs(plain).max() > 1e-3
    np.testing.assert_allclose(change("3"), 3 * plain, rtol=1e-2, atol=1e-6)
    np.testing.assert_array_equal(change("0"), np.zeros_like(plain))


def test_momentum_and_decay() -> None:
    """rate / batch * (updates - decay batch weights); what stays, times momentum, is added."""
    keys = "batch=2\nlearning_rate=.25\nmomentum=.5\ndecay=.125\n"
    network = make(f"[net]\ninputs=3\n{keys}[connected]\noutput=2\nactivation=linear\n[cost]\n")
    biases, weights = (p.value.astype(np.float64) for p in network.parameters())
    rng = np.random.default_rng(0)
    bias_velocity, weight_velocity = np.zeros(2), np.zeros((2, 3))
    for _ in range(4):
        x, y = (rng.normal(size=(2, k)).astype(np.float32) for k in (3, 2))
        delta = y - (x @ weights.T + biases)
        bias_velocity = 0.5 * bias_velocity + delta.sum(axis=0)
        weight_velocity = 0.5 * weight_velocity + delta.T @ x - 0.125 * 2 * weights
        biases += 0.25 / 2 * bias_velocity
        weights += 0.25 / 2 * weight_velocity
        loss = network.train_step(x, y)
        assert loss == pytest.approx((delta**2).sum() / 2, rel=1e-5)
    np.testing.assert_allclose(network.parameters()[0].value, biases, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(network.parameters()[1].value, weights, rtol=1e-4, atol=1e-6)


def test_adam() -> None:
    keys = "batch=2\nlearning_rate=.25\ndecay=0\noptimizer=adam\nB1=.75\nB2=.5\neps=.125\n"
    network = make(f"[net]\ninputs=3\n{keys}[connected]\noutput=2\nactivation=linear\n[cost]\n")
    biases, weights = (p.value.astype(np.float64) for p in network.parameters())
    rng = np.random.default_rng(0)
    m, v = np.zeros(2), np.zeros(2)
    for t in range(1, 4):
        x, y = (rng.normal(size=(2, k)).astype(np.float32) for k in (3, 2))
        weights = network.parameters()[1].value
        gradient = (y - (x @ weights.T + biases)).sum(axis=0)
        m, v = 0.75 * m + 0.25 * gradient, 0.5 * v + 0.5 * gradient**2
        biases += 0.25 * m / (1 - 0.75**t) / (np.sqrt(v / (1 - 0.5**t)) + 0.125)
        network.train_step(x, y)
        np.testing.assert_allclose(network.parameters()[0].value, biases, rtol=1e-4, atol=1e-6)


def test_the_rate_is_that_of_the_batch_that_ends() -> None:
    """Batch 1 of burn_in=2 has a quarter of the rate, at power 2."""

    def change(keys: str) -> np.ndarray:
        network = make(NET + "learning_rate=.1\nbatch=2\ndecay=0\n" + keys + CLASSIFIER)
        before = values(network)
        network.train_step(pictures(network), truths(network))
        return np.asarray(values(network)[2] - before[2])

    np.testing.assert_allclose(change("burn_in=2\npower=2\n"), change("") / 4, rtol=1e-2, atol=1e-6)


def test_training_repeats_bit_for_bit() -> None:
    text = NET + "batch=4\n[crop]\ncrop_height=5\ncrop_width=6\nflip=1\n[dropout]\n" + CLASSIFIER

    def train(seed: int) -> list[np.ndarray]:
        network = make(text.replace("batch=4", f"batch=4\nseed={seed}"))
        for _ in range(3):
            network.train_step(pictures(network), truths(network))
        return values(network)

    for one, other in zip(train(1), train(1), strict=True):
        np.testing.assert_array_equal(one, other)
    assert any(not np.array_equal(a, b) for a, b in zip(train(1), train(2), strict=True))


def test_a_network_without_a_loss_does_not_train() -> None:
    network = make(NET + "[convolutional]\nbatch_normalize=1\n[avgpool]\n[softmax]\nnoloss=1\n")
    before = values(network)
    with pytest.raises(CfgError) as caught:
        network.train_step(pictures(network), np.zeros((1, 1), np.float32))
    assert str(caught.value) == (
        "my.cfg:8: the last layer has no loss to train on: expected [softmax], [logistic] or [cost]"
    )
    assert network.seen == 0
    for old, new in zip(before, values(network), strict=True):
        np.testing.assert_array_equal(old, new, "what cannot be trained is left alone")


def test_sequences_are_one_batch_but_as_many_pictures() -> None:
    layers = "[connected]\noutput=2\n[softmax]\n"
    sequences = make("[net]\ninputs=3\nbatch=2\ntime_steps=4\n" + layers)
    single = make("[net]\ninputs=3\nbatch=8\n" + layers)
    x = np.random.default_rng(0).random((8, 3)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[[0, 1] * 4]
    assert sequences.train_step(x, y) == single.train_step(x, y)
    assert (sequences.seen, single.seen) == (2, 8)
    for one, other in zip(values(sequences), values(single), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ShapeError, match="expected a batch of 8 pictures"):
        sequences.train_step(x[:2], y[:2])


# Weights


def test_initialise_draws_what_has_no_values() -> None:
    text = NET + "seed=5\n[convolutional]\nfilters=50\nsize=3\nbatch_normalize=1\n"
    network = Network(parse_sections(text), "my.cfg", cpu)
    network.initialise()
    named = {parameter.name: parameter.value for parameter in network.parameters()}
    for name, expected in (
        ("biases", 0),
        ("scales", 1),
        ("rolling_mean", 0),
        ("rolling_variance", 1),
    ):
        np.testing.assert_array_equal(named[name], np.full(50, expected))
    weights = named["weights"]
    assert weights.dtype == np.float32
    assert weights.std() == pytest.approx(np.sqrt(2 / (3 * 3 * 2)), rel=0.1)
    assert abs(weights.mean()) < 0.05
    before = weights.copy()
    network.initialise(seed=99)
    np.testing.assert_array_equal(weights, before, "values that are there stay")

    again = Network(parse_sections(text), "my.cfg", cpu)
    again.initialise()
    np.testing.assert_array_equal(again.parameters()[-1].value, before)
    other = Network(parse_sections(text), "my.cfg", cpu)
    other.initialise(seed=99)
    assert not np.array_equal(other.parameters()[-1].value, before)


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        ("[connected]\noutput=100000\n", 4 * 100_000 * (2**31 - 1)),
        # more than 64 bits can count
        (
            "[convolutional]\nfilters=2\nsize=1000001\npad=1\n",
            4 * 2 * 1_000_001**2 * (2**31 - 1),
        ),
    ],
)
def test_weights_that_no_machine_holds_are_an_error(layer: str, size: int) -> None:
    text = f"[net]\ninputs={2**31 - 1}\n{layer}"
    network = Network(parse_sections(text), "my.cfg", cpu)
    with pytest.raises(CfgError) as caught:
        network.initialise()
    assert str(caught.value) == f"my.cfg: asks for {size:,} bytes of weights at once"


def test_save_and_load(tmp_path: Path) -> None:
    network = make(NET + CLASSIFIER)
    network.train_step(pictures(network), truths(network))
    path = tmp_path / "some.weights"
    network.save_weights(path)
    again = Network(parse_sections(NET + CLASSIFIER), "my.cfg", cpu)
    loaded = again.load_weights(path)
    assert again.seen == network.seen == loaded.header.seen == 1
    for one, other in zip(values(again), values(network), strict=True):
        np.testing.assert_array_equal(one, other)
    again.load_weights(path, clear=True)
    assert again.seen == 0
    again.save_weights(path)
    assert struct.unpack("<iiiQ", path.read_bytes()[:20]) == (0, 2, 0, 0)


def test_a_partial_file_leaves_the_rest_drawn(tmp_path: Path) -> None:
    network = make(NET + CLASSIFIER)
    path = tmp_path / "some.weights"
    network.save_weights(path)
    first = 4 * sum(p.size for p in network.layers[0].parameters())
    path.write_bytes(path.read_bytes()[: 20 + first])
    cfg = tmp_path / "my.cfg"
    cfg.write_text(NET + CLASSIFIER)
    with pytest.raises(WeightsError, match=r"is a partial file that ends before layer 2"):
        load_network(cfg, path, "cpu")
    partial = load_network(cfg, path, "cpu", partial=True)
    for one, other in zip(values(partial)[:2], values(network)[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(values(partial)[3], values(network)[3])
    partial.predict(pictures(partial, 1))


def test_load_network(tmp_path: Path) -> None:
    cfg = tmp_path / "my.cfg"
    cfg.write_text(NET + "filtres=3\n" + CLASSIFIER)
    network = load_network(cfg, device="cpu")
    assert network.warnings == [f"{cfg}:5: [net] filtres= is not used"]
    assert network.predict(pictures(network, 1)).shape == (1, 3)
    with pytest.raises(CfgError, match="filtres= is not used"):
        load_network(cfg, device="cpu", strict=True)
    with pytest.raises(DeviceError, match="no such device: 'tpu'"):
        load_network(cfg, device="tpu")
    with pytest.raises(CfgError, match="no such file"):
        load_network(tmp_path / "none.cfg", device="cpu")


@pytest.mark.parametrize("name", ["scales", "rolling_mean", "rolling_variance", "weights"])
def test_a_parameter_that_is_another_array_is_another_parameter(name: str) -> None:
    """Whatever of it was folded or packed before."""
    text = NET + "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\npad=1\n"
    network = make(text)
    x = pictures(network, 1)
    network.predict(x)
    (parameter,) = (p for p in network.parameters() if p.name == name)
    parameter.value = parameter.value * 2 + np.float32(0.1)
    found = network.predict(x)
    network.changed()
    np.testing.assert_array_equal(found, network.predict(x))


def test_training_that_draws_at_random_has_no_steps() -> None:
    network = make(NET + "[dropout]\n" + CLASSIFIER)
    with pytest.raises(CfgError, match=r"my.cfg: layers draw at random .* no steps"):
        network.times(pictures(network), truths(network))


# The first layers alone


def test_up_to_a_layer(tmp_path: Path) -> None:
    """What comes after needs no memory, and does not mind the picture's size."""
    text = NET + CLASSIFIER.replace("[avgpool]", "[connected]\noutput=3\n")
    whole, path = make(text), tmp_path / "some.weights"
    whole.save_weights(path)
    net = Network(parse_sections(text, "my.cfg"), "my.cfg", cpu)
    part = net.upto(2)
    part.load_weights(path)
    assert [layer.kind for layer in part.layers] == ["convolutional", "maxpool", "convolutional"]
    assert all(p.value is None for p in net.layers[3].parameters())
    x = pictures(whole, 1)
    np.testing.assert_array_equal(part.image_delta(x, 2, 0.5), whole.image_delta(x, 2, 0.5))
    large = np.random.default_rng(0).random((1, 2, 20, 33), np.float32)
    assert part.image_delta(large, 2, 0.5).shape == large.shape
    with pytest.raises(ShapeError):
        whole.image_delta(large, 2, 0.5)


def test_up_to_no_layer() -> None:
    with pytest.raises(ShapeError) as caught:
        make(NET + CLASSIFIER).upto(5)
    assert str(caught.value) == "my.cfg: there is no layer 5: expected 0 to 4"


def test_outputs_of_some_layers() -> None:
    network = make(NET + CLASSIFIER)
    x = pictures(network, 2)
    all_of_them = network.activations(x)
    for found, layer in zip(network.outputs_of(x, [3, 0]), (3, 0), strict=True):
        np.testing.assert_allclose(found.reshape(2, -1), all_of_them[layer].reshape(2, -1), 1e-5)


def trained(text: str) -> Network:
    """A network after two batches with an average."""
    network = make(text)
    network.keep_average(0.9)
    for seed in (1, 2):
        network.train_step(pictures(network, seed=seed), truths(network, seed))
    return network


NORMALIZED = NET.replace("\n", "\nbatch=4\noptimizer=adam\n", 1) + CLASSIFIER.replace(
    "filters=4\n", "filters=4\nbatch_normalize=1\n"
)


def test_reinitialise_draws_chosen_layers_alone() -> None:
    network = trained(NORMALIZED)
    before = values(network)
    network.reinitialise([0], 7)
    first = len(network.layers[0].parameters())
    biases, scales, mean, variance, weights = values(network)[:first]
    assert not biases.any()
    assert (scales == 1).all()
    assert not mean.any()
    assert (variance == 1).all()
    assert not (weights == before[4]).any()
    for found, expected in zip(values(network)[first:], before[first:], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_what_reinitialise_draws_depends_on_seed_and_layer_alone() -> None:
    networks = [trained(NORMALIZED), make(NORMALIZED, seed=5)]
    networks[0].reinitialise([0, 2], 7)
    networks[1].reinitialise([2], 7)
    one, other = (network.layers[2].parameters()[-1].value for network in networks)
    np.testing.assert_array_equal(one, other)
    networks[1].reinitialise([2], 8)
    assert not np.array_equal(one, networks[1].layers[2].parameters()[-1].value)


def test_nothing_is_remembered_of_what_was_there() -> None:
    """Momentum, moments, average and programs: training goes on as from a fresh optimiser."""
    network = trained(NORMALIZED)
    network.predict(pictures(network))
    network.reinitialise([2], 7)
    moments = network.optimiser.moments
    assert not set(network.layers[2].parameters()) & moments.keys()
    assert network.layers[0].parameters()[0] in moments
    fresh = make(NORMALIZED)
    for parameter, value in zip(fresh.parameters(), values(network), strict=True):
        parameter.value[...] = value
    fresh.changed()
    np.testing.assert_array_equal(
        network.predict(pictures(network)), fresh.predict(pictures(fresh))
    )
    network.train_step(pictures(network), truths(network))
    assert network.average is not None
    for parameter in network.layers[2].parameters():
        np.testing.assert_array_equal(network.average.values[parameter], parameter.value)


def test_reinitialise_names_what_has_no_weights() -> None:
    network = make(NORMALIZED)
    before = values(network)
    with pytest.raises(DarknetError, match=r"layer 1 \[maxpool\] has no weights to draw"):
        network.reinitialise([0, 1], 0)
    with pytest.raises(ShapeError, match="there is no layer 9"):
        network.reinitialise([0, 9], 0)
    for found, expected in zip(values(network), before, strict=True):
        np.testing.assert_array_equal(found, expected)
