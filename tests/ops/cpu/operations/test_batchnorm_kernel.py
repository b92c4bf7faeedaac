from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.activations import activate
from darknet_py.ops.cpu.maxpool import maxpool
from darknet_py.ops.cpu.operations import batchnorm_kernel as kernels
from tests.support.kernels import THREADS, Map, address, channels, map_of, padded, run, slopes
from tests.support.reference import random_array

ACTIVATIONS = pytest.mark.parametrize("activation", ["linear", "leaky", "relu", "ramp"])
ALL_THREADS = pytest.mark.parametrize("threads", THREADS)


@ALL_THREADS
@ACTIVATIONS
@pytest.mark.parametrize("adds", ["", "before", "after"])
@pytest.mark.parametrize("shape", [(2, 3, 5, 20), (1, 1, 1, 1), (3, 2, 2, 8)])
def test_normalize(shape: tuple[int, ...], adds: str, activation: str, threads: int) -> None:
    n, h, w, c = shape
    x, other = random_array(shape, 1, "float32"), random_array(shape, 2, "float32")
    mean, scale, shift = (random_array((c,), seed, "float32") for seed in (5, 3, 4))
    x_map, y_map, other_map = map_of(x, 0), Map(shape), map_of(other)
    there = other_map.address - y_map.address
    coefficients = channels(scale), channels(shift), channels(mean)
    run(
        kernels.normalize,
        threads,
        added=there if adds == "before" else 0,
        added_after=there if adds == "after" else 0,
        batch=n,
        h=h,
        w=w,
        vectors=padded(c) // padded(1),
        scale=address(coefficients[0]),
        shift=address(coefficients[1]),
        mean=address(coefficients[2]),
        slopes=address(given := slopes(activation)),
        **x_map.pitches("x"),
        **y_map.pitches("y"),
    )
    del given
    expected = (x.astype("d") - mean) * scale + shift
    expected = activate(expected + other if adds == "before" else expected, activation)
    expected += other if adds == "after" else 0
    np.testing.assert_allclose(y_map.values, expected, rtol=1e-6, atol=1e-6)
    assert all(some.is_sound() for some in (x_map, y_map, other_map))


@ALL_THREADS
@ACTIVATIONS
@pytest.mark.parametrize("shape", [(2, 6, 4, 20), (1, 2, 2, 1), (3, 2, 8, 8)])
def test_normalize_pooled(shape: tuple[int, ...], activation: str, threads: int) -> None:
    n, h, w, c = shape
    x = random_array(shape, 1, "float32")
    mean, scale, shift = (random_array((c,), seed, "float32") for seed in (5, 3, 4))
    x_map, y_map = map_of(x), Map((n, h // 2, w // 2, c))
    coefficients = channels(scale), channels(shift), channels(mean)
    run(
        kernels.normalize_pooled,
        threads,
        batch=n,
        h=h // 2,
        w=w // 2,
        vectors=padded(c) // padded(1),
        scale=address(coefficients[0]),
        shift=address(coefficients[1]),
        mean=address(coefficients[2]),
        slopes=address(given := slopes(activation)),
        **x_map.pitches("x"),
        **y_map.pitches("y"),
    )
    del given
    expected = maxpool(activate((x.astype("d") - mean) * scale + shift, activation), 2, 2, 0)
    np.testing.assert_allclose(y_map.values, expected, rtol=1e-6, atol=1e-6)
    assert x_map.is_sound()
    assert y_map.is_sound()
