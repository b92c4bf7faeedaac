from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from darknet_py.ops.notices import compiling, seconds_compiling, when_compiling


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    when_compiling(None)
    yield
    when_compiling(None)


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
