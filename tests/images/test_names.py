from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images.names import legible, one_line


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


def test_bytes_that_are_no_text_are_spelled_out() -> None:
    assert legible("caf\udce9/猫.png") == "caf\\xe9/猫.png"
    assert legible("\udce7\udc8c\udcab") == "猫"  # as the C locale reads it
    assert legible("\ud83d half") == "\\ud83d half"
    assert legible(Path("a b.png")) == "a b.png"


@given(st.text() | st.binary().map(lambda name: name.decode("utf-8", "surrogateescape")))
def test_any_name_can_be_written_as_utf8(name: str) -> None:
    legible(name).encode()
