"""Text output: counts, JSON, CSV, and escaping of untrusted text.

Names of files and classes, keys and values of a cfg, messages of libraries may contain control
characters, line ends or invisible characters. `one_line` alone escapes them; every error, and all
that the command line prints, goes through it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
from collections.abc import Iterable

_UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0))))
)
"""Printable by Unicode, and invisible on a screen. U+FE0E and U+FE0F, which select text or emoji,
are part of names."""
_BLANK = r"\s\0-\x1f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_FORMULA = re.compile(rf"[{_BLANK}']*[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n]")
"""The start of a cell that a spreadsheet computes, or takes for an escaped one: blanks and
invisible characters, which a reader may drop, then one of these, full-width forms included."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def counted(count: int, noun: str, plural: str = "") -> str:
    """ "1 picture", "3 pictures", "1,200 pictures"; plural: where it is not the noun and an s."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def one_line(text: str | os.PathLike[str]) -> str:
    """Any text as one line that can be shown: printable, and in Unicode.

    Controls (C0, DEL, C1), line ends, bidirectional and zero-width marks, bytes that are no UTF-8
    and lone surrogates are escaped as in Python's source: \\n, \\x1b, \\u202e. Idempotent.
    """
    text = os.fspath(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_shown(c) else ascii(c)[1:-1] for c in legible(text))


def _is_shown(character: str) -> bool:
    return character.isprintable() and character not in _UNSEEN


def legible(name: str | os.PathLike[str]) -> str:
    """The name (or any text) without surrogate escapes, so that it can be encoded in UTF-8: bytes
    that are UTF-8 after all (in the C locale) are decoded, others escaped, as in caf\\xe9."""
    text = os.fspath(name)
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # Half a pair that stands for no byte.
        return text.encode("utf-8", "backslashreplace").decode()


def joined_bytes(text: str) -> str:
    """Text whose surrogate escapes are decoded where they are UTF-8, as in the C locale. Others
    stay."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text


def shell_words(words: Iterable[str]) -> str:
    """A command that a shell splits into these words, on one printable line: what `one_line` would
    escape is quoted as $'...', byte by byte, for bash, ksh and zsh."""
    return " ".join(map(_shell_word, words))


def _shell_word(word: str) -> str:
    if all(map(_is_shown, word)):
        return shlex.quote(word)
    return "$'" + "".join(map(_shell_letter, joined_bytes(word))) + "'"


def _shell_letter(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if _is_shown(character):
        return character
    how = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", how))


def as_json(document: object, indent: int | None = None) -> str:
    """A document as JSON, valid and safe for terminals whatever file names it holds.

    What `one_line` escapes is escaped; a byte of a name that is not UTF-8 as a surrogate, such as
    \\udcff, which round-trips in Python. Raises ValueError for a number that is not finite.
    """
    text = joined_bytes(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent))
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(c if c == "\n" or _is_shown(c) else json.dumps(c)[1:-1] for c in text)


def csv_row(cells: Iterable[object]) -> str:
    """A row of a CSV table with the end of its line, quoted as CSV needs (RFC 4180, but LF).

    A text that a spreadsheet would take for a formula, by its start (= + - @, tab, line end), gets
    an apostrophe before it, a path (os.PathLike) ./, which names the same file. Numbers, and texts
    that are numbers, stay.
    """
    row = io.StringIO()
    # by its default end, CRLF, as csv quotes what has a part of it
    csv.writer(row).writerow(map(_defused, cells))
    return row.getvalue().removesuffix("\r\n") + "\n"


def _defused(cell: object) -> object:
    if not isinstance(cell, (str, os.PathLike)):
        return cell
    text = str(os.fspath(cell))
    if not _FORMULA.match(text) or _NUMBER.fullmatch(text):
        return text
    return f"./{text}" if isinstance(cell, os.PathLike) else f"'{text}"
