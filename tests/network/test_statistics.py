from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from darknet_py.layers.convolutional import Convolutional
from darknet_py.network import Network
from darknet_py.network.learning import to_device
from tests.ops.cupy_stand_in import gpu_on_numpy
from tests.support.networks import CPU, FLOAT64, SMALL, make_network, pictures, values

LAYERS = (
    "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
    "[convolutional]\nfilters=5\nsize=3\nbatch_normalize=1\nactivation=leaky\n{}"
    "[connected]\noutput=6\nbatch_normalize=1\nactivation=leaky\n"
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n"
)
NET = SMALL + "batch=8\nsubdivisions={}\n" + LAYERS
STATISTICS = ("rolling_mean", "rolling_variance")


@pytest.fixture(params=["cpu", "plain", "gpu"])
def ops(request: pytest.FixtureRequest) -> Any:
    return {"cpu": lambda: CPU, "plain": lambda: FLOAT64, "gpu": gpu_on_numpy}[request.param]()


def host(network: Network) -> list[np.ndarray]:
    return [network.ops.to_host(each.value).copy() for each in network.parameters()]


def batches(network: Network) -> list[np.ndarray]:
    return [pictures(network, seed=seed) for seed in (5, 6, 7)]


def expected_statistics(network: Network, parts: list[np.ndarray]) -> list[np.ndarray]:
    """Of layers 0 and 1, by the plain functions: as they normalise themselves in training."""
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[], []]
    for x in parts:
        y = to_device(network, x)
        for layer, moments in zip(network.layers, found, strict=False):
            assert isinstance(layer, Convolutional)
            raw = network.ops.conv2d(y, layer.weights.value, 1, layer.padding, 1)
            moments.append(network.ops.batch_statistics(raw))
            y, _ = layer.forward(y, network.ops, True)
    result = []
    for moments in found:
        means, variances = (np.array(each) for each in zip(*moments, strict=True))
        mean = means.mean(axis=0)
        result += [mean, (variances + means**2).mean(axis=0) - mean**2]
    return result


@pytest.mark.parametrize("subdivisions", [1, 2])
def test_statistics_are_those_of_the_pictures(ops: Any, subdivisions: int) -> None:
    network = make_network(NET.format(subdivisions, ""), ops)
    plain = make_network(NET.format(subdivisions, ""), FLOAT64)
    for parameter, value in zip(plain.parameters(), host(network), strict=True):
        parameter.value = value.astype("d")
    given = batches(network)
    parts = [part for batch in given for part in np.split(batch, subdivisions)]
    before = host(network)
    network.update_bn(given)
    named = list(zip(network.parameters(), before, host(network), strict=True))
    for parameter, old, new in named:
        assert np.array_equal(old, new) == (parameter.name not in STATISTICS)
    found = [new for parameter, _, new in named if parameter.name in STATISTICS]
    for one, other in zip(found, expected_statistics(plain, parts), strict=False):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    # what predictions were compiled from before is forgotten
    again = make_network(NET.format(subdivisions, ""), ops)
    for parameter, value in zip(again.parameters(), host(network), strict=True):
        parameter.value = ops.array(value)
    x = pictures(network)
    np.testing.assert_allclose(network.predict(x), again.predict(x), rtol=1e-5, atol=1e-6)


def test_what_is_frozen_or_fixed_stays() -> None:
    text = NET.format(1, "stopbackward=1\n").replace("output=6", "output=6\nuse_global_stats=1")
    network = make_network(text)
    before = values(network)
    network.update_bn(batches(network))
    for old, new in zip(before, values(network), strict=True):
        np.testing.assert_array_equal(old, new)


def test_nothing_is_read_where_nothing_is_normalised() -> None:
    network = make_network(SMALL + "batch=4\n[connected]\noutput=3\n[softmax]\n")

    def unread() -> np.ndarray:
        raise AssertionError

    network.update_bn(unread() for _ in range(1))
