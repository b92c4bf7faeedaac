from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.sizes import conv_out, maxpool_out

LENGTHS, SIZES, STRIDES = st.integers(1, 40), st.integers(1, 9), st.integers(1, 9)


def positions(length: int, size: int, stride: int, before: int, after: int) -> int:
    """How many windows begin at -before, stride apart, and end within the padding behind; or one
    that is too large for it by less than a stride."""
    if -stride < length + before + after - size < 0:
        return 1
    return len(range(-before, length + after - size + 1, stride))


@given(LENGTHS, SIZES, STRIDES, st.integers(0, 9))
def test_conv_out_counts_windows(length: int, size: int, stride: int, padding: int) -> None:
    expected = positions(length, size, stride, padding, padding)
    assert max(conv_out(length, size, stride, padding), 0) == expected


@given(LENGTHS, SIZES, STRIDES, st.integers(0, 17))
def test_maxpool_out_counts_windows(length: int, size: int, stride: int, padding: int) -> None:
    before = padding // 2
    expected = positions(length, size, stride, before, padding - before)
    assert max(maxpool_out(length, size, stride, padding), 0) == expected


def test_sizes_of_known_networks() -> None:
    assert conv_out(224, 7, 2, 3) == 112
    assert conv_out(227, 11, 4, 0) == 55
    assert conv_out(13, 3, 1, 1) == 13
    assert maxpool_out(224, 2, 2, 1) == 112
    assert maxpool_out(225, 2, 2, 1) == 113
    assert maxpool_out(13, 2, 1, 1) == 13
    assert maxpool_out(112, 3, 2, 2) == 56


def test_a_window_that_does_not_fit() -> None:
    assert conv_out(2, 3, 1, 0) == 0
    assert conv_out(2, 5, 2, 0) == 0
    assert conv_out(2, 8, 2, 0) < 0
    assert maxpool_out(1, 3, 1, 1) == 0


def test_a_window_larger_than_its_map_by_less_than_a_stride() -> None:
    assert conv_out(2, 3, 2, 0) == 1
    assert conv_out(1, 5, 3, 1) == 1
    assert maxpool_out(2, 3, 2, 0) == 1
    assert maxpool_out(1, 2, 2, 0) == 1
