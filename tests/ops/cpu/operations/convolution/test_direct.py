from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import PackedWeights
from darknet_py.ops.cpu.operations.convolution.direct import conv2d_reference, direct, direct_pooled
from tests.support.convolutions import (
    FUSED,
    Arrays,
    Fused,
    make_arrays,
    vectors_of,
    with_channels,
)
from tests.support.kernels import address, aligned, copied, panels, run

LENGTH = vector_length()


class Case(NamedTuple):
    shape: tuple[int, int, int, int]
    filters: int
    size: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    tight: bool = False
    wider: int = 0


CASES = [
    Case((1, 6, 7, 3), 16, 3, 1, 1, tight=True),
    Case((2, 9, 9, 3), 33, 7, 2, 3, tight=True),
    Case((1, 5, 5, 20), 1, 3, 1, 1),
    Case((2, 8, 5, 16), 5 * LENGTH + 3, 3, 2, 1),
    Case((1, 7, 7, 8), 4 * LENGTH, 5, 1, 2),
    Case((3, 4, 5, 24), 2 * LENGTH, 1),
    Case((2, 5, 6, 7), 10, 1, 2),
    Case((1, 6, 6, 5), LENGTH, 3, 1, 1, wider=1),
    Case((1, 4, 4, 6), 3, 2, 2, 1, wider=2),
    Case((2, 5, 4, 2 * LENGTH), 2 * LENGTH, 3, 1, 1, groups=2),
    Case((1, 5, 4, 6), 15 * LENGTH, 3, 2, 1, groups=3),
    Case((2, 3, 3, 9), 12, 3),
]

THREADS = pytest.mark.parametrize(("threads", "split_filters"), [(1, 0), (2, 0), (2, 1), (5, 1)])


def convolve(case: Case, fused: Fused, block: int, threads: int, split_filters: int) -> Arrays:
    arrays = make_arrays(*case[:6], fused, case.tight, case.wider)
    x_map, groups, size = arrays.x_map, case.groups, case.size
    length = case.shape[3] // groups
    if groups == 1:
        length = x_map.c_padded
    weights = with_channels(arrays.weights, length)
    if x_map.pixel == 4 * length:
        segments, length = np.arange(size) * x_map.row, size * length
    else:
        rows, columns = np.arange(size) * x_map.row, np.arange(size) * x_map.pixel
        segments = (rows[:, None] + columns).ravel()
    matrices = weights.reshape(groups, case.filters // groups, -1)
    packed = copied(np.concatenate([panels(matrix.T[None]) for matrix in matrices]))
    lists = aligned(threads * 64 * block // 8, "int64")
    x_groups = 4 * case.shape[3] // groups * np.arange(groups)
    run(
        direct_pooled if fused.pooled else direct,
        threads,
        x=arrays.windows,
        y=arrays.y_map.view,
        window=PackedWeights(address(segments), len(segments), length, address(packed)),
        epilogue=arrays.epilogue,
        groups=groups,
        group_vectors=vectors_of(case.filters) // groups,
        x_groups=address(x_groups),
        block=block,
        lists=address(lists),
        split_filters=split_filters,
    )
    return arrays


@THREADS
@pytest.mark.parametrize("block", [6, 96])
@pytest.mark.parametrize("case", CASES)
def test_shapes(case: Case, block: int, threads: int, split_filters: int) -> None:
    convolve(case, Fused("leaky"), block, threads, split_filters).check(3e-6)


@pytest.mark.parametrize("case", CASES)
def test_it_is_what_the_reference_computes(case: Case) -> None:
    arrays = convolve(case, Fused(), 12, 2, 0)
    x, weights = arrays.x.astype("d"), arrays.weights.astype("d")
    expected = conv2d_reference(x, weights, case.stride, case.padding, case.groups)
    biases = arrays.kept[0][: case.filters]
    np.testing.assert_allclose(arrays.y_map.values, expected + biases, rtol=1e-5, atol=1e-4)


@THREADS
@pytest.mark.parametrize("fused", FUSED)
@pytest.mark.parametrize("case", [CASES[0], CASES[3], CASES[5], CASES[9]])
def test_epilogues(case: Case, fused: Fused, threads: int, split_filters: int) -> None:
    convolve(case, fused, 12, threads, split_filters).check(3e-6)


@pytest.mark.parametrize("case", CASES)
def test_results_do_not_depend_on_who_computes_them(case: Case) -> None:
    results = [
        convolve(case, Fused("relu", residual=True), *how).y_map.values.copy()
        for how in ((6, 1, 0), (96, 3, 0), (12, 2, 1))
    ]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])
