from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darknet_py.untrusted import (
    BadValueError,
    boolean,
    fields,
    integer,
    items,
    number,
    open_file,
    optional,
    parse_json,
    text,
)
from scripts.trials.damage import NOT_JSON


@pytest.mark.parametrize("data", NOT_JSON, ids=range(len(NOT_JSON)))
def test_what_is_no_json(data: bytes) -> None:
    with pytest.raises(BadValueError, match=r"^its JSON ") as caught:
        parse_json(data)
    assert str(caught.value).isprintable()


def test_json() -> None:
    assert parse_json(b'{"a": [1, 2.5, null, true, "\xc3\xa9"]}') == {
        "a": [1, 2.5, None, True, "\u00e9"]
    }


def of_items(value: Any, what: str) -> list[Any]:
    return items(value, what, integer)


def of_fields(value: Any, what: str) -> dict[str, Any]:
    return fields(value, what, ("a", "b"))


def of_number(value: Any, what: str) -> float:
    return number(value, what, -1, 2)


def of_text(value: Any, what: str) -> str:
    return text(value, what, "[ab]*")


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (integer, [0, 2**62], [-1, 2**62 + 1, 10**4000, 1.0, True, "1", None, [1]]),
        (
            of_number,
            [-1, 0, 1.5, 2],
            [-1.1, 3, 10**400, float("nan"), float("inf"), True, "1", None],
        ),
        (boolean, [True, False], [0, 1, None, "true"]),
        (of_text, ["", "abab"], ["c", "ab\n", 1, None, ["a"]]),
        (of_items, [[], [1, 2]], [{}, "12", None, [1, "2"], [[1]], (1,)]),
        (of_fields, [{"a": 1, "b": None}], [{"a": 1}, {"a": 1, "b": 2, "c": 3}, ["a", "b"], None]),
        (optional(integer), [None, 3], ["", -3, False]),
    ],
)
def test_values(check: Callable[[Any, str], Any], good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert check(value, "it") == value
    for value in bad:
        with pytest.raises(BadValueError, match=r"^it is .*: expected ") as caught:
            check(value, "it")
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 200


def test_what_is_shown_of_a_value_is_short_and_in_one_line() -> None:
    with pytest.raises(BadValueError) as caught:
        integer("\x1b[31m\nred" * 1000, "seen")
    assert str(caught.value) == (
        r"seen is '\x1b[31m\nre...\x1b[31m\nred': expected a whole number, 0 to 4611686018427387904"
    )


def test_files_alone_are_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    with open_file(tmp_path / "file") as file:
        assert file.read() == b"abc"
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(OSError, match="is a pipe or a device, not a file"):
            open_file(path)
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)
