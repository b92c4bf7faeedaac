from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.operations import upsample as kernels
from tests.support.kernels import THREADS, Map, address, copied, map_of, run
from tests.support.reference import random_array

SHAPES = pytest.mark.parametrize(
    ("shape", "stride"), [((2, 3, 4, 20), 2), ((1, 1, 1, 1), 3), ((1, 2, 5, 8), 1)]
)


@pytest.mark.parametrize("threads", THREADS)
@SHAPES
def test_blocks(shape: tuple[int, ...], stride: int, threads: int) -> None:
    n, h, w, c = shape
    x = random_array(shape, 1, "float32")
    x_map, y_map = map_of(x), Map((n, h * stride, w * stride, c))
    scale = copied(np.array([0.5]))
    maps = {"x": x_map.view, "y": y_map.view}
    run(kernels.upsample, threads, **maps, stride=stride, scale=address(scale))
    np.testing.assert_array_equal(y_map.values, kernels.upsample_reference(x, stride, 0.5))
    assert x_map.is_sound()
    assert y_map.is_sound()


@pytest.mark.parametrize("threads", THREADS)
@SHAPES
def test_sums_of_blocks(shape: tuple[int, ...], stride: int, threads: int) -> None:
    n, h, w, c = shape
    x = random_array((n, h * stride, w * stride, c), 1, "float32")
    x_map, y_map = map_of(x), Map(shape)
    scale = copied(np.array([0.5]))
    maps = {"x": x_map.view, "y": y_map.view}
    run(kernels.block_sums, threads, **maps, stride=stride, scale=address(scale))
    expected = kernels.block_sums_reference(x, stride, 0.5)
    np.testing.assert_allclose(y_map.values, expected, rtol=1e-5, atol=1e-6)
    assert x_map.is_sound()
    assert y_map.is_sound()
