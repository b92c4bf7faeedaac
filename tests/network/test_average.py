from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.network import Network
from darknet_py.network.state import read_state, save_state
from tests.support.networks import CLASSIFIER, make_network, values

TEXT = CLASSIFIER.replace("[net]\n", "[net]\nbatch=4\nlearning_rate=0.1\n")


def make(text: str = TEXT) -> Network:
    return make_network(text)


def batch(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((4, 3, 12, 16), np.float32), np.eye(5, dtype=np.float32)[[0, 1, 2, 4]]


def averages(net: Network) -> list[np.ndarray]:
    assert net.average is not None
    return [net.average.values[parameter].copy() for parameter in net.parameters()]


def assert_equal(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_recurrence() -> None:
    """Of all that is in a weights file: weights, biases, scales, rolling statistics."""
    net = make()
    net.keep_average(0.4)
    expected: list[np.ndarray] = []
    keeps = [None, 3 / 12, 4 / 13, 5 / 14, 0.4, 0.4]  # (1 + t) / (10 + t) up to .4
    for step, keep in enumerate(keeps):
        net.train_step(*batch(step))
        new = values(net)
        if keep is not None:
            new = [a + (1 - keep) * (v - a) for a, v in zip(expected, new, strict=True)]
        expected = new
        assert_equal(averages(net), expected)
    names = {p.name for p, v in zip(net.parameters(), values(net), strict=True) if v.any()}
    assert {"weights", "biases", "scales", "rolling_mean", "rolling_variance"} == names
    for average, value in zip(averages(net), values(net), strict=True):
        assert not np.array_equal(average, value)


def test_it_leaves_training_as_it_is() -> None:
    one, other = make(), make()
    other.keep_average(0.9)
    for step in range(4):
        assert one.train_step(*batch(step)) == other.train_step(*batch(step))
        with other.averaged():
            other.predict(batch(9)[0])
    assert_equal(values(one), values(other))


def test_what_is_frozen_stays() -> None:
    net = make(TEXT.replace("[maxpool]\n", "stopbackward=1\n[maxpool]\n"))
    before = values(net)
    net.keep_average(0.9)
    for step in range(3):
        net.train_step(*batch(step))
    frozen = len(net.layers[0].parameters())
    assert_equal(averages(net)[:frozen], before[:frozen])
    assert not np.array_equal(averages(net)[-1], before[-1])


def test_within_the_block_the_network_is_its_average(tmp_path: Path) -> None:
    net, x = make(), batch(9)[0]
    net.keep_average(0.9)
    for step in range(3):
        net.train_step(*batch(step))
    kept, averaged, own = values(net), averages(net), net.predict(x)
    with net.averaged():
        inside = net.predict(x)
        assert_equal(values(net), averaged)
        net.save_weights(tmp_path / "average.weights")
    assert_equal(values(net), kept)
    assert_equal(averages(net), averaged)
    np.testing.assert_array_equal(net.predict(x), own)
    assert not np.array_equal(inside, own)
    other = make()
    other.load_weights(tmp_path / "average.weights")
    np.testing.assert_array_equal(other.predict(x), inside)


def test_an_error_within_the_block_leaves_the_values() -> None:
    net = make()
    net.keep_average(0.9)
    for step in range(2):
        net.train_step(*batch(step))
    before = values(net)
    with pytest.raises(ZeroDivisionError), net.averaged():
        raise ZeroDivisionError
    assert_equal(values(net), before)


def test_off_it_keeps_nothing() -> None:
    net = make()
    net.train_step(*batch(0))
    assert net.average is None
    before = net.parameters()[0].value
    with net.averaged():
        assert net.parameters()[0].value is before


def test_a_state_holds_both(tmp_path: Path) -> None:
    net = make()
    net.keep_average(0.9)
    for step in range(3):
        net.train_step(*batch(step))
    save_state(tmp_path / "a.state", net, {})
    other = make()
    other.keep_average(0.1)
    read_state(tmp_path / "a.state", other).restore(other)
    for one in (net, other):
        for step in (3, 4):
            one.train_step(*batch(step))
    assert_equal(values(other), values(net))
    assert_equal(averages(other), averages(net))
    assert other.average is not None
    assert net.average is not None
    assert (other.average.decay, other.average.steps) == (0.9, net.average.steps)


def test_a_state_without_one_takes_it_away(tmp_path: Path) -> None:
    net = make()
    net.train_step(*batch(0))
    save_state(tmp_path / "a.state", net, {})
    other = make()
    other.keep_average(0.5)
    read_state(tmp_path / "a.state", other).restore(other)
    assert other.average is None
