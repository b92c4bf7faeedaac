"""Options as dataclass fields, described by metadata: flags, range, default and help in one place.

`cli.options.options_of` makes click's options of a task's dataclass; tasks know no command line."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import keyword
import math
import numbers
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from darknet_py.errors import ArgumentError

F = TypeVar("F", bound=Callable[..., Any])

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


class File:
    """The name of a file."""


class ClashError(ValueError):
    """Options that do not go together."""


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


# The same options as keywords of Python functions.


class Keyword(NamedTuple):
    """Of a function: the dataclass and its field, and what describes it."""

    kind: type[Any]
    field: str
    default: Any
    described: Option


def keywords_of(*kinds: type[Any]) -> dict[str, Keyword]:
    """The options of dataclasses as keywords: `--max-iter` is max_iter, `--class` class_."""
    return {
        _keyword(described.flags): Keyword(kind, field.name, field.default, described)
        for kind in kinds
        for field in dataclasses.fields(kind)
        if (described := field.metadata.get("option")) is not None
    }


def _keyword(flags: tuple[str, ...]) -> str:
    long = next(flag for flag in flags if flag.startswith("--"))
    name = long.split("/")[0].removeprefix("--").replace("-", "_")
    return name + "_" * keyword.iskeyword(name)


def takes(*kinds: type[Any], without: tuple[str, ...] = ()) -> Callable[[F], F]:
    """A decorator for a function of `**options`: what shows its signature or its docstring shows
    these, but for some that it has not."""

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())
        own = [each for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD]
        types = {kind: inspect.get_annotations(kind) for each in kinds for kind in each.__mro__}
        more = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=each.default,
                annotation=next(
                    types[kind][each.field]
                    for kind in each.kind.__mro__
                    if each.field in types[kind]
                ),
            )
            for name, each in keywords_of(*kinds).items()
            if name not in without
        ]
        function.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*own, *more]
        )
        if function.__doc__ is not None:  # there are none with python -OO
            lines = (
                f"- `{name}`: {' '.join(each.described.help.split())}"
                for name, each in keywords_of(*kinds).items()
                if name not in without
            )
            function.__doc__ = "\n".join((inspect.cleandoc(function.__doc__), "", *lines))
        return function

    return decorate


def read_keywords(
    function: str,
    given: Mapping[str, Any],
    *kinds: type[Any],
    own: tuple[str, ...] = (),
    without: tuple[str, ...] = (),
) -> list[Any]:
    """An instance of each dataclass, of the keywords that a function was called with.

    own: its other keywords, which a message may name. without: options that it has not. Raises
    TypeError for a keyword that there is not, naming the nearest, and for a value of another type;
    ArgumentError, which is a ValueError, for one out of its range.
    """
    known = {name: each for name, each in keywords_of(*kinds).items() if name not in without}
    values: dict[type[Any], dict[str, Any]] = {kind: {} for kind in kinds}
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, [*known, *own], 1)
            hint = f": did you mean {near[0]}?" if near else ""
            raise TypeError(f"{function}() has no keyword {name!r}{hint}")
        each = known[name]
        values[each.kind][each.field] = _checked(name, value, each)
    return [kind(**values[kind]) for kind in kinds]


def read_argument(name: str, value: Any, kind: Any, or_none: bool = False) -> Any:
    """A function's own argument, of a kind as an option's. Raises as read_keywords."""
    if value is None and or_none:
        return None
    return _checked(name, value, Keyword(object, name, ..., Option((), "", kind)))


def check_function(name: str, value: Any) -> None:
    """Raises TypeError for what is neither None nor can be called."""
    if value is not None and not callable(value):
        raise TypeError(f"{name}: expected a function, found {value!r:.80}")


def _checked(name: str, value: Any, option: Keyword) -> Any:
    """The value as the dataclass has it."""
    kind, check = option.described.kind, option.described.check
    if value is None and option.default is None:
        return None
    if check is not None and isinstance(value, list | tuple):
        value = ",".join(map(str, value))
    expected, is_right = _expected(kind, value)
    if not is_right:
        found = type(value).__name__
        raise TypeError(f"{name}: expected {expected}, found {value!r:.80} ({found})")
    if isinstance(kind, Whole):
        value = int(value)
    elif isinstance(kind, Real):
        value = float(value) if not isinstance(value, int) else value
    if isinstance(kind, Whole | Real) and not _is_within(kind, value):
        raise ArgumentError(f"{name}={value}: expected {_range(kind)}")
    if isinstance(kind, Word) and value not in kind.words:
        raise ArgumentError(f"{name}={value}: expected one of {', '.join(kind.words)}")
    if isinstance(kind, Flag):
        return bool(value)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if check is not None:
        try:
            return check(value)
        except ValueError as error:
            raise ArgumentError(f"{name}={value}: {error}") from error
    return value


def _expected(kind: Any, value: Any) -> tuple[str, bool]:
    """What the type of an option's values is, in words, and whether it is a value's."""
    is_flag = isinstance(value, bool) or type(value).__name__ == "bool"  # numpy's, too
    if isinstance(kind, Flag):
        return "True or False", is_flag
    if isinstance(kind, Whole):
        return "a whole number", isinstance(value, numbers.Integral) and not is_flag
    if isinstance(kind, Real):
        return "a number", isinstance(value, numbers.Real) and not is_flag
    if isinstance(kind, Word):
        return "a word", isinstance(value, str)
    if isinstance(kind, Folder | File):
        return "a path", isinstance(value, str | os.PathLike)
    return "text", isinstance(value, str | os.PathLike)


def _is_within(kind: Whole | Real, value: float) -> bool:
    least = -math.inf if kind.least is None else kind.least
    most = math.inf if kind.most is None else kind.most
    if isinstance(kind, Real):
        low = least < value if kind.least_open else least <= value
        high = value < most if kind.most_open else value <= most
        return low and high and math.isfinite(value)
    return least <= value <= most


def _range(kind: Whole | Real) -> str:
    least_open = isinstance(kind, Real) and kind.least_open
    most_open = isinstance(kind, Real) and kind.most_open
    parts = []
    if kind.least is not None:
        parts.append(f"above {kind.least:g}" if least_open else f"{kind.least:g} or more")
    if kind.most is not None:
        parts.append(f"below {kind.most:g}" if most_open else f"at most {kind.most:g}")
    return " and ".join(parts) or "a finite number"
