"""Options as dataclass fields, described by metadata: flags, range, default and help in one place.

`cli.options.options_of` makes click's options of a task's dataclass; tasks know no command line."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_WHOLE = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_REAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e[+-]?[0-9]{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`; None: any."""

    least: int | None = None
    most: int | None = None

    def read(self, text: str) -> int:
        """Raises ValueError, as do the others, with what was expected."""
        least, most = self.least or 0, 10**20 if self.most is None else self.most
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            raise ValueError(f"expected a whole number from {least} to {most:,}")
        return int(text)


@dataclass(frozen=True)
class Real:
    """A finite number from `least` to `most`, each of which may be open: not itself in the
    range."""

    least: float | None = None
    most: float | None = None
    least_open: bool = False
    most_open: bool = False

    def read(self, text: str) -> float:
        number = float(text) if _REAL.fullmatch(text) else float("nan")
        least, most = (-1e300 if self.least is None else self.least), (self.most or 0)
        low = least < number if self.least_open else least <= number
        high = number < most if self.most_open else number <= most
        if not (low and high):
            raise ValueError(f"expected a number from {least:g} to {most:g}")
        return number


@dataclass(frozen=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]

    def read(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(f"expected {' or '.join(self.words)}")
        return text


class Flag:
    """Given or not."""


class Folder:
    """The name of a folder, there or not."""


@dataclass(frozen=True)
class Option:
    """Metadata of a field. kind: the type of the value; None: text. metavar: its name in help.
    shown: the default in help; True: as it is. check: converts the text, or raises ValueError with
    what was expected."""

    flags: tuple[str, ...]
    help: str
    kind: Any = None
    metavar: str | None = None
    shown: bool | str | None = None
    check: Callable[[str], Any] | None = None


def option(default: Any, *flags: str, help: str, kind: Any = None, **more: Any) -> Any:  # noqa: A002
    """A field of a dataclass that is an option: see Option."""
    described = Option(flags, help, kind, **more)
    return dataclasses.field(default=default, metadata={"option": described})


def options_in(kind: type[Any]) -> dict[str, Option]:
    """The options of a dataclass, by the names of its fields."""
    found = {field.name: field.metadata.get("option") for field in dataclasses.fields(kind)}
    return {name: each for name, each in found.items() if each is not None}
