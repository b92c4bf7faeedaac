from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network

NET = "[net]\nbatch=4\ninputs=3\nlearning_rate=0.01\ndecay=0\n"
LAYER = "[connected]\noutput=2\nactivation=linear\n"


def network(text: str) -> Network:
    net = Network(parse_sections(text), "my.cfg", devices.for_device("cpu"))
    net.initialise()
    return net


def batch() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3)).astype(np.float32)
    return x, np.eye(2, dtype=np.float32)[[0, 1, 1, 0]]


@pytest.mark.parametrize("method", ["sgd", "adam", "rmsprop"])
def test_every_method_learns(method: str) -> None:
    net = network(f"{NET}optimizer={method}\n{LAYER}[softmax]\n")
    losses = [net.train_step(*batch()) for _ in range(60)]
    assert losses[-1] < 0.8 * losses[0]
    assert net.optimiser.steps == 60


@pytest.mark.parametrize("method", ["adam", "rmsprop"])
def test_the_first_step_has_the_size_of_the_rate(method: str) -> None:
    """Adam's is the rate; RMSprop's, whose mean begins at 0, the rate over sqrt(1 - rho)."""
    net = network(f"{NET}optimizer={method}\nrho=0.75\n{LAYER}[softmax]\n")
    before = net.parameters()[1].value.copy()
    net.train_step(*batch())
    moved = np.abs(net.parameters()[1].value - before)
    np.testing.assert_allclose(moved, 0.01 if method == "adam" else 0.02, rtol=1e-3)


def test_clip_keeps_weights_and_leaves_biases() -> None:
    net = network(f"{NET}clip=0.05\n{LAYER}[softmax]\n")
    biases, weights = net.parameters()
    weights.value[...], biases.value[...] = 3, 3
    net.train_step(*batch())
    assert np.abs(weights.value).max() == np.float32(0.05)
    assert biases.value.min() > 2
    only_one = network(f"{NET}{LAYER}clip=0.05\n{LAYER}[softmax]\n")
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
    smoothed = network(f"{NET}{LAYER}{ending}smooth={2 * share}\n")
    plain = network(f"{NET}{LAYER}{ending}")
    softer = (1 - 2 * share) * y + share
    assert smoothed.train_step(x, y) == pytest.approx(plain.train_step(x, softer), rel=1e-5)
    for one, other in zip(smoothed.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-5)


def test_updates_that_are_no_numbers_are_noticed() -> None:
    net = network(f"{NET}{LAYER}[softmax]\n")
    x, y = batch()
    net.accumulate(x, y)
    assert net.updates_are_finite()
    assert net.first_bad_layer(x) is None
    x[1, 2] = np.inf
    net.accumulate(x, y)
    assert not net.updates_are_finite()
    assert net.first_bad_layer(x) == 0
