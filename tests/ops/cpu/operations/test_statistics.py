from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops import normalize
from darknet_py.ops.cpu.operations import statistics as kernels
from tests.support.kernels import THREADS, Map, address, aligned, channels, copied, map_of, run
from tests.support.reference import random_array

# n, h, w, c
CASES = [(2, 5, 7, 3), (1, 1, 1, 1), (3, 4, 300, 20), (2, 6, 2, 40)]


def sums_of(x: Map, threads: int) -> tuple[np.ndarray, dict[str, int]]:
    n, h, w, _ = x.shape
    vectors = x.c_padded // kernels._length
    size = kernels.statistics_size(vectors)
    sums = aligned(threads * size, "uint8")
    sums[...] = 255
    given = {"vectors": vectors, "sums_size": size}
    pitches = x.pitches("x")
    run(kernels.statistics, threads, batch=n, h=h, w=w, sums=address(sums), **pitches, **given)
    return sums, given


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("rolls", [False, True])
@pytest.mark.parametrize("shift", [0, 10, 1000])
@pytest.mark.parametrize("case", CASES)
def test_statistics(case: tuple[int, ...], shift: float, rolls: bool, threads: int) -> None:
    n, h, w, c = case
    x = (random_array(case, 1) + shift * random_array((c,), 2)).astype("f")
    scales, biases = copied(random_array((c,), 3)), copied(random_array((c,), 4))
    rolling = copied(random_array((c,), 5)), copied(random_array((c,), 6))
    before = [value.copy() for value in rolling]
    x_map = map_of(x)
    found = {
        name: channels(np.full(x_map.c_padded, 9.0))
        for name in ("mean", "variance", "scale", "shift")
    }
    sums, given = sums_of(x_map, threads)
    given["sums"] = address(sums)
    run(
        kernels.finish_statistics,
        threads,
        count=n * h * w,
        c=c,
        rolling_mean=address(rolling[0]) if rolls else 0,
        rolling_variance=address(rolling[1]) if rolls else 0,
        scales=address(scales),
        biases=address(biases),
        **{name: address(value) for name, value in found.items()},
        **given,
    )
    mean, variance = normalize.batch_statistics(x.astype("d"))
    size = np.abs(mean) + np.sqrt(variance)
    assert np.abs((found["mean"][:c] - mean) / size).max() < 2e-7
    np.testing.assert_allclose(found["variance"][:c], variance, rtol=2e-6)
    if n * h * w > 1:
        scale = scales / (np.sqrt(found["variance"][:c]) + 1e-6)
        np.testing.assert_allclose(found["scale"][:c], scale, rtol=1e-6)
        expected = normalize.batchnorm(x.astype("d"), scales, biases, mean, variance)
        y = (x - found["mean"][:c].astype("d")) * found["scale"][:c] + found["shift"][:c]
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5 + 1e-6 * shift)
    for value in found.values():
        assert not value[c:].any()
    if rolls:
        normalize.moving_average(before[0], found["mean"][:c])
        normalize.moving_average(before[1], found["variance"][:c])
    np.testing.assert_allclose(rolling, before, rtol=1e-6, atol=1e-6)
    assert x_map.is_sound()


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("has_biases", [False, True])
@pytest.mark.parametrize("c", [1, 16, 19])
def test_fixed_statistics(c: int, has_biases: bool, threads: int) -> None:
    names = "rolling_mean", "scales"
    values = {name: copied(random_array((c,), i)) for i, name in enumerate(names)}
    values["rolling_variance"] = np.abs(copied(random_array((c,), 9)))
    values["rolling_variance"][0] = -7e-44  # as in real weights: 0
    biases = copied(random_array((c,), 8))
    made = [channels(np.full(c + 1, 9.0)) for _ in range(4)]
    scale, shift, mean, variance = made
    run(
        kernels.fixed_statistics,
        threads,
        c=c,
        vectors=scale.size // kernels._length,
        biases=address(biases) if has_biases else 0,
        scale=address(scale),
        shift=address(shift),
        mean=address(mean),
        variance=address(variance),
        **{name: address(value) for name, value in values.items()},
    )
    x = random_array((3, 1, 1, c), 7)
    statistics = values["rolling_mean"], values["rolling_variance"]
    given = values["scales"], biases if has_biases else None, *statistics
    expected = normalize.batchnorm(x, *given)
    size = np.abs(expected).max(axis=(0, 1, 2))
    error = np.abs((x - mean[:c]) * scale[:c] + shift[:c] - expected)
    assert (error <= 1e-4 * np.abs(expected) + 1e-6 * size + 1e-5).all()
    for found, value in zip((mean, variance), statistics, strict=True):
        np.testing.assert_array_equal(found[:c], value)
    assert not any(array[c:].any() for array in made)
