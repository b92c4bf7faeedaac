from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.operations.convolution.winograd import (
    KERNELS,
    scratch_size,
    winograd_reference,
)
from darknet_py.ops.cpu.operations.convolution.winograd_tiles import WINOGRAD
from tests.support.convolutions import (
    FUSED,
    Arrays,
    Fused,
    make_arrays,
    vectors_of,
    with_channels,
)
from tests.support.kernels import address, aligned, copied, padded, panels, run

LENGTH = vector_length()
TOLERANCE = {(2, 3): 3e-6, (4, 3): 3e-5, (2, 5): 3e-5}

Shape = tuple[int, int, int, int]

# n, h, w, c, padding, filters: whole tiles and parts of them
CASES: list[tuple[Shape, int, int]] = [
    ((1, 8, 8, 16), 2, 16),
    ((2, 7, 5, 20), 2, 5 * LENGTH + 1),
    ((1, 1, 1, 3), 2, 1),
    ((3, 3, 10, 1), 1, 4 * LENGTH),
    ((1, 9, 6, 2 * LENGTH), 0, 2 * LENGTH),
    ((1, 8, 8, 8), 1, 7),
]

THREADS = pytest.mark.parametrize(("threads", "split_filters"), [(1, 0), (2, 0), (2, 1), (5, 1)])
SIZES = pytest.mark.parametrize(("m", "size"), KERNELS)


def convolve(
    case: tuple[Shape, int, int],
    m: int,
    size: int,
    fused: Fused,
    block: int,
    threads: int,
    split_filters: int,
) -> Arrays:
    shape, padding, filters = case
    arrays = make_arrays(shape, filters, size, 1, padding, 1, fused)
    g, c = WINOGRAD[m, size].g, padded(shape[3])
    weights = with_channels(arrays.weights, c).astype("d")
    products = np.einsum("ay,fyxc,bx->abcf", g, weights, g).reshape(-1, c, filters)
    packed = copied(panels(products))
    scratch = aligned(threads * scratch_size(m, size, block, c) // 4)
    scratch[...] = 1e30
    run(
        KERNELS[m, size],
        threads,
        x=arrays.windows,
        y=arrays.y_map.view,
        weights=address(packed),
        epilogue=arrays.epilogue,
        vectors=vectors_of(filters),
        block=block,
        scratch=address(scratch),
        scratch_size=scratch_size(m, size, block, c),
        split_filters=split_filters,
        pooled=int(fused.pooled),
    )
    return arrays


@SIZES
def test_it_is_what_the_reference_computes(m: int, size: int) -> None:
    n = m + size - 1
    arrays = convolve(((1, n, n, LENGTH), 0, 5), m, size, Fused(), 6, 1, 0)
    expected = winograd_reference(arrays.x[0].astype("d"), arrays.weights.astype("d"), m)
    found = arrays.y_map.values[0] - arrays.kept[0][:5]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@THREADS
@SIZES
@pytest.mark.parametrize("block", [6, 48])
@pytest.mark.parametrize("case", CASES)
def test_shapes(
    case: tuple[Shape, int, int],
    block: int,
    m: int,
    size: int,
    threads: int,
    split_filters: int,
) -> None:
    arrays = convolve(case, m, size, Fused("leaky"), block, threads, split_filters)
    arrays.check(TOLERANCE[m, size])


@THREADS
@SIZES
@pytest.mark.parametrize("fused", FUSED)
@pytest.mark.parametrize("case", [case for case in CASES if case[0][1] > 3])
def test_epilogues(
    case: tuple[Shape, int, int],
    fused: Fused,
    m: int,
    size: int,
    threads: int,
    split_filters: int,
) -> None:
    convolve(case, m, size, fused, 12, threads, split_filters).check(TOLERANCE[m, size])


@SIZES
@pytest.mark.parametrize("case", CASES)
def test_results_do_not_depend_on_who_computes_them(
    case: tuple[Shape, int, int], m: int, size: int
) -> None:
    results = [
        convolve(case, m, size, Fused("relu", residual=True), *how).y_map.values.copy()
        for how in ((6, 1, 0), (48, 3, 0), (12, 2, 1))
    ]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
