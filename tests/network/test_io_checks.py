"""None"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import NotFiniteError, ShapeError, StateError, TrainingError, WeightsError
from darknet_py.network import Network
from darknet_py.network.state import read_state, save_state
from darknet_py.network.targets import Guided, Match, Score, StandOut, Target
from darknet_py.network.vjp import PICTURE
from darknet_py.tasks.activations import layer_activations
from tests.support.networks import (
    CLASSIFIER,
    CPU,
    FLOAT64,
    LAYERS,
    SMALL,
    SMOOTH,
    make_network,
    pictures,
    random_picture,
    values,
)

MEAN = np.array([0.48, 0.25, 0.75], np.float32)
DEVIATION = np.array([0.2, 0.25, 0.5], np.float32)
CROP = "[crop]\ncrop_height=8\ncrop_width=9\n"
LAST = 3
"""The maps of CLASSIFIER's classes."""


def with_keys(text: str, *keys: str) -> str:
    return text.replace("[net]\n", "[net]\n" + "".join(f"{key}\n" for key in keys))


def line(name: str, values: np.ndarray) -> str:
    return f"{name}={','.join(map(str, values.tolist()))}"


def pair(text: str, *keys: str, ops: Any = None) -> tuple[Network, Network]:
    """The network with the keys, and without; of equal weights."""
    how = {} if ops is None else {"ops": ops}
    return make_network(with_keys(text, *keys), **how), make_network(text, **how)


def batch_of(net: Network, n: int = 3) -> np.ndarray:
    return np.stack([random_picture(net, seed) for seed in range(2, 2 + n)])


def standard(x: np.ndarray, deviation: np.ndarray = DEVIATION) -> np.ndarray:
    of_channels = (slice(None), None, None)
    result: np.ndarray = (x - MEAN[of_channels]) / deviation[of_channels]
    return result


ONES = np.ones(3, np.float32)
ONLY_MEAN = (line("mean", MEAN),)
BOTH = (*ONLY_MEAN, line("std", DEVIATION))


