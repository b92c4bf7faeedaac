"""The cost model: what it may choose, and what follows from more work."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.tile import PIXELS
from darknet_py.ops.cpu.operations.convolution.cost import REST, Choice, cheapest
from darknet_py.ops.cpu.operations.convolution.winograd_tiles import WINOGRAD

LENGTH = vector_length()


def chosen(
    side: int = 28,
    c: int = 128,
    filters: int = 128,
    size: int = 3,
    stride: int = 1,
    groups: int = 1,
    threads: int = 2,
    exact: bool = False,
    n: int = 1,
) -> Choice:
    return cheapest((n, side, side), c, filters, (size, size), stride, groups, threads, exact)


@given(
    st.integers(1, 4),
    st.integers(1, 64),
    st.integers(1, 300),
    st.integers(1, 300),
    st.integers(1, 7),
    st.integers(1, 3),
    st.integers(1, 8),
    st.booleans(),
)
def test_what_is_chosen_can_be_done(
    n: int, side: int, c: int, filters: int, size: int, stride: int, threads: int, exact: bool
) -> None:
    choice = chosen(side, c, filters, size, stride, 1, threads, exact, n)
    assert choice.cost > 0
    assert choice.block % PIXELS == 0
    assert choice.m == 0 or (choice.m, size) in WINOGRAD
    if stride > 1 or exact or c < LENGTH:
        assert choice.m == 0
    if threads == 1:
        assert not choice.split_filters


def test_groups_and_windows_that_are_no_squares_are_direct() -> None:
    assert chosen(groups=2).m == 0
    assert cheapest((1, 28, 28), 128, 128, (1, 3), 1, 1, 2, False).m == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_large_maps_of_many_channels_are_transformed(threads: int) -> None:
    """As vgg's: fewer multiplications pay for the transforms (Lavin, Gray 2016)."""
    assert chosen(56, 256, 256, threads=threads).m == 4
    assert chosen(size=1, threads=threads).m == 0


def test_few_places_and_many_filters_share_the_filters() -> None:
    assert chosen(2, 128, 256, 1).split_filters
    assert not chosen(112, 32, 64, 3).split_filters


@given(
    st.integers(1, 64), st.integers(LENGTH, 256), st.integers(1, 256), st.sampled_from([1, 3, 5])
)
def test_more_work_costs_more(side: int, c: int, filters: int, size: int) -> None:
    one = chosen(side, c, filters, size).cost
    assert chosen(2 * side, c, filters, size).cost >= one
    assert chosen(side, c, 2 * filters, size).cost >= one
    assert chosen(side, 2 * c, filters, size).cost >= one
    assert chosen(side, c, filters, size, threads=1).cost >= one
    assert chosen(side, c, filters, size, exact=True).cost >= one


def test_a_rest_of_tiles_is_no_whole_pass() -> None:
    assert 0 < REST < PIXELS
