from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images.names import in_message, one_line


@pytest.mark.parametrize("name", ["a b/cat (1).jpg", "/tmp/été/猫.png", "C:\\x\\y.jpg"])
def test_ordinary_names_are_shown_as_they_are(name: str) -> None:
    assert one_line(name) == name
    assert one_line(Path(name)) == name


def test_what_breaks_a_line_or_a_terminal_is_spelled_out() -> None:
    assert one_line("a\nb\x1b[31m\x85.jpg") == "a\\nb\\x1b[31m\\x85.jpg"
    assert one_line("not-utf8-\udcff.jpg") == "not-utf8-\\xff.jpg"


@given(st.text())
def test_any_name_is_one_line_that_can_be_printed(name: str) -> None:
    shown = one_line(name)
    assert len(shown.splitlines()) <= 1
    assert shown.isprintable()
    shown.encode()


def test_a_message_holds_the_end_of_a_long_name() -> None:
    assert in_message("a\nb") == "a\\nb"
    assert in_message("a" * 300) == "a" * 300
    assert in_message("b" + "a" * 300) == "..." + "a" * 300
