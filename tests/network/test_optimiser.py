"""None"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.network import Network
from darknet_py.network.state import read_state, save_state
from tests.support.networks import CLASSIFIER, LAYERS, SMALL, make_network, pictures, truths, values

NET = "[net]\nbatch=4\ninputs=3\nlearning_rate=0.01\ndecay=0\n"
LAYER = "[connected]\noutput=2\nactivation=linear\n"


def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3)).astype(np.float32)
    return x, np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]


@pytest.mark.parametrize("method", ["sgd", "adam", "rmsprop"])
def test_every_method_learns(method: str) -> None:
    net = make_network(f"{NET}optimizer={method}\n{LAYER}[softmax]\n")
    losses = [net.train_step(*batch()) for _ in range(60)]
    assert losses[-1] < 0.8 * losses[0]
    assert net.optimiser.steps == 60


@pytest.mark.parametrize("method", ["adam", "rmsprop"])
def test_the_first_step_has_the_size_of_the_rate(method: str) -> None:
    """Adam's is the rate; RMSprop's, whose mean begins at 0, the rate over sqrt(1 - rho)."""
    net = make_network(f"{NET}optimizer={method}\nrho=0.75\n{LAYER}[softmax]\n")
    before = net.parameters()[1].value.copy()
    net.train_step(*batch())
    moved = np.abs(net.parameters()[1].value - before)
    np.testing.assert_allclose(moved, 0.01 if method == "adam" else 0.02, rtol=1e-3)


def test_clip_keeps_weights_and_leaves_biases() -> None:
    net = make_network(f"{NET}clip=0.05\n{LAYER}[softmax]\n")
    biases, weights = net.parameters()
    weights.value[...], biases.value[...] = 3, 3
    net.train_step(*batch())
    assert np.abs(weights.value).max() == np.float32(0.05)
    assert biases.value.min() > 2
    only_one = make_network(f"{NET}{LAYER}clip=0.05\n{LAYER}[softmax]\n")
    for parameter in only_one.parameters():
        parameter.value[...] = 3
    only_one.train_step(*batch())
    first, second = only_one.layers[0].parameters()[1], only_one.layers[1].parameters()[1]
    assert np.abs(first.value).max() == np.float32(0.05)
    assert np.abs(second.value).max() > 2


@pytest.mark.parametrize(
    ("ending", "share"), [("[softmax]\n", 0.1), ("[logistic]\n", 0.1), ("[cost]\n", 0.1)]
)
def test_smooth_is_a_truth_less_certain(ending: str, share: float) -> None:
    x, y = batch()
    smoothed = make_network(f"{NET}{LAYER}{ending}smooth={2 * share}\n")
    plain = make_network(f"{NET}{LAYER}{ending}")
    softer = (1 - 2 * share) * y + share
    assert smoothed.train_step(x, y) == pytest.approx(plain.train_step(x, softer), rel=1e-5)
    for one, other in zip(smoothed.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-5)


def test_layers_may_have_a_rate_of_their_own() -> None:
    def change(rate: str) -> np.ndarray:
        text = LAYERS.replace("filters=3", f"filters=3\nlearning_rate={rate}")
        network = make_network(SMALL + "learning_rate=.1\nbatch=2\n" + text)
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
    network = make_network(
        f"[net]\ninputs=3\n{keys}[connected]\noutput=2\nactivation=linear\n[cost]\n"
    )
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
    network = make_network(
        f"[net]\ninputs=3\n{keys}[connected]\noutput=2\nactivation=linear\n[cost]\n"
    )
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


TEXT = CLASSIFIER.replace("[net]\n", "[net]\nbatch=4\nlearning_rate=0.1\n")


def make(text: str = TEXT) -> Network:
    return make_network(text)


def batch_of_average(seed: int) -> tuple[np.ndarray, np.ndarray]:
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
        net.train_step(*batch_of_average(step))
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
        assert one.train_step(*batch_of_average(step)) == other.train_step(*batch_of_average(step))
        with other.averaged():
            other.predict(batch_of_average(9)[0])
    assert_equal(values(one), values(other))


def test_what_is_frozen_stays() -> None:
    net = make(TEXT.replace("[maxpool]\n", "stopbackward=1\n[maxpool]\n"))
    before = values(net)
    net.keep_average(0.9)
    for step in range(3):
        net.train_step(*batch_of_average(step))
    frozen = len(net.layers[0].parameters())
    assert_equal(averages(net)[:frozen], before[:frozen])
    assert not np.array_equal(averages(net)[-1], before[-1])


def test_within_the_block_the_network_is_its_average(tmp_path: Path) -> None:
    net, x = make(), batch_of_average(9)[0]
    net.keep_average(0.9)
    for step in range(3):
        net.train_step(*batch_of_average(step))
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
        net.train_step(*batch_of_average(step))
    before = values(net)
    with pytest.raises(ZeroDivisionError), net.averaged():
        raise ZeroDivisionError
    assert_equal(values(net), before)


def test_off_it_keeps_nothing() -> None:
    net = make()
    net.train_step(*batch_of_average(0))
    assert net.average is None
    before = net.parameters()[0].value
    with net.averaged():
        assert net.parameters()[0].value is before


def test_a_state_holds_both(tmp_path: Path) -> None:
    net = make()
    net.keep_average(0.9)
    for step in range(3):
        net.train_step(*batch_of_average(step))
    save_state(tmp_path / "a.state", net, {})
    other = make()
    other.keep_average(0.1)
    read_state(tmp_path / "a.state", other).restore(other)
    for one in (net, other):
        for step in (3, 4):
            one.train_step(*batch_of_average(step))
    assert_equal(values(other), values(net))
    assert_equal(averages(other), averages(net))
    assert other.average is not None
    assert net.average is not None
    assert (other.average.decay, other.average.steps) == (0.9, net.average.steps)


def test_a_state_without_one_takes_it_away(tmp_path: Path) -> None:
    net = make()
    net.train_step(*batch_of_average(0))
    save_state(tmp_path / "a.state", net, {})
    other = make()
    other.keep_average(0.5)
    read_state(tmp_path / "a.state", other).restore(other)
    assert other.average is None
