from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.operations.convolution.small_groups import pack
from darknet_py.ops.cpu.operations.convolution.small_groups_kernel import can_group, grouped
from tests.support.convolutions import EPILOGUES, Arrays, Epilogue, make_arrays, vectors_of
from tests.support.kernels import address, aligned, run, run_again

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
    )
]


def convolve(case: Case, epilogue: Epilogue, block: int, threads: int) -> Arrays:
    c = case.shape[3]
    groups = c // case.part
    arrays = make_arrays(case.shape, c, case.size, case.stride, case.padding, groups, epilogue)
    x_map = arrays.x_map
    rows, columns = np.arange(case.size) * x_map.row, np.arange(case.size) * x_map.pixel
    segments = (rows[:, None] + columns).ravel()
    packed = pack(arrays.weights, None)
    n, out_h, out_w, _ = arrays.expected.shape
    lists = aligned(threads * 2 * block, "int64")
    run(
        grouped,
        threads,
        **arrays.arguments,
        batch=n,
        out_h=out_h,
        out_w=out_w,
        x_image=x_map.image,
        x_row=case.stride * x_map.row,
        x_pixel=case.stride * x_map.pixel,
        segments=address(segments),
        count=len(segments),
        part=case.part,
        weights=address(packed),
        vectors=vectors_of(c),
        block=block,
        lists=address(lists),
    )
    return arrays


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("block", [6, 48])
@pytest.mark.parametrize("case", CASES)
def test_shapes(case: Case, block: int, threads: int) -> None:
    convolve(case, Epilogue("leaky"), block, threads).check(3e-6)


@pytest.mark.parametrize("epilogue", [one for one in EPILOGUES if not one.pooled])
@pytest.mark.parametrize("case", CASES[:2])
def test_epilogues(case: Case, epilogue: Epilogue) -> None:
    convolve(case, epilogue, 12, 2).check(3e-6)


def test_what_is_grouped_here() -> None:
    assert can_group(32, 32, 32)
    assert can_group(32, 32, 16)
    assert not can_group(32, 64, 32), "several filters for a channel"
    assert not can_group(32, 32, 1)
    assert not can_group(4, 4, 1), "one group is none"
    assert not can_group(6 * LENGTH, 6 * LENGTH, 6), "whole vectors are for direct"
    assert not can_group(9, 9, 3), "three do not fill a vector evenly"


@pytest.mark.parametrize("length", [4, 8, 16])
def test_other_vector_lengths(length: int) -> None:
    run_again(__file__, "epilogues or grouped_here", length)
