from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.errors import CfgError, DarknetError
from darknet_py.text import as_json, counted, csv_row, joined_bytes, one_line, shell_words

ANY = st.text(st.characters(codec=None))
""" "Text" with halves of surrogate pairs, as names of files have them."""

HOSTILE = [
    *("\n", "\r", "\t", "\0", "\x07", "\x1b]0;title\x07", "\x1b[2J", "\x7f"),
    *("\x85", "\x9b31m", "\u2028", "\u2029", "\x1c", "\x0b", "\x0c"),  # C1, ends of lines
    *("\u202e", "\u2066", "\u2069", "\u200f", "\u061c"),  # bidi
    *("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u3164", "\U000e0041"),
    *("\udcff", "\udc9b", "\ud800", "\udcc2\udc9b"),  # the last is C1 in UTF-8, byte by byte
]


@pytest.mark.parametrize(
    "name", ["a b/cat (1).jpg", "/tmp/été/猫.png", "C:\\x\\y.jpg", "I ❤️ 🐈", "שלום"]
)
def test_ordinary_names_are_shown_as_they_are(name: str) -> None:
    assert one_line(name) == name
    assert one_line(Path(name)) == name


def test_what_breaks_a_line_or_a_terminal_is_spelled_out() -> None:
    assert one_line("a\nb\x1b[31m\x85.jpg") == "a\\nb\\x1b[31m\\x85.jpg"
    assert one_line("not-utf8-\udcff.jpg") == "not-utf8-\\xff.jpg"
    assert one_line("gpj.\u202efdp") == "gpj.\\u202efdp"


@given(ANY)
def test_any_name_is_one_line_that_can_be_printed(name: str) -> None:
    shown = one_line(name)
    assert len(shown.splitlines()) <= 1
    assert shown.isprintable()
    shown.encode()
    assert one_line(shown) == shown


@pytest.mark.parametrize("piece", HOSTILE, ids=ascii)
def test_nothing_that_drives_a_terminal_is_left(piece: str) -> None:
    assert one_line(f"a{piece}b").isascii()
    assert str(DarknetError(f"a{piece}b")) == one_line(f"a{piece}b")
    assert str(CfgError(f"a{piece}b.cfg", 1, "no")).startswith("a\\")
    assert as_json([f"a{piece}b"]).isascii()
    assert as_json([f"a{piece}b"]).isprintable()
    assert shell_words([f"a{piece}b"]).isascii()
    assert shell_words([f"a{piece}b"]).isprintable()


def test_one_is_one() -> None:
    assert counted(1, "picture") == "1 picture"
    assert counted(0, "picture") == "0 pictures"
    assert counted(1200, "class", "classes") == "1,200 classes"
    assert counted(1, "class", "classes") == "1 class"


def test_bytes_that_are_characters_after_all() -> None:
    assert joined_bytes("\udcc3\udca9.png") == "é.png"  # as the C locale has "é"
    assert joined_bytes("caf\udce9 猫") == "caf\udce9 猫"


@given(st.binary(min_size=1))
def test_json_keeps_every_name_of_a_file(name: bytes) -> None:
    text = as_json({"path": os.fsdecode(name), "猫": [1.5, None]})
    text.encode()  # valid UTF-8, and so valid JSON
    assert "猫" in text
    assert os.fsencode(json.loads(text)["path"]) == name


@given(ANY)
def test_json_of_any_text(text: str) -> None:
    as_json(text).encode()
    assert as_json(text).isprintable()
    assert json.loads(as_json(text)) == joined_bytes(text)


def test_json_is_spread_over_lines_where_it_is_asked_to_be() -> None:
    assert as_json({"é": "\n\u2028"}, indent=1) == '{\n "é": "\\n\\u2028"\n}'


def _read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@given(st.lists(ANY.filter(lambda text: "\0" not in text), min_size=1))
def test_csv_reads_back(cells: list[str]) -> None:
    """With nothing that a spreadsheet computes; an apostrophe before it can be taken off again."""
    row = csv_row(cells)
    assert row.endswith("\n")
    (found,) = _read(row)
    assert len(found) == len(cells)
    for cell, text in zip(found, cells, strict=True):
        assert cell in (text, f"'{text}")
        assert cell.lstrip()[:1] not in {*"=@\uff1d\uff20"}
        assert cell[:1] not in {*"\t\r\n"}


def test_what_a_spreadsheet_computes_is_text() -> None:
    names = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", " =1", "-"]
    names += ["\u200b=1", "\u202e@x", "\x01-x", "\xad'\u2060=1"]  # what nobody sees, before it
    assert _read(csv_row(names)) == [[f"'{name}" for name in names]]
    same = ["a=1", "1-2", "-0.5", "+1", "-1e-05", ".5", "'tis", "", "#1", "猫", '"no"', "a;b"]
    assert _read(csv_row(same)) == [same]
    assert csv_row([-0.5, 3, -1e-05]) == "-0.5,3,-1e-05\n"
    paths = Path("=x/a.png"), Path("-a.png"), Path("a\rb")
    assert csv_row(paths) == './=x/a.png,./-a.png,"a\rb"\n'


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_shell_reads_the_words_of_advice() -> None:
    words = ["a b", "it's", "caf\udce9", "n\nl", "\x1b[31m'\\", "\x9b1", "1\u202e2", "猫\n"]
    words += ["$HOME\t`x`!", "", "-n", "~", "*"]
    run = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {shell_words(words)}"], capture_output=True, check=True
    )
    assert run.stdout.split(b"\0")[:-1] == [os.fsencode(word) for word in words]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_has_no_numbers_that_are_none(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"loss": [value]})
