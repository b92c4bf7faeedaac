"""Random windows over random maps, for hypothesis: all that a cfg may ask for, in small."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from darknet_py.ops.sizes import conv_out, maxpool_out


class Conv(NamedTuple):
    n: int
    h: int
    w: int
    c: int
    out_c: int
    size: int
    stride: int
    padding: int
    groups: int
    seed: int

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        return self.n, self.h, self.w, self.c

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        return self.n, self._out(self.h), self._out(self.w), self.out_c

    @property
    def weights_shape(self) -> tuple[int, int, int, int]:
        return self.out_c, self.size, self.size, self.c // self.groups

    @property
    def local_shape(self) -> tuple[int, ...]:
        """Of weights that are others at each place."""
        return *self.y_shape[1:], self.size, self.size, self.c

    def _out(self, length: int) -> int:
        return conv_out(length, self.size, self.stride, self.padding)


class Pool(NamedTuple):
    n: int
    h: int
    w: int
    c: int
    size: int
    stride: int
    padding: int
    seed: int

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        return self.n, self.h, self.w, self.c

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        return self.n, self._out(self.h), self._out(self.w), self.c

    @property
    def window(self) -> tuple[int, int, int]:
        return self.size, self.stride, self.padding

    def _out(self, length: int) -> int:
        return maxpool_out(length, self.size, self.stride, self.padding)


SEEDS = st.integers(0, 1 << 30)


@st.composite
def convs(draw: st.DrawFn, max_groups: int = 3) -> Conv:
    size = draw(st.integers(1, 4))
    padding = draw(st.integers(0, size))
    fits = st.integers(max(size - 2 * padding, 1), 7)
    groups = draw(st.integers(1, max_groups))
    return Conv(
        n=draw(st.integers(1, 2)),
        h=draw(fits),
        w=draw(fits),
        c=groups * draw(st.integers(1, 3)),
        out_c=groups * draw(st.integers(1, 3)),
        size=size,
        stride=draw(st.integers(1, 3)),
        padding=padding,
        groups=groups,
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
        stride=draw(st.integers(1, 4)),
        padding=padding,
        seed=draw(SEEDS),
    )
