"""Random windows over random maps, for hypothesis: all that a cfg may ask for, in small."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from darknet_py.ops.sizes import Stride, conv_outs, dilated, maxpool_outs


class Conv(NamedTuple):
    n: int
    h: int
    w: int
    c: int
    out_c: int
    size: int
    stride: Stride
    padding: int
    groups: int
    dilation: int
    seed: int

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        return self.n, self.h, self.w, self.c

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        window = self.size, self.stride, self.padding, self.dilation
        return self.n, *conv_outs(self.h, self.w, *window), self.out_c

    @property
    def window(self) -> tuple[Stride, int, int, int]:
        return self.stride, self.padding, self.groups, self.dilation

    @property
    def weights_shape(self) -> tuple[int, int, int, int]:
        return self.out_c, self.size, self.size, self.c // self.groups

    @property
    def local_shape(self) -> tuple[int, ...]:
        """Of weights that are others at each place."""
        return *self.y_shape[1:], self.size, self.size, self.c


class Pool(NamedTuple):
    n: int
    h: int
    w: int
    c: int
    size: int
    stride: Stride
    padding: int
    seed: int

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        return self.n, self.h, self.w, self.c

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        return self.n, *maxpool_outs(self.h, self.w, *self.window), self.c

    @property
    def window(self) -> tuple[int, Stride, int]:
        return self.size, self.stride, self.padding


SEEDS = st.integers(0, 1 << 30)


def strides(most: int) -> st.SearchStrategy[Stride]:
    """One for both directions, more often than two."""
    one = st.integers(1, most)
    return st.one_of(one, one, st.tuples(one, one))


@st.composite
def convs(draw: st.DrawFn, max_groups: int = 3, max_dilation: int = 3) -> Conv:
    size = draw(st.integers(1, 4))
    dilation = draw(st.one_of(st.just(1), st.integers(1, max_dilation)))
    padding = draw(st.integers(0, size))
    fits = st.integers(max(dilated(size, dilation) - 2 * padding, 1), 10)
    groups = draw(st.integers(1, max_groups))
    return Conv(
        n=draw(st.integers(1, 2)),
        h=draw(fits),
        w=draw(fits),
        c=groups * draw(st.integers(1, 3)),
        out_c=groups * draw(st.integers(1, 3)),
        size=size,
        stride=draw(strides(3)),
        padding=padding,
        groups=groups,
        dilation=dilation,
        seed=draw(SEEDS),
    )


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    size = draw(st.integers(1, 4))
    padding = draw(st.integers(0, 2 * size - 1))
    fits = st.integers(max(size - padding, 1), 7)
    return Pool(
        n=draw(st.integers(1, 2)),
        h=draw(fits),
        w=draw(fits),
        c=draw(st.integers(1, 3)),
        size=size,
        stride=draw(strides(4)),
        padding=padding,
        seed=draw(SEEDS),
    )
