"""`.data` files (key=value lines), names and list files (one entry a line)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from darknet_py.cfg.sections import Section, Value
from darknet_py.cfg.text import meaningful_lines, read_text
from darknet_py.errors import CfgError


@dataclass(frozen=True)
class DataFile:
    """A dataset, as darknet describes one. Paths are as written: see `resources.find_resource`.

    Keys: classes (default 2, as in the C program), train, valid, labels, names (default: what
    labels says), backup (`backup`), top (1).
    """

    path: Path
    classes: int
    train: str | None
    valid: str | None
    labels: str | None
    names: str | None
    backup: str
    top: int
    unread: list[tuple[int, str]]


def read_data(path: str | Path) -> DataFile:
    """Reads a `.data` file. Raises CfgError, with the line."""
    section = Section("data", path, 1)
    for number, line in meaningful_lines(read_text(path)):
        key, equals, text = (part.strip() for part in line.partition("="))
        if not equals or not key or not text:
            raise CfgError(path, number, f"{line[:60]!r}: expected key=value, as in classes=10")
        section.add(key, Value(text, number))
    labels = section.get_text("labels", "") or None
    return DataFile(
        path=Path(path),
        classes=section.get_int("classes", 2, minimum=1),
        train=section.get_text("train", "") or None,
        valid=section.get_text("valid", "") or None,
        labels=labels,
        names=section.get_text("names", "") or labels,
        backup=section.get_text("backup", "backup"),
        top=section.get_int("top", 1, minimum=1),
        unread=section.unread(),
    )


def read_lines(path: str | Path) -> list[str]:
    """The entries of a names or list file: one a line, blanks inside kept. Raises CfgError."""
    return [line for _, line in meaningful_lines(read_text(path))]
