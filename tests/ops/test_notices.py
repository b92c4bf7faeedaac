from __future__ import annotations

import time
import warnings
from collections.abc import Iterator

import pytest

from darknet_py.ops.notices import (
    compiling,
    note,
    seconds_compiling,
    when_compiling,
    when_noting,
)


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    when_compiling(None)
    when_noting(None)
    yield
    when_compiling(None)
    when_noting(warnings.warn)


def test_is_said_once() -> None:
    said: list[bool] = []
    when_compiling(said.append)
    with compiling(is_kept=True):
        pass
    with compiling(is_kept=False):
        pass
    assert said == [True]


def test_only_the_last_one_hears_it() -> None:
    said: list[str] = []
    when_compiling(lambda _: said.append("first"))
    when_compiling(lambda _: said.append("second"))
    with compiling(is_kept=True):
        pass
    assert said == ["second"]


def test_nobody_need_hear_it() -> None:
    said: list[bool] = []
    when_compiling(said.append)
    when_compiling(None)
    with compiling(is_kept=True):
        pass
    assert said == []


def test_the_time_that_it_took_is_known() -> None:
    before = seconds_compiling()
    with compiling(is_kept=True):
        time.sleep(0.02)
    assert 0.02 <= seconds_compiling() - before < 10


def test_the_time_of_a_kernel_that_another_calls_counts_once() -> None:
    before = seconds_compiling()
    with compiling(is_kept=True):
        with compiling(is_kept=True):
            time.sleep(0.05)
        middle = seconds_compiling()
    assert middle == before
    assert 0.05 <= seconds_compiling() - before < 0.1


def test_a_line_is_noted_once() -> None:
    said: list[str] = []
    when_noting(said.append)
    for text in ("one", "two", "one"):
        note(text)
    assert said == ["one", "two"]
    when_noting(None)
    note("three")
    when_noting(warnings.warn)
    with pytest.warns(UserWarning, match="four"):
        note("four")
    when_noting(said.append)
    note("one")
    assert said == ["one", "two", "one"]
