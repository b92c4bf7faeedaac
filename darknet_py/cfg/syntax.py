"""Lines and numbers of a cfg as the C program reads them: docs/cfg-reader.md has the rules."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

MAX_INT = 2**31 - 1

# \v and \f are blanks to atoi; other blanks have been removed
_INT = re.compile(r"[\v\f]*([+-]?)([0-9]+)", re.ASCII)
_FLOAT = re.compile(
    r"[\v\f]*([+-]?(?:"
    r"(?P<hex>0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?[0-9]+)?)|"
    r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|"
    r"inf(?:inity)?|nan))",
    re.ASCII | re.IGNORECASE,
)
_DECIMAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_DECIMALS = re.compile(rf"{_DECIMAL}(?:,{_DECIMAL})*", re.ASCII)
_BLANKS = dict.fromkeys(map(ord, " \t\r"))
_JOINED = re.compile(r"[^=#]*=[^#]*[\w.][ \t\r]+[\w.]")


def atoi(text: str) -> tuple[int, bool]:
    """The integer at the start of a text, 0 if there is none, and whether it is all of the text.
    It saturates at 32 bits, where the C program's result depends on the machine."""
    match = _INT.match(text)
    if match is None:
        return 0, False
    digits = match[2].lstrip("0") or "0"
    # Python refuses to read thousands of digits
    size = int(digits) if len(digits) <= 10 else MAX_INT + 2
    number = -size if match[1] == "-" else size
    held = max(-MAX_INT - 1, min(number, MAX_INT))
    return held, held == number and match.end() == len(text)


def atof(text: str) -> tuple[float, bool]:
    """The same for any number, which may be 0x1.8p3, inf or nan."""
    match = _FLOAT.match(text)
    if match is None:
        return 0.0, False
    number = _from_hex(match[1]) if match["hex"] else float(match[1])
    return number, match.end() == len(text)


def are_decimals(text: str) -> bool:
    """Whether a text is a decimal number, or a comma-separated list of them."""
    return _DECIMALS.fullmatch(text) is not None


def _from_hex(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf


def cfg_lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Line numbers, from 1, raw lines, and lines without blanks and comments; empty ones left out.
    Lines end in LF, before which a CR is a blank; where there is no LF at all, in CR."""
    for number, line in enumerate(_split(text, "\n" if "\n" in text else "\r"), start=1):
        bare = line.translate(_BLANKS)
        if bare and bare[0] not in "#;":
            yield number, line, _without_comment(line, bare) if "#" in bare else bare


def _split(text: str, end: str) -> Iterator[str]:
    """A lazy text.split: millions of lines take more memory than their text."""
    start = 0
    while (stop := text.find(end, start)) >= 0:
        yield text[start:stop]
        start = stop + 1
    yield text[start:]


def joins_two(line: str) -> bool:
    """Whether a value has a blank without which two words or numbers are one: `-1 8` is -18."""
    return _JOINED.match(line) is not None


def _without_comment(line: str, bare: str) -> str:
    """A line without blanks, and without a comment behind a blank where it has no effect.

    The C program reads `size=3 # pixels` as `size=3#pixels`, which is 3 to atoi. The comment stays
    in `activation=leaky # why`, and in `layers=-1 # a, b`, where a layer is counted for each comma.
    """
    head, blank_and_comment, comment = _cut(line)
    if not blank_and_comment:
        return bare
    if head.startswith("["):
        return head
    key, _, value = head.partition("=")
    matters = not are_decimals(value) or (key == "layers" and "," in comment)
    return bare if matters else head


def _cut(line: str) -> tuple[str, bool, str]:
    """The text before the first `#` after a blank, without blanks; whether there is one; the
    comment."""
    for blank in (" #", "\t#"):
        head, found, comment = line.partition(blank)
        if found and "#" not in head:
            return head.translate(_BLANKS), True, comment
    return line, False, ""
