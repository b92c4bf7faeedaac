"""`.data` files (key=value lines), and the names of classes and lists of pictures that they name."""

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
"""The last are a detector's: nobody here asks for them, and they are no slip of the pen."""
_NUMBER = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class DataFile:
    """A dataset, as darknet describes one. Paths are as written: see `resources.find_resource`.

    Keys, in letters of any case: classes (default 2, as in the C program), train, valid, labels,
    names (default: what labels says), backup (`backup`), top (1). notes: what was taken in another
    way than it stands there, or not at all, a line each that begins with file and line.
    """

    path: Path
    classes: int
    train: str | None
    valid: str | None
    labels: str | None
    names: str | None
    backup: str
    top: int
    notes: list[str] = field(default_factory=list)


def read_data(path: str | Path) -> DataFile:
    """Reads a `.data` file as the C program does: of a key that is there twice the first counts, a
    line that is no key is passed over, a number ends where its digits do. A key without a value
    is one that is not there. Raises CfgError, with the line, for a number that is none."""
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
        backup=texts.get("backup", "backup"),
        top=_number(path, values, "top", 1, notes),
        notes=notes,
    )


def is_data_file(path: str | Path) -> bool:
    """Whether a file is a `.data` file by its name, or begins with one of its keys: a list of
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
    """The names of classes in a file of them: line i is class i, from 0.

    As for the C program every line is one, an empty line or one that begins with `#` too; outer
    blanks alone fall away. Raises CfgError for a file that cannot be read.
    """
    return [line for _, line in text_lines(read_text(path))]


def names_text(names: Iterable[str]) -> str:
    """A file of names of classes, from which `read_lines` reads the same. Raises ValueError, with
    what is wrong, for a name that it cannot keep: see `fault_of_name`."""
    lines = list(names)
    for name in lines:
        fault = fault_of_name(name)
        if fault:
            raise ValueError(f"{shown(name)!r} {fault}")
    return "".join(f"{name}\n" for name in lines)


def fault_of_name(name: str) -> str:
    """Why a file of names cannot keep the name of a class; empty where it can."""
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