def test_the_mean_is_subtracted_exactly() -> None:
    """A network without the key gives the same bits: padding comes after."""
    net, plain = pair(CLASSIFIER, *ONLY_MEAN)
    x = batch_of(net)
    np.testing.assert_array_equal(net.predict(x), plain.predict(standard(x, ONES)))
    assert not np.allclose(net.predict(x), plain.predict(x))
    maps, expected = net.activations(x), plain.activations(standard(x, ONES))
    for one, other in zip(maps, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("keys", [ONLY_MEAN, BOTH])
@pytest.mark.parametrize("crop", ["", CROP])
def test_it_takes_no_step_of_its_own(keys: tuple[str, ...], crop: str) -> None:
    net, plain = pair(CLASSIFIER.replace("[conv", f"{crop}[conv", 1), *keys)
    steps, expected = (each.times(batch_of(each), rounds=1).steps for each in (net, plain))
    assert [step[0] for step in steps] == [step[0] for step in expected]


def test_the_gradient_at_the_picture_is_the_same() -> None:
    net, plain = pair(CLASSIFIER, *ONLY_MEAN)
    x = batch_of(net, 1)
    np.testing.assert_array_equal(
        net.image_delta(x, LAST, 1.0), plain.image_delta(standard(x, ONES), LAST, 1.0)
    )
    delta = np.eye(5, dtype=np.float32)[:1]
    found, expected = (
        each.vjp(each_x, delta, 4, [PICTURE, 1])
        for each, each_x in ((net, x), (plain, standard(x, ONES)))
    )
    np.testing.assert_array_equal(found.deltas[0], expected.deltas[0])
    np.testing.assert_array_equal(found.maps[1], expected.maps[1])
    np.testing.assert_array_equal(found.maps[0], x)


def test_training_is_the_same() -> None:
    text = CLASSIFIER.replace("[net]", "[net]\nbatch=4\nsubdivisions=2\nlearning_rate=.1")
    net, plain = pair(text, *ONLY_MEAN)
    x, y = batch_of(net, 4), np.eye(5, dtype=np.float32)[:4]
    for _ in range(3):
        assert net.train_step(x, y) == plain.train_step(standard(x, ONES), y)
    for one, other in zip(net.parameters(), plain.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)
    assert net.first_nonfinite_layer(x) is None


@pytest.mark.parametrize("keys", [ONLY_MEAN, BOTH])
def test_the_engine_agrees_with_plain_ops(keys: tuple[str, ...]) -> None:
    text = CLASSIFIER.replace("[conv", CROP + "[conv", 1)
    net, plain = make_network(with_keys(text, *keys)), make_network(with_keys(text, *keys), FLOAT64)
    x = batch_of(net)
    np.testing.assert_allclose(net.predict(x), plain.predict(x), rtol=1e-4)
    found, expected = (each.delta_towards(x[:1], [StandOut(LAST + 1, 0)]) for each in (net, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_a_deviation_divides_and_so_does_its_gradient() -> None:
    net, plain = pair(SMOOTH, *BOTH, ops=FLOAT64)
    x, delta = (
        batch_of(net, 2).astype(np.float64),
        np.random.default_rng(1).normal(size=(2, 4)),
    )
    np.testing.assert_allclose(net.predict(x), plain.predict(standard(x)), rtol=1e-12)
    found = net.vjp(x, delta, 5, [PICTURE]).deltas[0]
    flat = x.reshape(-1)
    for place in np.random.default_rng(4).permutation(flat.size)[:20]:
        value, sums = flat[place], []
        for moved in (value + 1e-5, value - 1e-5):
            flat[place] = moved
            sums.append(float((net.output(x, 5).reshape(2, -1) * delta).sum()))
        flat[place] = value
        gradient = (sums[0] - sums[1]) / 2e-5
        assert found.reshape(-1)[place] == pytest.approx(gradient, rel=1e-5, abs=1e-8)


def test_one_number_is_for_all_channels() -> None:
    one, all_of_them = (
        make_network(with_keys(CLASSIFIER, k)) for k in ("mean=.3", "mean=.3,.3,.3")
    )
    x = batch_of(one)
    np.testing.assert_array_equal(one.predict(x), all_of_them.predict(x))


def test_a_vector_has_a_mean_too() -> None:
    text = "[net]\ninputs=6\nmean=.5\n[connected]\noutput=2\nactivation=linear\n[softmax]\n"
    net, plain = make_network(text), make_network(text.replace("mean=.5\n", ""))
    x = np.random.default_rng(0).random((3, 6), np.float32)
    np.testing.assert_array_equal(net.predict(x), plain.predict(x - np.float32(0.5)))


def test_pictures_of_another_size() -> None:
    net, plain = pair(CLASSIFIER, *ONLY_MEAN)
    x = np.random.default_rng(0).random((1, 3, 20, 22), np.float32)
    np.testing.assert_array_equal(net.predict(x), plain.predict(standard(x, ONES)))


def test_a_state_is_of_its_mean(tmp_path: Path) -> None:
    net, plain = pair(CLASSIFIER, *ONLY_MEAN)
    save_state(tmp_path / "a.state", net, {})
    read_state(tmp_path / "a.state", net).restore(net)
    with pytest.raises(StateError, match="another network"):
        read_state(tmp_path / "a.state", plain)


@pytest.mark.parametrize("shape", [(1, 3, 6, 8), (2, 6, 8), (6, 8), (1, 95), (), (1, 1, 2, 6, 8)])
def test_pictures_of_another_shape_are_an_error(shape: tuple[int, ...]) -> None:
    network = make_network(SMALL + LAYERS)
    for run in (network.predict, network.activations):
        with pytest.raises(ShapeError) as caught:
            run(np.zeros(shape, np.float32))
        assert str(caught.value) == (
            f"my.cfg: expected pictures of shape (n, 2, 6, 8), found {shape}"
        )


def test_vectors_of_another_length_are_an_error() -> None:
    network = make_network("[net]\ninputs=5\n[softmax]\n")
    with pytest.raises(ShapeError) as caught:
        network.predict(np.zeros((1, 6), np.float32))
    assert str(caught.value) == "my.cfg: expected pictures of shape (n, 5), found (1, 6)"


@pytest.mark.parametrize("layer", [-1, 5, 1000])
def test_a_dream_of_no_layer_is_an_error(layer: int) -> None:
    network = make_network(SMALL + LAYERS)
    with pytest.raises(ShapeError) as caught:
        network.image_delta(pictures(network, 1), layer, 0)
    assert str(caught.value) == f"my.cfg: there is no layer {layer}: expected 0 to 4"


def _train(net: Network, x: np.ndarray) -> object:
    return net.train_step(x, np.eye(3, dtype=np.float32)[:1])


WAYS: list[Callable[[Network, np.ndarray], object]] = [
    lambda net, x: net.predict(x),
    lambda net, x: net.activations(x),
    lambda net, x: net.output(x, 1),
    lambda net, x: net.image_delta(x, 2, 0.0),
    _train,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.bool_])
def test_bytes_are_no_pictures(
    way: Callable[[Network, np.ndarray], object], kind: type[np.generic]
) -> None:
    """They would be taken for 0..1, and answered with confidence."""
    network = make_network(SMALL + LAYERS)
    x = np.ones((1, 2, 6, 8), kind)
    with pytest.raises(ShapeError) as caught:
        way(network, x)
    assert str(caught.value) == (
        f"my.cfg: expected floats, pictures from 0 to 1, found {x.dtype}: of bytes, "
        "x.astype(numpy.float32) / 255"
    )
    with pytest.raises(ShapeError):
        network.vjp(x, np.ones((1, 3), np.float32), 3, [-1])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_picture_with_what_is_no_number(
    way: Callable[[Network, np.ndarray], object], value: float
) -> None:
    """Some layers would pass over it in silence."""
    network = make_network(SMALL + LAYERS)
    x = pictures(network, 1)
    x[0, 1, 2, 3] = value
    with pytest.raises(NotFiniteError, match="was given numbers that are not finite"):
        way(network, x)


def test_pictures_far_beyond_the_range_bring_a_warning() -> None:
    for channels, is_said in ((3, True), (2, False)):
        network = make_network(SMALL.replace("channels=2", f"channels={channels}") + LAYERS)
        x = pictures(network, 1)
        network.predict(3 * x - 1)  # normalised by whoever asks
        if is_said:
            with pytest.warns(UserWarning, match="values up to 25.* divide by 255"):
                network.predict(255 * x)
        else:  # maps, which may be anything
            network.predict(255 * x)


def test_other_floats_are_taken() -> None:
    network = make_network(SMALL + LAYERS)
    x = pictures(network, 1)
    for kind in (np.float64, np.float16):
        np.testing.assert_allclose(network.predict(x.astype(kind)), network.predict(x), atol=1e-3)


BN = SMALL.replace("channels=2", "channels=2\nbatch=2\nsubdivisions=2") + (
    "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n" + LAYERS
)
LABELS = np.eye(3, dtype=np.float32)[:2]


class Foreign:
    """No ndarray, though one could be made of it, as of torch's tensors."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.zeros((2, 2, 6, 8), np.float32)


NO_PICTURES: list[Any] = [
    None,
    0.5,
    np.float32(0.5),
    np.array(0.5),
    [[[[0.5]]]],
    b"picture",
    Foreign(),
    np.zeros((2, 2, 6, 8), complex),
    np.zeros((2, 2, 6, 8), object),
    np.zeros((2, 2, 6, 8), "U1"),
    np.zeros((2, 2, 6, 8), "M8[s]"),
    np.zeros((2, 2, 6, 8), np.uint8),
    np.ma.zeros((2, 2, 6, 8)),
    np.zeros((2, 2, 0, 0), np.float32),
    np.zeros((2, 6, 8, 2), np.float32),
    np.full((2, 2, 6, 8), np.nan),
    np.full((2, 2, 6, 8), 1e39),
]
TAKING: dict[str, Callable[[Network, Any], Any]] = {
    "predict": lambda net, x: net.predict(x),
    "activations": lambda net, x: net.activations(x)[-1],
    "output": lambda net, x: net.output(x, 1),
    "outputs_of": lambda net, x: net.outputs_of(x, [1])[0],
    "image_delta": lambda net, x: net.image_delta(x, 2, 0.0),
    "carry_back": lambda net, x: net.vjp(x, LABELS, 4, [-1]).deltas[0],
    "train_step": lambda net, x: net.train_step(x, LABELS),
    "accumulate": lambda net, x: net.accumulate(x, LABELS),
    "update_bn": lambda net, x: net.update_bn([np.full((2, 2, 6, 8), 0.5), x]),
    "times": lambda net, x: net.times(x, rounds=1).steps[0][0],
    "times of training": lambda net, x: net.times(x, LABELS, rounds=1).steps[0][0],
    "truths": lambda net, x: net.train_step(np.full((2, 2, 6, 8), 0.5), x),
    "weights": lambda net, x: net.train_step(
        np.full((2, 2, 6, 8), 0.5), LABELS, cast(Any, 0.5 if x is None else x)
    ),
    "delta": lambda net, x: net.vjp(np.full((2, 2, 6, 8), 0.5), x, 4, [-1]),
    "layer_activations": lambda net, x: layer_activations(
        net, x[0] if isinstance(x, np.ndarray) and x.ndim else x, [0]
    ),
}


@pytest.mark.parametrize("way", TAKING)
def test_what_is_no_picture_is_refused_and_changes_nothing(way: str) -> None:
    net = make_network(BN)
    before = values(net)
    for x in NO_PICTURES:
        with pytest.raises((ShapeError, NotFiniteError)) as caught:
            TAKING[way](net, x)
        assert str(caught.value).startswith("my.cfg: ")
        assert "\n" not in str(caught.value)
    for one, other in zip(values(net), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert net.seen == 0


SAME: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "float64": lambda x: x.astype(np.float64),
    "longdouble": lambda x: x.astype(np.longdouble),
    "swapped": lambda x: x.astype(">f4"),
    "Fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "unaligned": lambda x: (
        np.frombuffer(b"x" + x.tobytes(), np.uint8)[1:].view("<f4").reshape(x.shape)
    ),
    "read-only": lambda x: np.frombuffer(x.tobytes(), np.float32).reshape(x.shape),
}


@pytest.mark.parametrize("form", SAME)
def test_arrays_of_any_order_and_float_type_are_the_same_pictures(form: str) -> None:
    x = pictures(make_network(BN), 2)
    given = SAME[form](x)
    for way in TAKING:
        if way in ("truths", "weights", "delta"):
            continue
        one, other = make_network(BN), make_network(BN)
        found, expected = TAKING[way](one, given), TAKING[way](other, x)
        if way != "layer_activations":
            np.testing.assert_array_equal(found, expected, way)
        for mine, right in zip(values(one), values(other), strict=True):
            np.testing.assert_array_equal(mine, right, way)
    net, other = make_network(BN), make_network(BN)
    loss = net.train_step(given, SAME[form](LABELS), SAME[form](LABELS[:, 0] + 1))
    assert loss == other.train_step(x, LABELS, LABELS[:, 0] + 1)
    found = net.vjp(x, SAME[form](LABELS), 4, [-1]).deltas[0]
    np.testing.assert_array_equal(found, other.vjp(x, LABELS, 4, [-1]).deltas[0])


def test_no_pictures_have_no_answers() -> None:
    net = make_network(BN)
    none = np.zeros((0, 2, 6, 8), np.float32)
    assert net.predict(none).shape == (0, 3)
    assert [y.shape for y in net.activations(none)][1:3] == [(0, 4, 6, 8), (0, 4, 3, 4)]
    assert net.image_delta(none, 2, 0.0).shape == none.shape
    assert net.vjp(none, LABELS[:0], 4, [-1]).deltas[0].shape == none.shape
    for learn in (lambda: net.train_step(none, LABELS[:0]), lambda: net.update_bn([none])):
        with pytest.raises(ShapeError):
            learn()


def test_statistics_of_no_batch_stay() -> None:
    net = make_network(BN)
    before = values(net)
    with pytest.raises(ShapeError, match="expected at least one batch"):
        net.update_bn([])
    with pytest.raises(ShapeError, match="expected a multiple of 2 pictures, found 3"):
        net.update_bn([pictures(net, 2), pictures(net, 3)])
    for one, other in zip(values(net), before, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Score(4, 3), "layer 4 has outputs 0 to 2: found 3"),
        (Score(4, -1), "layer 4 has outputs 0 to 2: found -1"),
        (StandOut(0, channels=(3, 4)), r"layer 0 has channels 0 to 3: found \(3, 4\)"),
        (StandOut(0, channels=(-1,)), r"layer 0 has channels 0 to 3: found \(-1,\)"),
        (StandOut(0, np.nan), "layer 0: a threshold or limit is no number"),
        (StandOut(0, limit=np.nan), "layer 0: a threshold or limit is no number"),
        (Guided(0, np.zeros((4, 2), np.float32)), "layer 0 has 4 channels, and its guide 2"),
        (
            Match(0, np.zeros((1, 1, 4), np.float32)),
            r"layer 0 gives \(6, 8, 4\), and is to match \(1, 1, 4\)",
        ),
    ],
)
def test_targets_that_do_not_fit(target: Target, message: str) -> None:
    net = make_network(BN)
    x = pictures(net, 1)
    fitting = Match(0, np.zeros((6, 8, 4), np.float32))
    net.delta_towards(x, [fitting])
    with pytest.raises((ShapeError, NotFiniteError), match=message):
        net.delta_towards(x, [target])


def test_rates_and_sizes_that_are_none() -> None:
    net = make_network(BN)
    net.accumulate(pictures(net, 2), LABELS)
    before = values(net)
    for rate in (-1, np.nan, np.inf):
        with pytest.raises(TrainingError, match="a learning rate of"):
            net.update(rate)
    for decay in (-0.1, 1.1, np.nan):
        with pytest.raises(TrainingError, match="an average's decay of"):
            net.keep_average(decay)
    for size in (0, -3):
        with pytest.raises(ShapeError, match="takes no picture of"):
            net.resized(size, 6)
    with pytest.raises(TypeError):
        net.resized(6.5, 6)  # type: ignore[arg-type]
    assert net.seen == 0
    for one, other in zip(values(net), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_threads_take_turns() -> None:
    """One trains, which draws at random, while others compute with the same layers."""
    net = make_network(BN.replace("[avgpool]", "[dropout]\n[avgpool]"))
    one = make_network(BN.replace("[avgpool]", "[dropout]\n[avgpool]"))
    x = pictures(net, 2)
    losses = [one.train_step(x, LABELS) for _ in range(30)]
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            net.image_delta(x, 2, 0.0)
            net.resized(9, 7).predict(np.zeros((1, 2, 7, 9), np.float32))

    with ThreadPoolExecutor(2) as pool:
        looking = [pool.submit(look) for _ in range(2)]
        try:
            assert [net.train_step(x, LABELS) for _ in range(30)] == losses
        finally:
            stop.set()
        for each in looking:
            each.result()
    for mine, right in zip(values(net), values(one), strict=True):
        np.testing.assert_array_equal(mine, right)


ON_PAPER: list[Callable[[Network, np.ndarray], object]] = [
    *WAYS,
    lambda net, x: net.accumulate(x, np.eye(3, dtype=np.float32)[:1]),
    lambda net, x: net.vjp(x, np.ones((1, 3), np.float32), 3, [-1]),
    lambda net, x: net.outputs_of(x, [0]),
    lambda net, x: net.times(x),
    lambda net, x: net.update(),
    lambda net, x: net.update_bn([x]),
    lambda net, x: net.first_nonfinite_layer(x),
    lambda net, x: net.values_are_finite(),
    lambda net, x: net.save_weights("my.weights"),
    lambda net, x: layer_activations(net, x[0]),
]


@pytest.mark.parametrize("way", ON_PAPER)
def test_a_network_without_values_says_so(
    way: Callable[[Network, np.ndarray], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = SMALL + LAYERS.replace("filters=4\n", "filters=4\nbatch_normalize=1\n")
    network = Network(parse_sections(text), "my.cfg", CPU)
    x = np.zeros((1, 2, 6, 8), np.float32)
    with pytest.raises(WeightsError) as caught:
        way(network, x)
    assert str(caught.value) == (
        "my.cfg: layer 0 [convolutional]: biases: has no values yet: load_weights reads them, "
        "initialise draws them"
    )
    assert network.seen == 0
    assert not list(tmp_path.iterdir())
