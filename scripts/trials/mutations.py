"""Damage that text and bytes may take, by malice or by accident."""

from __future__ import annotations

from random import Random

from scripts.trials.trial import Failed

NUMBERS = (
    *("0", "1", "2", "3", "5", "8", "16", "-1", "-2", "-0", "+1", "--1", "1.5", ".5", "-.5"),
    *("255", "256", "65535", "65536", "1000000", "2147483647", "2147483648", "-2147483648"),
    *("4294967296", "9223372036854775807", "9223372036854775808", "99999999999999999999"),
    *("1e3", "1e9", "1e38", "1e39", "1e308", "1e309", "-1e309", "1e-45", "1e-400", "1e999999999"),
    *("nan", "-nan", "NaN", "inf", "-inf", "infinity", "0x10", "0x1p-3", "0x1p99999", "0b1", "0o7"),
    *("1_000", "1,000", "1 000", "1e", "e1", "1.2.3", "1..2", "\u0663", "\uff11\uff12", "\u00b2"),
    *("\u00bd", "1\u00a0", "\v1", "\f2", "1,2", "1,", ",1", ",,,", "-1,-2", "1,1,1,1,1,1", "0,0"),
    *("1;2", "1#2", "1 # 2", "1//2", "-1,0,1", "0.1,0.1"),
)
"""Numbers, and what some reader might take for one."""
WORDS = (
    *("", " ", "=", "==", "a=b", "[", "]", "[]", "[net]", "#", ";", "%s%n%d", "{0}", "${HOME}"),
    *("`id`", "../../../../etc/passwd", "/dev/zero", "/dev/null", "~", "C:\\a\\b", "-", "--help"),
    *("None", "true", "=1+1", "@SUM(A1)", "+1", "-1", "\x00", "\x07", "\x1b[31m", "\x1b]0;a\x07"),
    *("\r", "\t", "\v", "\f", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\u00e9", "e\u0301"),
    *("\u65e5\u672c\u8a9e", "\U0001f40d", "\U0010ffff"),
)
"""Text that some reader, terminal or spreadsheet might take for an order."""
ENCODINGS = (
    *("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-7"),
)
ENDS = ("\n", "\r\n", "\r", "\n\n", "\n\r", "\u2028", "\x0b", "")

_LONG = 10_000


def number(random: Random) -> str:
    """A number that is likely none of the usual ones."""
    kind = random.random()
    if kind < 0.6:
        return random.choice(NUMBERS)
    if kind < 0.8:
        return str(random.randint(-3, 40))
    if kind < 0.9:
        return str(random.randint(-(2**33), 2**33))
    if kind < 0.98:
        return repr(random.uniform(-2, 2) * 10 ** random.randint(-40, 40))
    return random.choice("0123456789") * random.choice([20, 400, 5000])


def word(random: Random) -> str:
    """Text that is likely none of the usual."""
    kind = random.random()
    if kind < 0.6:
        return random.choice(WORDS)
    if kind < 0.98:
        return "".join(chr(random.choice(_CODES)) for _ in range(random.randint(1, 12)))
    return random.choice("a[=,#. é") * _LONG


_CODES = [*range(1, 0x180), 0x301, 0x3000, 0xFEFF, 0xFFFD, 0x1F600]


def mangle_lines(random: Random, lines: list[str]) -> list[str]:
    """Lines that went missing, came twice, changed places, were cut, joined or replaced."""
    lines = list(lines)
    for _ in range(random.choice([1, 1, 1, 2, 3, 8])):
        at = random.randrange(len(lines) + 1)
        what = random.randrange(7)
        if what == 0:
            del lines[at : at + random.choice([1, 1, 1, 5])]
        elif what == 1:
            lines[at:at] = lines[at : at + random.choice([1, 1, 4])] * random.choice([1, 1, 3])
        elif what == 2:
            other = random.randrange(len(lines) + 1)
            lines[other:other] = [lines.pop(at)] if at < len(lines) else []
        elif what == 3 and at < len(lines):
            lines[at] = lines[at][: random.randrange(len(lines[at]) + 1)]
        elif what == 4:
            lines[at : at + 2] = ["".join(lines[at : at + 2])]
        elif what == 5:
            lines.insert(at, word(random))
        elif at < len(lines):
            place = random.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + word(random) + lines[at][place:]
    return lines


def encode(random: Random, lines: list[str]) -> bytes:
    """Lines as a file: mostly as a careful program writes them."""
    kind = random.random()
    end = "\n" if kind < 0.8 else random.choice(ENDS)
    text = end.join([*lines, ""] if random.random() < 0.9 else lines)
    if kind < 0.9:
        return text.encode("utf-8", "surrogateescape")
    return text.encode(random.choice(ENCODINGS), "replace")


def mangle_bytes(random: Random, data: bytes) -> bytes:
    """Bytes that were flipped, lost, doubled, cut off or written over."""
    damaged = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 2, 4, 16, 64])):
        at = random.randrange(len(damaged) + 1)
        what = random.randrange(7)
        if what <= 1 and at < len(damaged):
            damaged[at] ^= 1 << random.randrange(8)
        elif what == 2 and at < len(damaged):
            damaged[at] = random.choice([0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)])
        elif what == 3:
            del damaged[at : at + random.choice([1, 1, 2, 4, 100])]
        elif what == 4:
            damaged[at:at] = damaged[at : at + random.choice([1, 4, 100])]
        elif what == 5:
            wide = random.choice([2, 4, 8])
            value = random.choice([0, 1, -1, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1])
            order = random.choice(["little", "big"])
            damaged[at : at + wide] = (value % 256**wide).to_bytes(wide, order)
        elif random.random() < 0.3:
            del damaged[at:]
    return bytes(damaged)


def check_message(error: Exception, path: object = None) -> None:
    """Fails where an error's message is not one line that a terminal can be shown: printable, not
    without end, and beginning with the file that it is about, if that is given."""
    text = str(error)
    if not text.strip():
        raise Failed(f"{type(error).__name__} without a message")
    if len(text) > 2100:
        raise Failed(f"a message of {len(text):,} characters: {text[:200]!r} ...")
    if not text.isprintable():
        raise Failed(f"a message that is no one printable line: {text[:400]!r}")
    if path is not None and not text.startswith(str(path)):
        raise Failed(f"a message that does not begin with {path}: {text[:400]!r}")
