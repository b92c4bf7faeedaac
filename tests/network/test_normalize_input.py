"""mean= and std=: a network with them is the network without, shown standardised pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.errors import StateError
from darknet_py.network import Network
from darknet_py.network.state import read_state, save_state
from darknet_py.network.targets import StandOut
from darknet_py.network.vjp import PICTURE
from tests.support.networks import CLASSIFIER, FLOAT64, SMOOTH, make_network, random_picture

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


def pictures(net: Network, n: int = 3) -> np.ndarray:
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
    x = pictures(net)
    np.testing.assert_array_equal(net.predict(x), plain.predict(standard(x, ONES)))
    assert not np.allclose(net.predict(x), plain.predict(x))
    maps, expected = net.activations(x), plain.activations(standard(x, ONES))
    for one, other in zip(maps, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("keys", [ONLY_MEAN, BOTH])
@pytest.mark.parametrize("crop", ["", CROP])
def test_it_takes_no_step_of_its_own(keys: tuple[str, ...], crop: str) -> None:
    net, plain = pair(CLASSIFIER.replace("[conv", f"{crop}[conv", 1), *keys)
    steps, expected = (each.times(pictures(each), rounds=1).steps for each in (net, plain))
    assert [step[0] for step in steps] == [step[0] for step in expected]


def test_the_gradient_at_the_picture_is_the_same() -> None:
    net, plain = pair(CLASSIFIER, *ONLY_MEAN)
    x = pictures(net, 1)
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
    x, y = pictures(net, 4), np.eye(5, dtype=np.float32)[:4]
    for _ in range(3):
        assert net.train_step(x, y) == plain.train_step(standard(x, ONES), y)
    for one, other in zip(net.parameters(), plain.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)
    assert net.first_bad_layer(x) is None


@pytest.mark.parametrize("keys", [ONLY_MEAN, BOTH])
def test_the_engine_agrees_with_plain_ops(keys: tuple[str, ...]) -> None:
    text = CLASSIFIER.replace("[conv", CROP + "[conv", 1)
    net, plain = make_network(with_keys(text, *keys)), make_network(with_keys(text, *keys), FLOAT64)
    x = pictures(net)
    np.testing.assert_allclose(net.predict(x), plain.predict(x), rtol=1e-4)
    found, expected = (each.delta_towards(x[:1], [StandOut(LAST + 1, 0)]) for each in (net, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_a_deviation_divides_and_so_does_its_gradient() -> None:
    net, plain = pair(SMOOTH, *BOTH, ops=FLOAT64)
    x, delta = pictures(net, 2).astype(np.float64), np.random.default_rng(1).normal(size=(2, 4))
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
    x = pictures(one)
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
