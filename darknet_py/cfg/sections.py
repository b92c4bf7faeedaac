"""A `.cfg` file as sections, with the file and line of every value, read as the C program does.

`[name]` opens a section, `key=value` adds to it, blanks anywhere are ignored, `#` and `;` at the
start of a line begin comments. What the C program accepts is accepted: a number ends with its
digits, the first of two equal keys counts, a line that is no key=value is ignored; each with a
warning. docs/cfg-reader.md has all the rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

from darknet_py.cfg.syntax import MAX_INT as MAX_INT
from darknet_py.cfg.syntax import atof, atoi, cfg_lines, joins_two
from darknet_py.cfg.text import read_text
from darknet_py.errors import CfgError
from darknet_py.text import one_line

N = TypeVar("N", int, float)

MAX_BYTES = 16 << 20
MAX_LINES = 1_000_000
MAX_LINE = 1 << 20
MAX_SECTIONS = 100_000
"""Limits of a cfg, all of which is kept in memory. A line: in characters."""


@dataclass(frozen=True, slots=True)
class Value:
    """The text behind `key=`, without blanks, and its line."""

    text: str
    line: int


class Section:
    """One `[name]` with its keys. The getters convert as the C program does, check, warn where a
    value is read otherwise than written, and record which keys were read.

    Every getter raises CfgError, naming file, line, key and what was expected, for an invalid
    value. With training=True, for values that only matter there, it warns instead and returns the
    nearest valid value, and `check_trainable` raises the error.
    """

    def __init__(self, name: str, path: str | Path, line: int) -> None:
        self.name = name
        self.path = path
        self.line = line
        self._shown = f"[{shown(name)}]"
        self.values: dict[str, Value] = {}
        self._alone: dict[str, int] = {}
        """Lines with a key alone: to the C program a key without a value."""
        self._passed_over: list[int] = []
        self._read: set[str] = set()
        self._warnings: dict[tuple[int, str], None] = {}
        self._faults: dict[tuple[int, str], None] = {}

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def add(self, key: str, value: Value) -> None:
        """Adds a key. The first of two counts, with a warning where the second says otherwise."""
        first = self.values.get(key)
        if first is not None:
            if first.text != value.text:
                self.warn(
                    f"{shown(key)}={shown(value.text)} does not count: "
                    f"{shown(key)}={shown(first.text)} on line {first.line} comes first",
                    value.line,
                )
        elif key in self._alone:
            self.warn(
                f"{shown(key)}={shown(value.text)} does not count: {shown(key)} on line "
                f"{self._alone[key]} comes first, and has no value",
                value.line,
            )
        else:
            self.values[key] = value

    def add_line(self, line: str, number: int) -> None:
        """Adds a line without blanks, `key=value`, or warns that it is not one."""
        key, equals, text = line.partition("=")
        if equals and key and text:
            self.add(key, Value(text, number))
            return
        if not equals:
            self._alone.setdefault(key, number)
        lacks = "has no value" if equals and key else "is no key=value"
        self.warn(f"{shown(line)} {lacks}: passed over", number)
        self._passed_over.append(number)

    def fail(self, message: str, key: str | None = None) -> NoReturn:
        """Raises CfgError at the line of `key`, or at the section's where it has none."""
        if key is None and self._passed_over:
            message += f" (line {self._passed_over[0]} is no key=value, and was passed over)"
        raise CfgError(self.path, self._line_of(key), f"{self._shown} {message}")

    def warn(self, message: str, at: int | str | None = None) -> None:
        """Adds a warning at a line, or at that of a key, or at the section's."""
        line = at if isinstance(at, int) else self._line_of(at)
        self._warnings[line, f"{self._shown} {message}"] = None

    def fail_in_training(self, message: str, key: str | None = None) -> None:
        """Adds a warning, which `check_trainable` makes an error."""
        self.warn(f"{message}: it cannot be trained", key)
        self._faults[self._line_of(key), f"{self._shown} {message}"] = None

    def check_trainable(self) -> None:
        """Raises CfgError for the first value that was wrong for training alone."""
        for line, message in self._faults:
            raise CfgError(self.path, line, message)

    def warnings(self) -> list[tuple[int, str]]:
        """(line, message) of what was read otherwise than written so far, and of unread keys."""
        unread = [(line, f"{self._shown} {shown(key)}= is not used") for line, key in self.unread()]
        return sorted([*self._warnings, *unread], key=lambda warning: warning[0])

    def unread(self) -> list[tuple[int, str]]:
        """(line, key) of each key that no getter has read."""
        return [(v.line, key) for key, v in self.values.items() if key not in self._read]

    def is_read(self, key: str) -> bool:
        """Whether a getter has read a key, or `skip` has marked it."""
        return key in self._read

    def skip(self, keys: Iterable[str]) -> None:
        """Marks keys as read: known, and not used."""
        self._read.update(keys)

    def get_text(self, key: str, default: str) -> str:
        """The value without blanks."""
        value = self._ask(key, default)
        return value.text if value else default

    def get_int(
        self,
        key: str,
        default: int,
        *,
        minimum: int = -MAX_INT,
        maximum: int = MAX_INT,
        training: bool = False,
    ) -> int:
        """A whole number from `minimum` to `maximum`. The default is not checked."""
        expected = f"a whole number{_range(minimum, maximum, MAX_INT)}"
        return self._number(key, default, atoi, (minimum, maximum), expected, training)

    def get_float(
        self,
        key: str,
        default: float,
        *,
        minimum: float = -math.inf,
        maximum: float = math.inf,
        training: bool = False,
    ) -> float:
        """A finite number from `minimum` to `maximum`. The default is not checked."""
        expected = f"a number{_range(minimum, maximum, math.inf)}"
        return self._number(key, default, atof, (minimum, maximum), expected, training)

    def get_flag(self, key: str, default: bool = False, *, meaning: str = "1") -> bool:
        """Whether the value is not 0; meaning: for a warning on other values than 0 and 1."""
        value = self._ask(key, default)
        if value is None:
            return default
        number, whole = atoi(value.text)
        if not whole or number not in (0, 1):
            self._warn_read(key, meaning if number else "0")
        return number != 0

    def get_choice(
        self,
        key: str,
        default: str,
        choices: Iterable[str],
        *,
        fallback: str | None = None,
        training: bool = False,
    ) -> str:
        """One of the words in `choices`. With a fallback any other is that, with a warning."""
        text = self.get_text(key, default)
        if key not in self.values or text in choices:
            return text
        expected = f"expected one of {', '.join(sorted(choices))}"
        if fallback is not None:
            self.warn(f"{key}={shown(text)} is unknown and read as {fallback}: {expected}", key)
            return fallback
        self._refuse(f"{key}={shown(text)}: {expected}", key, training)
        return default

    def get_ints(
        self, key: str, default: list[int] | None = None, *, comment: bool = False
    ) -> list[int]:
        """Whole numbers, one more than there are commas: `1,` are 1 and 0. With comment=True a
        `#` ends them."""
        return self._numbers(key, default, atoi, comment)

    def get_floats(
        self,
        key: str,
        default: list[float] | None = None,
        *,
        comment: bool = False,
        training: bool = False,
    ) -> list[float]:
        """Finite numbers, as get_ints reads whole ones; with training=True [] for others."""
        found = self._numbers(key, default, atof, comment)
        if all(map(math.isfinite, found)):
            return found
        text = shown(self.values[key].text)
        self._refuse(f"{shown(key)}={text}: expected numbers separated by commas", key, training)
        return []

    def _ask(self, key: str, default: object) -> Value | None:
        """The value, if any; every getter reads its key here."""
        self._read.add(key)
        return self.values.get(key)

    def _number(
        self,
        key: str,
        default: N,
        read: Callable[[str], tuple[N, bool]],
        limits: tuple[N, N],
        expected: str,
        training: bool,
    ) -> N:
        value = self._ask(key, default)
        if value is None:
            return default
        text = value.text
        number, whole = read(text)
        minimum, maximum = limits
        if not math.isfinite(number) or not minimum <= number <= maximum:
            self._refuse(f"{shown(key)}={shown(text)}: expected {expected}", key, training)
            return default if not math.isfinite(number) else max(minimum, min(number, maximum))
        if not whole:
            self._warn_read(key, _number_text(number))
        return number

    def _numbers(
        self,
        key: str,
        default: list[N] | None,
        read: Callable[[str], tuple[N, bool]],
        comment: bool,
    ) -> list[N]:
        value = self._ask(key, list(default or []))
        if value is None:
            return list(default or [])
        text = value.text
        listed = text.partition("#")[0] if comment else text
        found = [read(part) for part in listed.split(",")]
        numbers = [number for number, _ in found]
        if listed != text or not all(whole for _, whole in found):
            self._warn_read(key, ",".join(map(_number_text, numbers)))
        return numbers

    def _refuse(self, message: str, key: str, training: bool) -> None:
        if not training:
            self.fail(message, key)
        self.fail_in_training(message, key)

    def _warn_read(self, key: str, as_: str) -> None:
        self.warn(f"{shown(key)}={shown(self.values[key].text)} is read as {shown(as_)}", key)

    def _line_of(self, key: str | None) -> int:
        value = self.values.get(key) if key else None
        return value.line if value else self.line


