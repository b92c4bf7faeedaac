"""Damage: bytes as disks, networks and attackers leave them, and malformed JSON."""

from __future__ import annotations

import json
from random import Random
from typing import Any

_TEXTS = ["", "x", "../../etc/passwd", "\x1b[31m\n", "draws", "__class__", "\ud800", "1", "=1+1"]
_NUMBERS: list[Any] = [
    *(0, 1, -1, 2, 255, 10**6, 2**31, 2**32, 2**62, 2**63, 2**64, -(2**63), 10**400),
    *(0.0, -0.0, 0.5, 1.5, -1e-9, 1e-320, 1e30, 1e308, -1e308, float("inf")),
]
_OTHERS: list[Any] = [None, True, False, [], {}, [0], [[]], {"": 0}, {"draws": 0}]
NOT_JSON = [
    *(b"", b"{", b"nul", b"{}x", b"\xff", b"\xef\xbb\xbf{}", "{}".encode("utf-16"), b'{"a":01}'),
    *(b"NaN", b"-Infinity", b'{"cfg":NaN}', b"[" * 100_000, b'{"a":' * 50_000, b"1" * 5000),
    *(b"[" * 50_000 + b"]" * 50_000, b'"\x00"'),
]
"""What no JSON parser may take, or not as it is."""


def damaged(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """Other bytes, usually: bits that are changed, parts that are gone, double, swapped, zero or
    another file's."""
    how = random.randrange(9)
    at, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    some = random.randbytes(random.choice([1, 1, 4, 16, 512]))
    if how < 3:
        found = bytearray(data)
        for _ in range(random.choice([1, 1, 1, 2, 8, 64])):
            found[random.randrange(len(found))] ^= 1 << random.randrange(8)
        return bytes(found)
    if how == 3:
        return data[:at] if random.randrange(2) else data[at:]
    if how == 4:
        return random.choice([data + some, some + data, data[:at] + some + data[at:]])
    if how == 5:
        return data[:at] + bytes(end - at) + data[end:]
    if how == 6:
        return data[:at] + data[end:]
    if how == 7:
        return data[:end] + data[at:]
    return data[:at] + random.choice(others)[at:]


def mutated(random: Random, document: Any) -> Any:
    """A document in which one place, or two, is another value, gone or new."""
    copy = _copied(document)
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        copy = _mutate(random, copy)
    return copy


def value(random: Random) -> Any:
    """Anything."""
    if random.randrange(20) == 0:
        return _nested(random.choice([2, 5, 500]))
    return _copied(random.choice(random.choice([_TEXTS, _NUMBERS, _NUMBERS, _OTHERS])))


def _nested(depth: int) -> Any:
    found: Any = 0
    for _ in range(depth):
        found = [found]
    return found


def _mutate(random: Random, document: Any) -> Any:
    if not isinstance(document, dict | list) or not document or random.randrange(6) == 0:
        return _changed(random, document)
    if isinstance(document, dict):
        key = random.choice(list(document))
        what = random.randrange(8)
        if what == 0:
            del document[key]
        elif what == 1:
            document[random.choice(_TEXTS)] = value(random)
        elif what == 2:
            document[key] = _copied(document[random.choice(list(document))])
        else:
            document[key] = _mutate(random, document[key])
        return document
    place = random.randrange(len(document))
    what = random.randrange(8)
    if what == 0:
        del document[place]
    elif what == 1:
        document.insert(place, value(random))
    elif what == 2:
        document.insert(place, _copied(document[random.randrange(len(document))]))
    elif what == 3:
        random.shuffle(document)
    else:
        document[place] = _mutate(random, document[place])
    return document


def _changed(random: Random, old: Any) -> Any:
    if type(old) in (int, float) and random.randrange(2):
        return random.choice([old + 1, old - 1, -old, str(old), [old], old * 2, {"": old}])
    return value(random)


def _copied(document: Any) -> Any:
    """Of its own, for it may be changed; not by deepcopy, which is not for what is as deep."""
    return json.loads(json.dumps(document))
