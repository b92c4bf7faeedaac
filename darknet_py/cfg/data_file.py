"""`.data` files (key=value lines), names of classes and lists of pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from darknet_py.cfg.sections import MAX_INT, shown
from darknet_py.cfg.text import listed_lines, meaningful_lines, read_text, text_lines
from darknet_py.errors import CfgError

_KEYS = ("classes", "train", "valid", "labels", "names", "backup", "top")
_KNOWN = (*_KEYS, "eval", "results", "map", "difficult", "test")
"""The last are a detector's: known, but not used here."""
_NUMBER = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class DataFile:
    """A dataset, as darknet describes one. Paths are as written: see `resources.find_resource`.

    Keys, in any case: classes (default 2, as in the C program), train, valid, labels, names (by
    default labels), backup (`backup`), top (1). notes: warnings on lines that were reinterpreted
    or ignored, each beginning with file and line.
    """

    path: Path
    classes: int
    train: str | None
    valid: str | None
    labels: str | None
    names: str | None
    backup: str | None
    top: int
    notes: list[str] = field(default_factory=list)


def read_data(path: str | Path) -> DataFile:
    """Reads a `.data` file as the C program does: the first of two equal keys counts, a line that
    is no key=value is ignored, and so is a key without a value, a number ends with its digits.
    Raises CfgError, with the line, for a value that is no number."""
    values: dict[str, tuple[int, str]] = {}
    notes: list[str] = []
    for number, line in meaningful_lines(read_text(path)):
        key, equals, text = (part.strip() for part in line.partition("="))
        key = key.lower()
        if not equals or not key:
            expected = "expected key=value, as in classes=10"
            notes.append(f"{path}:{number}: {shown(line)} is passed over: {expected}")
        elif key in values:
            notes.append(
                f"{path}:{number}: {shown(key)}= is given twice: the first counts, "
                f"{shown(values[key][1])}"
            )
        elif key not in _KNOWN:
            notes.append(f"{path}:{number}: {shown(key)}= is a key that nobody reads")
        elif text:
            values[key] = number, text
    texts = {key: text for key, (_, text) in values.items()}
    return DataFile(
        path=Path(path),
        classes=_number(path, values, "classes", 2, notes),
        train=texts.get("train"),
        valid=texts.get("valid"),
        labels=texts.get("labels"),
        names=texts.get("names") or texts.get("labels"),
        backup=texts.get("backup"),
        top=_number(path, values, "top", 1, notes),
        notes=notes,
    )


def is_data_file(path: str | Path) -> bool:
    """Whether a file is a `.data` file by its name, or begins with one of its keys, as a list of
    pictures does not. False for what is no text, too."""
    if Path(path).suffix.lower() == ".data":
        return True
    try:
        line = next(meaningful_lines(read_text(path)), (0, ""))[1]
    except CfgError:
        return False
    key, equals, _ = line.partition("=")
    return bool(equals) and key.strip().lower() in _KNOWN


def _number(
    path: str | Path, values: dict[str, tuple[int, str]], key: str, default: int, notes: list[str]
) -> int:
    if key not in values:
        return default
    line, text = values[key]
    found = _NUMBER.match(text)
    if found is None or not 1 <= int(found[0][:12]) <= MAX_INT:
        expected = "expected a whole number of 1 or more"
        raise CfgError(path, line, f"{key}={shown(text)}: {expected}")
    if found[0] != text:
        notes.append(f"{path}:{line}: {key}={shown(text)} is taken as {found[0]}")
    return int(found[0])


def read_lines(path: str | Path) -> list[str]:
    """The class names in a file: line i is class i, from 0, as for the C program also if it is
    empty or begins with `#`; outer blanks are stripped. Raises CfgError for a file that cannot be
    read."""
    return [line for _, line in text_lines(read_text(path))]


def names_text(names: Iterable[str]) -> str:
    """The text of a file of class names, the inverse of `read_lines`. Raises ValueError for a name
    that it cannot hold: see `fault_of_name`."""
    lines = list(names)
    for name in lines:
        fault = fault_of_name(name)
        if fault:
            raise ValueError(f"{shown(name)!r} {fault}")
    return "".join(f"{name}\n" for name in lines)


def fault_of_name(name: str) -> str:
    """Why a file of names cannot hold a class name; empty where it can."""
    if "\n" in name or "\r" in name:
        return "has the end of a line in it"
    if name != name.strip() or name.startswith("\ufeff"):
        return "begins or ends with a blank"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "is not in UTF-8"
    return ""


def read_list(path: str | Path) -> list[tuple[int, str]]:
    """The entries of a list of pictures, and the number of each line: see `listed_lines`. Bytes
    that are no UTF-8 stay as they are in names of files. Raises CfgError."""
    return list(listed_lines(read_text(path, "surrogateescape")))
