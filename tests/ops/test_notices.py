from __future__ import annotations

from collections.abc import Iterator

import pytest

from darknet_py.ops.notices import compiling, when_compiling


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    when_compiling(None)
    yield
    when_compiling(None)


def test_is_said_once() -> None:
    said: list[bool] = []
    when_compiling(said.append)
    compiling(is_kept=True)
    compiling(is_kept=False)
    assert said == [True]


def test_only_the_last_one_hears_it() -> None:
    said: list[str] = []
    when_compiling(lambda _: said.append("first"))
    when_compiling(lambda _: said.append("second"))
    compiling(is_kept=True)
    assert said == ["second"]


def test_nobody_need_hear_it() -> None:
    said: list[bool] = []
    when_compiling(said.append)
    when_compiling(None)
    compiling(is_kept=True)
    assert said == []
