"""How the C program reads a cfg, written down as literally as may be, to hold the reader to it.

After read_cfg of parser.c, fgetl and strip of utils.c, read_option and option_find of
option_list.c, and atoi and atof of C. Lines are those of AlexeyAB's program, which takes CRLF.
"""

from __future__ import annotations

from itertools import takewhile
from typing import NamedTuple

DIGITS = "0123456789"


class CSection(NamedTuple):
    type: str
    """With its brackets."""
    options: list[tuple[str, str | None]]

    def find(self, key: str) -> str | None:
        """option_find: of equal keys the first."""
        for name, value in self.options:
            if name == key:
                return value
        return None


def strip(line: str) -> str:
    """Blanks go wherever they stand."""
    return "".join(char for char in line if char not in " \t\r\n")


def read_cfg(text: str) -> list[CSection] | None:
    """The sections; None where the program crashes, at a key before any section."""
    sections: list[CSection] = []
    for raw in text.split("\n"):
        line = strip(raw)
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            sections.append(CSection(line, []))
        elif not sections:
            return None
        else:
            read_option(line, sections[-1].options)
    return sections


def read_option(line: str, options: list[tuple[str, str | None]]) -> None:
    """A line that ends in its first `=` is left out, one without any is a key without a value."""
    at = line.find("=")
    if at == len(line) - 1:
        return
    options.append((line, None) if at < 0 else (line[:at], line[at + 1 :]))


def atoi(text: str) -> int:
    """Digits, and a sign before them."""
    start = text.lstrip("\v\f")
    sign = -1 if start[:1] == "-" else 1
    if start[:1] in ("+", "-"):
        start = start[1:]
    digits = "".join(takewhile(DIGITS.__contains__, start))
    return sign * int(digits or "0")


def atof(text: str) -> float:
    """The longest start that is a number, whatever its spelling."""
    start = text.lstrip("\v\f")
    for length in range(len(start), 0, -1):
        piece = start[:length]
        if "_" in piece or not piece.isascii() or piece != piece.strip():
            continue
        try:
            return float(piece)
        except ValueError:
            pass
        try:
            if "x" in piece.lower():
                return float.fromhex(piece)
        except (ValueError, OverflowError):
            pass
    return 0.0
