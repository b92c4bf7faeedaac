from __future__ import annotations

import threading
import time

import pytest

from darknet_py.images.io.threads import in_threads


def test_in_order_whoever_is_first() -> None:
    def slow_at_first(number: int) -> int:
        time.sleep(0.02 if number < 2 else 0)
        return number * number

    assert list(in_threads(slow_at_first, range(20), workers=4)) == [n * n for n in range(20)]


def test_an_error_ends_it_and_leaves_no_thread() -> None:
    def fail_at_three(number: int) -> int:
        if number == 3:
            raise OSError("three")
        return number

    before = threading.active_count()
    results = in_threads(fail_at_three, range(10_000), workers=2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="three"):
        next(results)
    assert threading.active_count() == before


def test_closed_early_the_rest_is_dropped() -> None:
    begun = []

    def note(number: int) -> int:
        begun.append(number)
        time.sleep(0.002)
        return number

    results = in_threads(note, range(10_000), workers=2)
    assert next(results) == 0
    results.close()
    assert len(begun) < 1000
