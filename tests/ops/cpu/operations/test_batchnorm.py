from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops import normalize
from darknet_py.ops.activations import activate
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import NO_VIEW, ChannelArrays, Epilogue
from darknet_py.ops.cpu.maxpool import maxpool
from darknet_py.ops.cpu.operations import batchnorm as kernels
from darknet_py.ops.normalize import Epsilon
from tests.support.kernels import (
    THREADS,
    Map,
    address,
    aligned,
    channels,
    copied,
    map_of,
    run,
    slopes,
)
from tests.support.reference import random_array

ACTIVATIONS = pytest.mark.parametrize("activation", ["linear", "leaky", "relu", "ramp"])
ALL_THREADS = pytest.mark.parametrize("threads", THREADS)


@ALL_THREADS
@ACTIVATIONS
@pytest.mark.parametrize("adds", ["", "before", "after"])
@pytest.mark.parametrize("shape", [(2, 3, 5, 20), (1, 1, 1, 1), (3, 2, 2, 8)])
def test_normalize(shape: tuple[int, ...], adds: str, activation: str, threads: int) -> None:
    c = shape[3]
    x, other = random_array(shape, 1, "float32"), random_array(shape, 2, "float32")
    mean, scale, shift = (random_array((c,), seed, "float32") for seed in (5, 3, 4))
    x_map, y_map, other_map = map_of(x, 0), Map(shape), map_of(other)
    there = other_map.address - y_map.address
    coefficients = channels(mean), channels(scale), channels(shift)
    run(
        kernels.normalize,
        threads,
        x=x_map.view,
        other=NO_VIEW,
        y=y_map.view,
        channels=ChannelArrays(*map(address, coefficients)),
        epilogue=Epilogue(
            slopes=address(given := slopes(activation)),
            residual=there if adds == "before" else 0,
            residual_after=there if adds == "after" else 0,
        ),
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
    coefficients = channels(mean), channels(scale), channels(shift)
    run(
        kernels.normalize_pooled,
        threads,
        x=x_map.view,
        other=NO_VIEW,
        y=y_map.view,
        channels=ChannelArrays(*map(address, coefficients)),
        epilogue=Epilogue(slopes=address(given := slopes(activation))),
    )
    del given
    expected = maxpool(activate((x.astype("d") - mean) * scale + shift, activation), 2, 2, 0)
    np.testing.assert_allclose(y_map.values, expected, rtol=1e-6, atol=1e-6)
    assert x_map.is_sound()
    assert y_map.is_sound()


KEPT: list[np.ndarray] = []
"""Whose addresses kernels were given."""

# n, h, w, c
CASES = [(2, 5, 7, 3), (1, 1, 1, 1), (3, 4, 300, 20), (2, 6, 2, 40)]


def sums_of(x: Map, threads: int) -> dict[str, int]:
    size = kernels.statistics_size(x.view.vectors)
    sums = aligned(threads * size, "uint8")
    sums[...] = 255
    given = {"sums": address(sums), "sums_size": size}
    KEPT.append(sums)
    run(kernels.statistics, threads, x=x.view, **given)
    return given


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("rolls", [False, True])
@pytest.mark.parametrize("shift", [0, 10, 1000])
@pytest.mark.parametrize("case", CASES)
def test_statistics(case: tuple[int, ...], shift: float, rolls: bool, threads: int) -> None:
    n, h, w, c = case
    epsilon, taken = (Epsilon(1e-5, 0.0), 0.1) if threads > 1 else (Epsilon(0.0, 1e-6), 0.01)
    numbers = copied(np.array([epsilon.variance, epsilon.deviation, taken]))
    x = (random_array(case, 1) + shift * random_array((c,), 2)).astype("f")
    scales, biases = copied(random_array((c,), 3)), copied(random_array((c,), 4))
    rolling = copied(random_array((c,), 5)), copied(random_array((c,), 6))
    before = [value.copy() for value in rolling]
    x_map = map_of(x)
    found = {
        name: channels(np.full(x_map.c_padded, 9.0))
        for name in ("mean", "variance", "scale", "shift")
    }
    norm = kernels.NormArrays(
        c,
        x_map.view.vectors,
        address(found["mean"]),
        address(found["variance"]),
        address(rolling[0]) if rolls else 0,
        address(rolling[1]) if rolls else 0,
        address(scales),
        address(biases),
        address(found["scale"]),
        address(found["shift"]),
        address(numbers),
    )
    given = sums_of(x_map, threads)
    run(kernels.finish_statistics, threads, count=n * h * w, norm=norm, **given)
    reference = kernels.statistics_reference(x)
    for one, other in zip(reference, normalize.batch_statistics(x.astype("d")), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-12)
    mean, variance = normalize.batch_statistics(x.astype("d"))
    size = np.abs(mean) + np.sqrt(variance)
    assert np.abs((found["mean"][:c] - mean) / size).max() < 2e-7
    np.testing.assert_allclose(found["variance"][:c], variance, rtol=2e-6)
    if n * h * w > 1:
        scale = scales / normalize.divisor(found["variance"][:c], epsilon)
        np.testing.assert_allclose(found["scale"][:c], scale, rtol=1e-6)
        expected = normalize.batchnorm(x.astype("d"), scales, biases, mean, variance, epsilon)
        y = (x - found["mean"][:c].astype("d")) * found["scale"][:c] + found["shift"][:c]
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5 + 1e-6 * shift)
    for value in found.values():
        assert not value[c:].any()
    if rolls:
        normalize.moving_average(before[0], found["mean"][:c], taken)
        normalize.moving_average(before[1], found["variance"][:c], taken)
    np.testing.assert_allclose(rolling, before, rtol=1e-6, atol=1e-6)
    assert x_map.is_sound()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("epsilon", [normalize.EPSILON, Epsilon(1e-5, 0.0)])
