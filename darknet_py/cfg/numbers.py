"""Numbers as the C program reads them, with atoi and atof: docs/cfg-reader.md has the rules.

Each function gives what it read, and whether it read the whole text.
"""

from __future__ import annotations

import math
import re

MAX_INT = 2**31 - 1

# \v and \f are blanks to atoi; others a line no longer has
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


def atoi(text: str) -> tuple[int, bool]:
    """The whole number that a text begins with; 0 where it begins with none.

    One that 32 bits do not hold becomes the nearest that they do: what the C program makes of it
    differs between machines.
    """
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
    """The number that a text begins with, which may be 0x1.8p3, inf or nan; 0 where it begins with
    none."""
    match = _FLOAT.match(text)
    if match is None:
        return 0.0, False
    number = _from_hex(match[1]) if match["hex"] else float(match[1])
    return number, match.end() == len(text)


def are_decimals(text: str) -> bool:
    """Whether a text is a decimal number, or some with commas between, and nothing else."""
    return _DECIMALS.fullmatch(text) is not None


def _from_hex(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        return -math.inf if text.startswith("-") else math.inf
