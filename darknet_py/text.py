"""Text that people and programs read: counts, and JSON."""

from __future__ import annotations

import json
import re


def counted(count: int, noun: str, plural: str = "") -> str:
    """ "1 picture", "3 pictures", "1,200 pictures"; plural: where it is not the noun and an s."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def joined_bytes(text: str) -> str:
    """Text in which bytes of a file name that Python could not decode (surrogates) are characters
    where they are UTF-8 after all, as they are in the C locale. The others stay."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return text


def as_json(document: object, indent: int | None = None) -> str:
    """A document as JSON: readable, and valid whatever names of files it holds.

    A byte of a name that is no UTF-8 becomes an escaped surrogate, such as \\udcff, which Python
    reads back as it was. Raises ValueError for a number that is not finite, which JSON has not:
    who writes one says null instead, or refuses before.
    """
    text = joined_bytes(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent))
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)
