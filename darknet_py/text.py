"""Text that people and programs read: counts, JSON, CSV, and how text from outside is shown.

Names of files and classes, keys and values of a cfg, what libraries say of a picture: all of it may
hold what drives a terminal, ends a line, or hides what stands there. `one_line` alone decides how
such text is shown; every error, and everything that the command line prints, goes through it.
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
"""Printable by Unicode, and blank or nothing on a screen. U+FE0E and U+FE0F, which choose between a
sign and its picture, are part of how names are written."""
_BLANK = r"\s\0-\x1f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_FORMULA = re.compile(rf"[{_BLANK}']*[=+\-@\uff1d\uff0b\uff0d\uff20]|'*[\t\r\n]")
"""How a cell begins that a spreadsheet computes, or takes for one that was defused: blanks and what
nobody sees, which a reader may drop, and then one of these, also as wide as in Chinese."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def counted(count: int, noun: str, plural: str = "") -> str:
    """ "1 picture", "3 pictures", "1,200 pictures"; plural: where it is not the noun and an s."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def one_line(text: str | os.PathLike[str]) -> str:
    """Any text as one line that can be shown: printable, and in Unicode.

    Controls (C0, DEL, C1), ends of lines, marks that turn or hide text (bidi, of no width), bytes
    that are no UTF-8 and halves of surrogate pairs are spelled out as in Python's source: \\n,
    \\x1b, \\u202e. What is spelled out once stays as it is.
    """
    text = os.fspath(text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_shown(c) else ascii(c)[1:-1] for c in legible(text))


def _is_shown(character: str) -> bool:
    return character.isprintable() and character not in _UNSEEN


def legible(name: str | os.PathLike[str]) -> str:
    """The name (or any text) without the stand-ins that Python keeps for bytes it cannot read.

    Bytes that are UTF-8 after all (the C locale takes them one by one) are read as that, others
    are spelled out, as in caf\\xe9. What this returns can be written to any UTF-8 file.
    """
    text = os.fspath(name)
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # Half a pair that stands for no byte.
        return text.encode("utf-8", "backslashreplace").decode()


def joined_bytes(text: str) -> str:
    """Text in which bytes of a file name that Python could not decode (surrogates) are characters
    where they are UTF-8 after all, as they are in the C locale. The others stay."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text


def shell_words(words: Iterable[str]) -> str:
    """A command that a shell reads as these words, on one line that can be shown: what `one_line`
    would spell out stands in $'...', byte by byte, as bash, ksh and zsh read it."""
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
    """A document as JSON: readable, and valid whatever names of files it holds; nothing in it
    drives a terminal or ends a line of another.

    What `one_line` spells out is escaped; a byte of a name that is no UTF-8 as a surrogate, such as
    \\udcff, which Python reads back as it was. Raises ValueError for a number that is not finite,
    which JSON has not: who writes one says null instead, or refuses before.
    """
    text = joined_bytes(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent))
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(c if c == "\n" or _is_shown(c) else json.dumps(c)[1:-1] for c in text)


def csv_row(cells: Iterable[object]) -> str:
    """A row of a CSV table with the end of its line, quoted as CSV needs (RFC 4180, but LF).

    A text that a spreadsheet would compute, as it begins with = + - @, a tab or the end of a line,
    gets an apostrophe before it, a path (os.PathLike) ./, which names the same file. Numbers, and
    texts that are numbers, stay.
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
