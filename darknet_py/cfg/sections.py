"""A `.cfg` file as sections, with the file and line of every value.

The grammar is darknet's: `[name]` opens a section, `key=value` adds to it, blanks around both
do not matter, `#` and `;` begin comments. Where the C program guesses (an unknown word becomes
ReLU, a number that is none becomes 0), this reader says what it found and what it expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from darknet_py.cfg.text import meaningful_lines, read_text
from darknet_py.errors import CfgError

T = TypeVar("T")

_INT = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", re.ASCII)
MAX_INT = 2**31 - 1


@dataclass(frozen=True)
class Value:
    """What stands behind `key=`, and where."""

    text: str
    line: int


class Section:
    """One `[name]` with its keys. The getters check, convert, and remember which keys were read.

    Every getter raises CfgError, naming file, line, key and what was expected.
    """

    def __init__(self, name: str, path: str | Path, line: int) -> None:
        self.name = name
        self.path = path
        self.line = line
        self.values: dict[str, Value] = {}
        self._read: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def add(self, key: str, value: Value) -> None:
        """Adds a key, which must be printable and new to the section."""
        if not key.isprintable():
            raise CfgError(self.path, value.line, f"[{self.name}] {shown(key)}= is no key")
        if key in self.values:
            first = self.values[key].line
            message = f"[{self.name}] {shown(key)}= is given twice (first on line {first})"
            raise CfgError(self.path, value.line, message)
        self.values[key] = value

    def fail(self, message: str, key: str | None = None) -> NoReturn:
        """Raises CfgError at the line of `key`, or at the section's where it has none."""
        value = self.values.get(key) if key else None
        raise CfgError(self.path, value.line if value else self.line, f"[{self.name}] {message}")

    def unread(self) -> list[tuple[int, str]]:
        """(line, key) of each key that no getter has asked for."""
        return [(v.line, key) for key, v in self.values.items() if key not in self._read]

    def get_text(self, key: str, default: str) -> str:
        """The value as it stands."""
        return self._get(key, default, str, "a word")

    def get_int(
        self, key: str, default: int, *, minimum: int = -MAX_INT, maximum: int = MAX_INT
    ) -> int:
        """A whole number from `minimum` to `maximum`. The default is not checked."""
        expected = f"a whole number{_range(minimum, maximum, MAX_INT)}"
        return self._get(key, default, lambda text: _to_int(text, minimum, maximum), expected)

    def get_float(
        self, key: str, default: float, *, minimum: float = -math.inf, maximum: float = math.inf
    ) -> float:
        """A finite number from `minimum` to `maximum`. The default is not checked."""
        expected = f"a number{_range(minimum, maximum, math.inf)}"
        return self._get(key, default, lambda text: _to_float(text, minimum, maximum), expected)

    def get_flag(self, key: str, default: bool = False) -> bool:
        """0 or 1."""
        return bool(self._get(key, int(default), lambda text: _to_int(text, 0, 1), "0 or 1"))

    def get_choice(self, key: str, default: str, choices: Iterable[str]) -> str:
        """One of the words in `choices`."""
        known = sorted(choices)
        return self._get(
            key, default, lambda text: _to_choice(text, known), f"one of {', '.join(known)}"
        )

    def get_ints(self, key: str, default: list[int] | None = None) -> list[int]:
        """Whole numbers, separated by commas."""
        return self._get(
            key,
            default or [],
            lambda text: [_to_int(part.strip(), -MAX_INT, MAX_INT) for part in _split(text)],
            "whole numbers separated by commas",
        )

    def get_floats(self, key: str, default: list[float] | None = None) -> list[float]:
        """Numbers, separated by commas."""
        return self._get(
            key,
            default or [],
            lambda text: [_to_float(part.strip(), -math.inf, math.inf) for part in _split(text)],
            "numbers separated by commas",
        )

    def _get(self, key: str, default: T, convert: Callable[[str], T], expected: str) -> T:
        self._read.add(key)
        value = self.values.get(key)
        if value is None:
            return default
        try:
            return convert(value.text)
        except ValueError:
            self.fail(f"{shown(key)}={shown(value.text)}: expected {expected}", key)


def read_sections(path: str | Path) -> list[Section]:
    """The sections of a `.cfg` file, in order. Raises CfgError."""
    return parse_sections(read_text(path), path)


def parse_sections(text: str, path: str | Path = "<text>") -> list[Section]:
    """The sections of a cfg's text; `path` is what errors call it. Raises CfgError."""
    sections: list[Section] = []
    for number, line in meaningful_lines(text):
        if line.startswith("["):
            sections.append(_open_section(line, path, number))
        elif not sections:
            raise CfgError(
                path, number, f"{shown(line)} stands before any section: expected [net] first"
            )
        else:
            _add_line(sections[-1], line, number)
    return sections


def _open_section(line: str, path: str | Path, number: int) -> Section:
    name = line[1:-1].strip()
    if not line.endswith("]") or not name or not name.isprintable() or {"[", "]"} & set(name):
        raise CfgError(path, number, f"{shown(line)}: expected a section like [convolutional]")
    return Section(name, path, number)


def _add_line(section: Section, line: str, number: int) -> None:
    key, equals, text = (part.strip() for part in line.partition("="))
    if not equals or not key:
        raise CfgError(section.path, number, f"{shown(line)}: expected key=value or [section]")
    if not text:
        raise CfgError(section.path, number, f"[{section.name}] {shown(key)}= has no value")
    section.add(key, Value(text, number))


def _to_int(text: str, minimum: int, maximum: int) -> int:
    if not _INT.fullmatch(text) or not minimum <= int(text) <= maximum:
        raise ValueError(text)
    return int(text)


def _to_float(text: str, minimum: float, maximum: float) -> float:
    if not _FLOAT.fullmatch(text):
        raise ValueError(text)
    number = float(text)
    if not math.isfinite(number) or not minimum <= number <= maximum:
        raise ValueError(text)
    return number


def _to_choice(text: str, known: list[str]) -> str:
    if text not in known:
        raise ValueError(text)
    return text


def _split(text: str) -> list[str]:
    return text.removesuffix(",").split(",")


def _range(minimum: float, maximum: float, limit: float) -> str:
    if minimum > -limit and maximum < limit:
        return f" from {minimum:g} to {maximum:g}"
    if minimum > -limit:
        return f" of {minimum:g} or more"
    return f" of at most {maximum:g}" if maximum < limit else ""


def shown(text: str) -> str:
    """A piece of a file, fit for one line of a message."""
    printable = "".join(char if char.isprintable() else "?" for char in text)
    return printable if len(printable) <= 60 else printable[:57] + "..."
