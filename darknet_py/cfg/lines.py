"""The lines of a cfg as the C program reads them, without blanks and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from darknet_py.cfg.numbers import are_decimals

_BLANKS = dict.fromkeys(map(ord, " \t\r"))
_JOINED = re.compile(r"[^=#]*=[^#]*[\w.][ \t\r]+[\w.]")


def cfg_lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Line numbers, from 1, lines as they stand, and without blanks and comments; empty ones left
    out.

    Lines end in LF, before which a CR is a blank; where there is no LF at all, in CR.
    """
    for number, line in enumerate(_split(text, "\n" if "\n" in text else "\r"), start=1):
        bare = line.translate(_BLANKS)
        if bare and bare[0] not in "#;":
            yield number, line, _without_comment(line, bare) if "#" in bare else bare


def _split(text: str, end: str) -> Iterator[str]:
    """As text.split does, but one at a time: millions of lines take more memory than their text."""
    start = 0
    while (stop := text.find(end, start)) >= 0:
        yield text[start:stop]
        start = stop + 1
    yield text[start:]


def joins_two(line: str) -> bool:
    """Whether a value has a blank without which two words or numbers are one: `-1 8` is -18."""
    return _JOINED.match(line) is not None


def _without_comment(line: str, bare: str) -> str:
    """A line without blanks, and without the comment behind a blank where it does not matter.

    Of `size=3 # pixels` the C program makes `size=3#pixels`, which atoi reads as 3: so it may go.
    With `activation=leaky # why` it would make a difference, so there it stays; as it does in
    `layers=-1 # a, b`, where a layer is counted for each comma.
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
    """What stands before the first `#` with a blank before it, without blanks; whether there is
    one; what follows."""
    for blank in (" #", "\t#"):
        head, found, comment = line.partition(blank)
        if found and "#" not in head:
            return head.translate(_BLANKS), True, comment
    return line, False, ""
