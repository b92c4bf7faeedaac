from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import PackedWeights
from darknet_py.ops.cpu.operations.convolution.small_groups import (
    STRIPS,
    can_group,
    pack,
    small_groups,
    small_groups_reference,
)
from tests.support.convolutions import FUSED, Arrays, Fused, make_arrays, vectors_of
from tests.support.kernels import address, aligned, run

LENGTH = vector_length()


class Case(NamedTuple):
    shape: tuple[int, int, int, int]
    part: int
    size: int = 3
    stride: int = 1
    padding: int = 1


PARTS = [part for part in (1, 2, 4, 8) if part < LENGTH]
CASES = [
    case
    for part in PARTS
    for case in (
        Case((2, 7, 5, 3 * LENGTH), part),
        Case((1, 9, 8, LENGTH + part), part, 3, 2),
        Case((1, 6, 7, part), part, 5, 1, 2),
        Case((3, 4, 4, 2 * LENGTH), part, 1, 1, 0),
        # rows as long as strips, and longer, and such as end among them
        Case((2, 5, 12, LENGTH), part, 3),
        Case((1, 6, 29, LENGTH + part), part, 5, 1, 2),
        Case((2, 5, 14, LENGTH), part, 3, 1, 0),
    )
]


def convolve(case: Case, fused: Fused, block: int, threads: int) -> Arrays:
    c = case.shape[3]
    groups = c // case.part
    arrays = make_arrays(case.shape, c, case.size, case.stride, case.padding, groups, fused)
    x_map = arrays.x_map
    rows, columns = np.arange(case.size) * x_map.row, np.arange(case.size) * x_map.pixel
    segments = (rows[:, None] + columns).ravel()
    packed = pack(arrays.weights, None)
    lists = aligned(threads * 2 * block, "int64")
    run(
        small_groups,
        threads,
        x=arrays.windows,
        y=arrays.y_map.view,
        window=PackedWeights(address(segments), len(segments), case.part, address(packed)),
        epilogue=arrays.epilogue,
        vectors=vectors_of(c),
        block=block,
        lists=address(lists),
        strip=case.size if case.part == 1 and case.size in STRIPS and case.stride == 1 else 0,
    )
    return arrays


@pytest.mark.parametrize("part", PARTS)
def test_it_is_what_the_reference_computes(part: int) -> None:
    arrays = convolve(Case((1, 3, 3, 2 * LENGTH), part, 3, 1, 0), Fused(), 6, 1)
    expected = small_groups_reference(arrays.x[0].astype("d"), arrays.weights.astype("d"))
    found = arrays.y_map.values.ravel() - arrays.kept[0][: 2 * LENGTH]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("block", [6, 48])
@pytest.mark.parametrize("case", CASES)
def test_shapes(case: Case, block: int, threads: int) -> None:
    convolve(case, Fused("leaky"), block, threads).check(3e-6)


@pytest.mark.parametrize("fused", [one for one in FUSED if not one.pooled])
@pytest.mark.parametrize("case", CASES[:2])
def test_epilogues(case: Case, fused: Fused) -> None:
    convolve(case, fused, 12, 2).check(3e-6)


def test_what_is_grouped_here() -> None:
    assert can_group(32, 32, 32)
    assert can_group(32, 32, 16)
    assert not can_group(32, 64, 32), "several filters for a channel"
    assert not can_group(32, 32, 1)
    assert not can_group(4, 4, 1), "one group is none"
    assert not can_group(6 * LENGTH, 6 * LENGTH, 6), "whole vectors are for direct"
    assert not can_group(9, 9, 3), "three do not fill a vector evenly"