def read_sections(path: str | Path) -> list[Section]:
    """The sections of a `.cfg` file, in order. Raises CfgError."""
    text = read_text(path, "surrogateescape", MAX_BYTES)
    try:
        text.encode()
    except UnicodeEncodeError:
        # not UTF-8, most often in comments; the C program reads bytes, as does latin-1
        text = text.encode("utf-8", "surrogateescape").decode("latin-1")
    return parse_sections(text, path)


def parse_sections(text: str, path: str | Path = "<text>") -> list[Section]:
    """The sections of a cfg's text; `path` is what errors call it. Raises CfgError."""
    sections: list[Section] = []
    for number, raw, line in cfg_lines(text):
        if number > MAX_LINES:
            raise CfgError(path, None, f"has more than {MAX_LINES:,} lines: is it a cfg?")
        if len(raw) > MAX_LINE:
            message = f"is longer than {MAX_LINE:,} letters: is this a cfg?"
            raise CfgError(path, number, message)
        if line.startswith("["):
            if len(sections) == MAX_SECTIONS:
                message = f"has more than {MAX_SECTIONS:,} sections: is it a cfg?"
                raise CfgError(path, number, message)
            sections.append(_open_section(line, path, number))
        elif not sections:
            raise CfgError(
                path, number, f"{shown(line)} stands before any section: expected [net] first"
            )
        else:
            sections[-1].add_line(line, number)
            if joins_two(raw):
                sections[-1].warn(f"{shown(raw.strip())} is read as {shown(line)}", number)
    return sections


def _open_section(line: str, path: str | Path, number: int) -> Section:
    name = line[1:-1]
    if not line.endswith("]") or not name or not name.isprintable() or {"[", "]"} & set(name):
        raise CfgError(path, number, f"{shown(line)}: expected a section like [convolutional]")
    return Section(name, path, number)


def _number_text(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"


def _range(minimum: float, maximum: float, limit: float) -> str:
    if minimum > -limit and maximum < limit:
        return f" from {minimum:g} to {maximum:g}"
    if minimum > -limit:
        return f" of {minimum:g} or more"
    return f" of at most {maximum:g}" if maximum < limit else ""


def shown(text: str) -> str:
    """A piece of a file, shortened and escaped for one line of a message."""
    printable = one_line(text[:61])
    return printable if len(printable) <= 60 else printable[:57] + "..."
