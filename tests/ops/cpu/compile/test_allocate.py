"""The allocator: no two maps that live at one time share a number; memory is used again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from darknet_py import ops
from darknet_py.ops.cpu.compile.allocate import (
    ALIGNMENT,
    FLOAT,
    Alias,
    Memory,
    aligned,
    as_map,
    padded,
)
from darknet_py.ops.graph import TensorSpec, Tracer

CPU = ops.for_device("cpu")

shapes = st.tuples(st.integers(1, 2), st.integers(1, 4), st.integers(1, 4), st.integers(1, 40))
spans = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(lambda pair: (min(pair), max(pair)))
layouts = st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.booleans())


def make(
    wanted: list[tuple[tuple[int, ...], tuple[int, int], tuple[int, int, bool, bool]]],
    kept: int = 0,
) -> tuple[Memory, dict[TensorSpec, tuple[int, int]]]:
    memory, tracer = Memory(), Tracer(CPU)
    lives = {}
    for shape, span, (border, below, tail, dense) in wanted:
        x = tracer.input(shape)
        lives[x] = span
        request = memory.request(x)
        request.border, request.below = border, below
        request.tail, request.dense = tail, dense
    memory.allocate(lives, [*lives][:kept])
    return memory, lives


@given(st.lists(st.tuples(shapes, spans, layouts), min_size=1, max_size=8), st.integers(0, 3))
def test_maps_that_live_together_share_nothing(wanted: list, kept: int) -> None:  # type: ignore[type-arg]
    memory, lives = make(wanted, kept)
    used: dict[TensorSpec, set[int]] = {}
    for x in lives:
        allocation = memory.allocations[x]
        used[x] = set(range(allocation.start, allocation.start + allocation.geometry.floats))
        assert max(used[x]) < memory.floats
        assert allocation.start % (ALIGNMENT // FLOAT) == 0
    keep = set([*lives][:kept])
    for x, (first, last) in lives.items():
        for y, (other_first, other_last) in lives.items():
            # what is kept lives from its first step on, to the end
            meets = first <= (99 if y in keep else other_last)
            meets = meets and other_first <= (99 if x in keep else last)
            if x is not y and meets:
                assert used[x].isdisjoint(used[y]), (x.shape, y.shape)


@given(st.lists(st.tuples(shapes, spans, layouts), min_size=1, max_size=4))
def test_views_and_borders_are_within_their_memory(wanted: list) -> None:  # type: ignore[type-arg]
    memory, lives = make(wanted)
    arena = aligned(memory.floats)
    for x in lives:
        arena[...] = 0
        memory.view(x, arena)[...] = 1
        allocation = memory.allocations[x]
        written = np.flatnonzero(arena)
        assert written.size == np.prod(x.shape)
        assert allocation.start <= written[0]
        assert written[-1] < allocation.start + allocation.geometry.floats
        view, g = memory.place(x, 0), allocation.geometry
        assert (view.n, view.h, view.w, view.c) == as_map(x.shape)
        # the border before the first pixel and behind the last one
        assert view.address // FLOAT - allocation.start == g.border * (g.row + g.pixel)
        assert view.pixel == FLOAT * (x.shape[3] if g.pixel == x.shape[3] else padded(x.shape[3]))


def test_memory_is_used_again_by_what_has_the_same_layout_alone() -> None:
    shape, plain = (1, 4, 4, 8), (1, 0, False, False)
    memory, lives = make([(shape, (0, 1), plain), (shape, (2, 3), plain), (shape, (3, 4), plain)])
    starts = [memory.allocations[x].start for x in lives]
    assert starts[0] == starts[1] != starts[2]
    memory, lives = make([(shape, (0, 1), plain), (shape, (2, 3), (2, 0, False, False))])
    starts = [memory.allocations[x].start for x in lives]
    assert starts[0] != starts[1]  # the border's zeros would not be there


def test_maps_that_are_walked_with_one_layout_get_the_widest_border() -> None:
    memory, tracer = Memory(), Tracer(CPU)
    one, other, third = (tracer.input((1, 4, 4, 8)) for _ in range(3))
    memory.request(other).border, memory.request(third).below = 2, 3
    memory.same_layout += [(one, other), (other, third)]
    memory.allocate(dict.fromkeys((one, other, third), (0, 1)), [])
    geometries = {memory.allocations[x].geometry for x in (one, other, third)}
    assert len(geometries) == 1
    assert (geometries.pop().border, memory.allocations[one].geometry.below) == (2, 3)


def test_a_map_within_another_is_written_there() -> None:
    memory, tracer = Memory(), Tracer(CPU)
    whole, part, spread = (
        tracer.input(shape) for shape in ((1, 4, 4, 48), (1, 4, 4, 16), (1, 2, 2, 16))
    )
    memory.aliases = {part: Alias(whole, 32), spread: Alias(part, 0, 2)}
    memory.allocate(dict.fromkeys((whole, part, spread), (0, 1)), [])
    arena = aligned(memory.floats)
    memory.view(part, arena)[...] = 1
    memory.view(spread, arena)[...] = 2
    found = memory.view(whole, arena)
    assert not found[..., :32].any()
    assert (found[:, ::2, ::2, 32:] == 2).all()
    assert (found[:, 1::2, :, 32:] == 1).all()