@pytest.mark.parametrize("has_biases", [False, True])
@pytest.mark.parametrize("c", [1, 16, 19])
def test_fixed_statistics(c: int, has_biases: bool, threads: int, epsilon: Epsilon) -> None:
    numbers = copied(np.array([epsilon.variance, epsilon.deviation]))
    names = "rolling_mean", "scales"
    values = {name: copied(random_array((c,), i)) for i, name in enumerate(names)}
    values["rolling_variance"] = np.abs(copied(random_array((c,), 9)))
    values["rolling_variance"][0] = -7e-44  # as in real weights: 0
    biases = copied(random_array((c,), 8))
    made = [channels(np.full(c + 1, 9.0)) for _ in range(4)]
    scale, shift, mean, variance = made
    norm = kernels.NormArrays(
        c,
        scale.size // vector_length(),
        address(mean),
        address(variance),
        address(values["rolling_mean"]),
        address(values["rolling_variance"]),
        address(values["scales"]),
        address(biases) if has_biases else 0,
        address(scale),
        address(shift),
        address(numbers),
    )
    run(kernels.fixed_statistics, threads, norm=norm)
    x = random_array((3, 1, 1, c), 7)
    statistics = values["rolling_mean"], values["rolling_variance"]
    given = values["scales"], biases if has_biases else None, *statistics
    expected = normalize.batchnorm(x, *given, epsilon)
    if has_biases:
        order = *statistics, values["scales"], biases
        reference = kernels.normalize_reference(x, *order, epsilon)
        np.testing.assert_allclose(reference[..., 1:], expected[..., 1:], rtol=1e-4, atol=1e-5)
    size = np.abs(expected).max(axis=(0, 1, 2))
    error = np.abs((x - mean[:c]) * scale[:c] + shift[:c] - expected)
    assert (error <= 1e-4 * np.abs(expected) + 1e-6 * size + 1e-5).all()
    for found, value in zip((mean, variance), statistics, strict=True):
        np.testing.assert_array_equal(found[:c], value)
    assert not any(array[c:].any() for array in made)
