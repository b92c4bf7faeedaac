from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.operations.convolution.winograd_kernel import KERNELS, scratch_size
from darknet_py.ops.cpu.operations.convolution.winograd_transforms import WINOGRAD
from tests.support.convolutions import (
    EPILOGUES,
    Arrays,
    Epilogue,
    make_arrays,
    vectors_of,
    with_channels,
)
from tests.support.kernels import address, aligned, copied, padded, panels, run, run_again

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
    epilogue: Epilogue,
    block: int,
    threads: int,
    split_filters: int,
) -> Arrays:
    shape, padding, filters = case
    arrays = make_arrays(shape, filters, size, 1, padding, 1, epilogue)
    g, c = WINOGRAD[m, size].g, padded(shape[3])
    weights = with_channels(arrays.weights, c).astype("d")
    products = np.einsum("ay,fyxc,bx->abcf", g, weights, g).reshape(-1, c, filters)
    packed = copied(panels(products))
    scratch = aligned(threads * scratch_size(m, size, block, c) // 4)
    scratch[...] = 1e30
    pitches = arrays.x_map.pitches("x")
    run(
        KERNELS[m, size],
        threads,
        **pitches | arrays.arguments,
        batch=shape[0],
        out_h=shape[1] + 2 * padding - size + 1,
        out_w=shape[2] + 2 * padding - size + 1,
        c=c,
        weights=address(packed),
        vectors=vectors_of(filters),
        block=block,
        scratch=address(scratch),
        scratch_size=scratch_size(m, size, block, c),
        split_filters=split_filters,
        pooled=int(epilogue.pooled),
    )
    return arrays


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
    arrays = convolve(case, m, size, Epilogue("leaky"), block, threads, split_filters)
    arrays.check(TOLERANCE[m, size])


@THREADS
@SIZES
@pytest.mark.parametrize("epilogue", EPILOGUES)
@pytest.mark.parametrize("case", [case for case in CASES if case[0][1] > 3])
def test_epilogues(
    case: tuple[Shape, int, int],
    epilogue: Epilogue,
    m: int,
    size: int,
    threads: int,
    split_filters: int,
) -> None:
    convolve(case, m, size, epilogue, 12, threads, split_filters).check(TOLERANCE[m, size])


@SIZES
@pytest.mark.parametrize("case", CASES)
def test_results_do_not_depend_on_who_computes_them(
    case: tuple[Shape, int, int], m: int, size: int
) -> None:
    results = [
        convolve(case, m, size, Epilogue("relu", added=True), *how).y_map.values.copy()
        for how in ((6, 1, 0), (48, 3, 0), (12, 2, 1))
    ]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.parametrize("length", [4, 8, 16])
def test_other_vector_lengths(length: int) -> None:
    run_again(__file__, "epilogues or depend", length)
