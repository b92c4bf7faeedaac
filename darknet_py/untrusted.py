"""Validation of values from untrusted files."""

from __future__ import annotations

import json
import os
import re
import reprlib
import stat
import sys
from collections.abc import Callable, Collection
from io import BufferedReader
from typing import Any, NoReturn

MOST = 2**62
"""The limit of counters: pictures, batches, steps."""


class BadValueError(Exception):
    """A value, and what was expected instead; callers add the file."""


def open_file(path: str | os.PathLike[str]) -> BufferedReader:
    """A file opened for reading. Raises OSError, also for pipes and devices, which may not end."""
    kind = os.stat(path).st_mode
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise OSError("is a pipe or a device, not a file")
    return open(path, "rb")


def parse_json(data: bytes) -> Any:
    """A JSON document, without NaN and Infinity. Raises BadValueError."""
    try:
        return json.loads(data.decode(), parse_constant=_no_constant)
    except RecursionError as error:
        raise BadValueError("its JSON is nested too deep") from error
    except ValueError as error:
        raise BadValueError(f"its JSON cannot be read: {error}") from error


def integer(value: Any, what: str, least: int = 0, most: int | None = MOST) -> int:
    """A whole number. Raises BadValueError, as all that follow."""
    if type(value) is not int or value < least or (most is not None and value > most):
        _fail(value, what, f"a whole number, {least} to {'any' if most is None else most}")
    return int(value)


def number(value: Any, what: str, least: float, most: float = sys.float_info.max) -> float:
    """A finite number; a whole one stays whole."""
    if type(value) not in (int, float) or not least <= value <= most:
        _fail(value, what, f"a number, {least:g} to {most:g}")
    return value  # type: ignore[no-any-return]


def boolean(value: Any, what: str) -> bool:
    """true or false."""
    if type(value) is not bool:
        _fail(value, what, "true or false")
    return value


def text(value: Any, what: str, pattern: str | None = None) -> str:
    """Text that fully matches a regular expression, if given."""
    if type(value) is not str or (pattern is not None and not re.fullmatch(pattern, value)):
        _fail(value, what, "text" if pattern is None else f"text like {pattern}")
    return value


def items(value: Any, what: str, check: Callable[[Any, str], Any]) -> list[Any]:
    """A list, of which each item is checked."""
    if type(value) is not list:
        _fail(value, what, "a list")
    return [check(each, what) for each in value]


def fields(value: Any, what: str, names: Collection[str]) -> dict[str, Any]:
    """A mapping of exactly these names."""
    if type(value) is not dict or value.keys() != set(names):
        expected = f"a mapping of {', '.join(sorted(names))}" if names else "an empty mapping"
        _fail(value, what, expected)
    return value


def optional(check: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """The same check, which also accepts None."""
    return lambda value, what: None if value is None else check(value, what)


def _fail(value: Any, what: str, expected: str) -> NoReturn:
    found = reprlib.repr(value).encode("ascii", "backslashreplace").decode()
    raise BadValueError(f"{what} is {found}: expected {expected}")


def _no_constant(name: str) -> NoReturn:
    raise BadValueError(f"its JSON holds {name}, which is no number")
