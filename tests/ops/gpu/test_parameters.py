"""Parameters on the GPU are replaced and changed as those on the CPU are."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from darknet_py.errors import ShapeError
from tests.support.networks import CLASSIFIER, make_network, pictures, truths


def test_what_replaces_a_parameter_comes_to_the_device(gpu: ModuleType) -> None:
    here, there = make_network(CLASSIFIER), make_network(CLASSIFIER, gpu)
    x, y = pictures(here, 2), truths(here)
    there.predict(x)
    rng = np.random.default_rng(1)
    for one, other in zip(here.parameters(), there.parameters(), strict=True):
        given = np.asfortranarray(rng.uniform(0.2, 1, one.shape))
        one.value = other.value = given
        assert type(other.value) is type(other.data)
        assert type(other.data) is not np.ndarray
        np.testing.assert_array_equal(gpu.to_host(other.value), one.value)
        np.testing.assert_allclose(there.predict(x), here.predict(x), 1e-4, 1e-6)
        with pytest.raises(ShapeError, match="expected shape"):
            other.value = given[..., :0]
        other.value = gpu.array(given)  # of the device itself
        np.testing.assert_array_equal(gpu.to_host(other.value), one.value)
    for net in (here, there):
        net.accumulate(x[:1], y)
        for parameter in net.parameters():
            if parameter.learned:
                parameter.updates = np.ones(parameter.shape)
        net.update()
    np.testing.assert_allclose(there.predict(x), here.predict(x), 1e-4, 1e-6)


def test_changes_in_place_are_seen(gpu: ModuleType) -> None:
    here, there = make_network(CLASSIFIER), make_network(CLASSIFIER, gpu)
    x = pictures(here, 2)
    there.predict(x)
    for one, other in zip(here.parameters(), there.parameters(), strict=True):
        for parameter in (one, other):
            parameter.value[0] = 0.75
        np.testing.assert_allclose(there.predict(x), here.predict(x), 1e-4, 1e-6)
