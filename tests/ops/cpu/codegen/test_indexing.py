"""Parts of kernels, called as the Python functions that they are made of."""

from __future__ import annotations

import itertools

import pytest

from darknet_py.ops.cpu.codegen import indexing as walk
from darknet_py.ops.cpu.codegen.kernel import TensorView


@pytest.mark.parametrize("together", [1, 6])
@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 36, 100])
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_all_threads_together_do_everything_once(threads: int, count: int, together: int) -> None:
    parts = [walk.part_of.function(t, threads, count, together) for t in range(threads)]
    assert parts[0][0] == 0
    assert parts[-1][1] == count
    assert all(one[1] == other[0] for one, other in itertools.pairwise(parts))
    assert all(first % together == 0 or first == count for first, _ in parts)
    sizes = [last - first for first, last in parts]
    assert max(sizes) - min(sizes) < 2 * together


@pytest.mark.parametrize(("high", "wide"), [(1, 1), (3, 1), (1, 4), (3, 5)])
def test_places_follow_one_another(high: int, wide: int) -> None:
    expected = list(itertools.product(range(3), range(high), range(wide)))
    place = expected[0]
    for number, here in enumerate(expected):
        assert walk.place_of.function(number, high, wide) == place == here
        place = walk.place_after.function(*place, high, wide)


def test_where_a_place_lies() -> None:
    x = TensorView(5, 4, 3, 2, 1, 1, 1000, 100, 10)
    assert walk.pixel_at.function(x, 3, 2, 1) == 3215


@pytest.mark.parametrize("size", [1, 2, 4, 8])
@pytest.mark.parametrize("vectors", [1, 2, 3, 8, 13])
def test_panels_hold_every_vector_once(vectors: int, size: int) -> None:
    full, panels = walk.panels_of.function(vectors, size)
    found = [walk.panel_at.function(number, full, size) for number in range(panels)]
    assert [width for _, width in found] == [size] * (vectors // size) + [1] * (vectors % size)
    assert [v for first, width in found for v in range(first, first + width)] == [*range(vectors)]
