"""Where the maps of a program lie.

A map is (n, h, w, c) with channels padded to whole vectors and a border of zeros around it, as wide
as its readers need. Nothing ever writes the border or the padding, so they stay zero: memory passes
from one map to another only where both have the same geometry.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import TensorView
from darknet_py.ops.graph import TensorSpec

FLOAT = 4
ALIGNMENT = 64
_TAIL = 8
"""Pixels after a map that tiles may read."""


def padded(c: int) -> int:
    """Channels in whole vectors."""
    return -(-c // vector_length()) * vector_length()


def aligned(floats: int) -> np.ndarray:
    """Zeros, at an address that is a multiple of 64 bytes."""
    spare = ALIGNMENT // FLOAT
    memory = np.zeros(floats + spare, np.float32)
    start = (-memory.ctypes.data // FLOAT) % spare
    return memory[start : start + floats]


@dataclass
class LayoutRequest:
    """What the readers and writers of a map need."""

    border: int = 0
    """Pixels of zeros at each side."""
    below: int = 0
    """Further rows of zeros at the bottom."""
    tail: bool = False
    """Whether the last tiles read beyond the last row's end, though there may be no border."""
    dense: bool = False
    """Channels are not padded: the picture that a network gets."""


@dataclass(frozen=True)
class Geometry:
    """A map in memory: pitches in floats."""

    n: int
    h: int
    w: int
    c: int
    border: int
    below: int
    tail: bool
    pixel: int
    gaps: bool
    """Whether there are zeros between pixels too, where another map lies within."""

    @property
    def row(self) -> int:
        return (self.w + 2 * self.border) * self.pixel

    @property
    def image(self) -> int:
        rows = self.h + 2 * self.border + self.below
        return -(-rows * self.row // vector_length()) * vector_length()

    @property
    def floats(self) -> int:
        reaches = self.border or self.below or self.tail
        return self.n * self.image + (_TAIL * self.pixel if reaches else 0)


@dataclass
class _Allocation:
    """Memory of a map, or of several that follow one another."""

    geometry: Geometry
    start: int


@dataclass(frozen=True)
class Alias:
    """Where in a map another one lies: from a channel on, in every stride-th row and column."""

    map: TensorSpec
    channel: int = 0
    stride: int = 1


@dataclass
class Memory:
    """Maps of a program and where they lie."""

    requests: dict[TensorSpec, LayoutRequest] = field(default_factory=dict)
    aliases: dict[TensorSpec, Alias] = field(default_factory=dict)
    """Maps that lie within another."""
    allocations: dict[TensorSpec, _Allocation] = field(default_factory=dict)
    same_layout: list[tuple[TensorSpec, TensorSpec]] = field(default_factory=list)
    """Maps that a kernel walks with the pitches of one."""
    floats: int = 0

    def request(self, x: TensorSpec) -> LayoutRequest:
        """What a map needs so far; to be added to before `allocate`."""
        return self.requests.setdefault(self.root(x).map, LayoutRequest())

    def root(self, x: TensorSpec) -> Alias:
        """The map that has memory for x, and where in it x lies."""
        channel, stride = 0, 1
        while x in self.aliases:
            alias = self.aliases[x]
            channel, stride, x = channel + alias.channel, stride * alias.stride, alias.map
        return Alias(x, channel, stride)

    def allocate(
        self, lives: dict[TensorSpec, tuple[int, int]], keep: Iterable[TensorSpec]
    ) -> None:
        """Gives every root memory. lives: the first and last step that needs it."""
        self._unify_layouts()
        keep = {self.root(x).map for x in keep}
        roots: dict[TensorSpec, tuple[int, int]] = {}
        for x, (first, last) in lives.items():
            root = self.root(x).map
            old = roots.get(root, (first, last))
            roots[root] = min(old[0], first), max(old[1], last)
        spread = {alias.map for alias in self.aliases.values() if alias.stride > 1}
        # by geometry: when each is no longer needed, the earliest first, a number, which allocation
        taken: dict[Geometry, list[tuple[int, int, _Allocation]]] = defaultdict(list)
        for number, (root, (first, last)) in enumerate(
            sorted(roots.items(), key=lambda item: item[1][0])
        ):
            geometry = self._geometry(root, root in spread)
            heap = taken[geometry]
            allocation = heappop(heap)[2] if heap and heap[0][0] < first else self._new(geometry)
            self.allocations[root] = allocation
            if root not in keep:
                heappush(heap, (last, number, allocation))

    def _unify_layouts(self) -> None:
        """Borders as wide as the widest of those that must be equal."""
        is_changed = True
        while is_changed:
            is_changed = False
            for one, other in self.same_layout:
                a, b = self.request(one), self.request(other)
                widest = max(a.border, b.border), max(a.below, b.below)
                for each in (a, b):
                    is_changed |= (each.border, each.below) != widest
                    each.border, each.below = widest

    def _new(self, geometry: Geometry) -> _Allocation:
        allocation = _Allocation(geometry, self.floats)
        line = ALIGNMENT // FLOAT
        self.floats += -(-geometry.floats // line) * line + line
        return allocation

    def _geometry(self, x: TensorSpec, gaps: bool) -> Geometry:
        request = self.requests.get(x, LayoutRequest())
        n, h, w, c = as_map(x.shape)
        pixel = c if request.dense else padded(c)
        return Geometry(n, h, w, c, request.border, request.below, request.tail, pixel, gaps)

    def place(self, x: TensorSpec, arena: int) -> TensorView:
        """Where x lies in an arena that begins at this address."""
        alias = self.root(x)
        allocation = self.allocations[alias.map]
        g = allocation.geometry
        first = allocation.start + g.border * (g.row + g.pixel) + alias.channel
        row, pixel = (FLOAT * alias.stride * pitch for pitch in (g.row, g.pixel))
        n, h, w, c = as_map(x.shape)
        vectors = padded(c) // vector_length()
        return TensorView(arena + FLOAT * first, n, h, w, c, vectors, FLOAT * g.image, row, pixel)

    def view(self, x: TensorSpec, arena: np.ndarray) -> np.ndarray:
        """x as an array over the arena."""
        place = self.place(x, 0)
        strides = [place.image, place.row, place.pixel, FLOAT]
        for length in x.shape[-4:0:-1] if len(x.shape) > 4 else ():
            strides.insert(0, length * strides[0])
        return np.lib.stride_tricks.as_strided(
            arena[place.address // FLOAT :], x.shape, strides[len(strides) - len(x.shape) :]
        )


def as_map(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """A shape as (n, h, w, c), with ones for what is not there; of more than four, the first are
    taken together: the weights of [local] have six."""
    h, w, c = (1,) * (3 - len(shape)) + shape[-3:]
    return math.prod(shape[:-3]), h, w, c
