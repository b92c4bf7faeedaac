"""Which pictures a run trains on and which it validates with: fixed when it begins.

The state of a training keeps them, so that a run that goes on never trains on what it validated
with, whatever the command line or the lists say by then.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from darknet_py.errors import StateError
from darknet_py.images import Dataset
from darknet_py.untrusted import BadValueError, fields, integer, items, parse_json, text

_EXAMPLES = 5
_MOST_BYTES, _MOST_ITEMS = 1 << 28, 1 << 24
"""In a split: enough for four million pictures. What is packed may be far more than it seems."""
_LITTLE = 1 << 24
"""Bytes that anything may unpack to."""
_SIDES = "to train on", "to validate with"


@dataclass(frozen=True)
class Side:
    """paths: of pictures, relative to the split's root; labels: their classes, as in a Dataset;
    sizes: of their files, in bytes, by which most changes of their contents are noticed."""

    paths: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True)
class Split:
    """names: of the classes, in the order of the outputs. root: the folder that all pictures lie
    in, as a path from the top: they may be somewhere else when the run goes on."""

    names: tuple[str, ...]
    root: str
    train: Side
    valid: Side

    @cached_property
    def packed(self) -> bytes:
        """As few bytes as may be: every state of a run has them. Raises StateError for more
        pictures than a state can keep."""
        sides = {key: vars(side) for key, side in (("train", self.train), ("valid", self.valid))}
        data = json.dumps({"names": self.names, "root": self.root, **sides}).encode()
        fault = _size_fault(data)
        if fault:
            raise StateError(f"the pictures of this run cannot be kept: their list has {fault}")
        packed = zlib.compress(data, 6)
        return packed if len(data) <= _most_bytes(packed) else zlib.compress(data, 0)


class Joined(NamedTuple):
    """The sets of a run that goes on, and lines that say what is not as it was."""

    train: Dataset
    valid: Dataset | None
    changes: list[str]


def split_of(train: Dataset, valid: Dataset | None) -> Split:
    """The split that a run begins with."""
    every = [*train.paths, *(valid.paths if valid else [])]
    root = _root(every)
    return Split(
        train.names,
        root,
        _side(train, root),
        _side(valid, root) if valid else Side((), (), ()),
    )


def unpack_split(packed: bytes) -> Split:
    """The other way round. Raises ValueError for what is no split."""
    try:
        return _unpack(packed)
    except (BadValueError, zlib.error) as error:
        raise ValueError(f"is no split: {error}") from error


def _unpack(packed: bytes) -> Split:
    unpacker = zlib.decompressobj()
    most = _most_bytes(packed)
    data = unpacker.decompress(packed, most)
    if not unpacker.eof or unpacker.unused_data:
        raise BadValueError(f"it ends early, or has more than {most:,} bytes")
    fault = _size_fault(data)
    if fault:
        raise BadValueError(f"it has {fault}")
    found = fields(parse_json(data), "it", ("names", "root", "train", "valid"))
    names = items(found["names"], "a name", text)

    def labels(value: Any, what: str) -> tuple[int, ...]:
        check = lambda label, what: integer(label, what, most=len(names) - 1)  # noqa: E731
        return tuple(items(value, what, check))

    sides = []
    for key in ("train", "valid"):
        side = fields(found[key], key, ("paths", "labels", "sizes"))
        paths = items(side["paths"], "a path", text)
        classes = items(side["labels"], "a label", labels)
        sizes = items(side["sizes"], "a size", lambda size, what: integer(size, what, least=-1))
        if not len(paths) == len(classes) == len(sizes):
            raise BadValueError(f"{key} has not as many paths, labels and sizes")
        sides.append(Side(tuple(paths), tuple(classes), tuple(sizes)))
    return Split(tuple(names), text(found["root"], "root"), *sides)


def _most_bytes(packed: bytes) -> int:
    """What a packed split may unpack to: far more than paths of pictures ever do."""
    return min(max(_LITTLE, 100 * len(packed)), _MOST_BYTES)


def _size_fault(data: bytes) -> str | None:
    """What in the JSON of a split is more than is read back, in words."""
    signs = sum(data.count(sign) for sign in (b",", b"[", b"{"))
    for count, most, what in ((len(data), _MOST_BYTES, "bytes"), (signs, _MOST_ITEMS, "items")):
        if count > most:
            return f"{count:,} {what}: expected at most {most:,}"
    return None


def check_classes(split: Split, names: Sequence[str], state: Path) -> None:
    """Raises StateError where the classes are not those that the run began with."""
    if tuple(names) == split.names:
        return
    gone = [name for name in split.names if name not in names]
    new = [name for name in names if name not in split.names]
    if gone or new or len(names) != len(split.names):
        parts = [f"{_listed(gone)} not here"] * bool(gone) + [f"{_listed(new)} new"] * bool(new)
        what = f"they were {_listed(split.names)}" + (f" ({', '.join(parts)})" if parts else "")
    else:
        first = next(i for i, name in enumerate(names) if name != split.names[i])
        what = f"class {first} was {split.names[first]!r}, and is {names[first]!r} now"
    raise StateError(
        f"{state}: was begun with other classes: {what}: give them back their names and their "
        "order, or begin anew"
    )


def rejoin(
    split: Split,
    train: Dataset,
    valid: Dataset | None,
    state: Path,
    unreadable: Collection[Path] = (),
) -> Joined:
    """The pictures that are here now, each on the side where it was when the run began.

    New ones go where the data has them, but for those that are unreadable; others that cannot be
    read any more keep their places, where a loader has others for them. With the same pictures as
    then, wherever they lie now, both sets are exactly as they were, in their order. Raises
    StateError for other classes, a picture of another class than then, where no picture is known,
    and where none is left to train on.
    """
    check_classes(split, train.names, state)
    known = _known(split)
    given = [
        [entry for entry in side if entry.key in known or entry.path not in unreadable]
        for side in _entries(split, train, valid)
    ]
    _check_labels(given, known, split.names, state)
    now, moved = _sides(given, known)
    changed = [
        [e.key for e in side if e.key in known and known[e.key].size != _size(e.path)]
        for side in now
    ]
    new = [[entry for entry in side if entry.key not in known] for side in now]
    here = {entry.key for side in given for entry in side}
    gone = [[key for key in side.paths if key not in here] for side in (split.train, split.valid)]
    if not now[0]:
        raise StateError(f"{state}: none of the pictures that it was trained on is here")
    sets = [
        _dataset(train.names, _in_order(entries, side))
        for entries, side in zip(now, (split.train, split.valid), strict=True)
    ]
    changes = [
        *_change("gone since the run began, or cannot be read", gone),
        *_change("hold other than when the run began", changed),
        *_change("new since the run began", [[entry.key for entry in side] for side in new]),
        *_change(
            "stay where they were when the run began", [[e.key for e in side] for side in moved]
        ),
    ]
    return Joined(sets[0], sets[1] if now[1] else None, changes)


class _Entry(NamedTuple):
    """A picture that is here. key: its path as the split has it, or would have it."""

    key: str
    path: Path
    labels: tuple[int, ...]


class _Known(NamedTuple):
    """A picture of the split: the sides that it is on, 0 and 1, its classes, its bytes."""

    sides: set[int]
    labels: tuple[int, ...]
    size: int


def _entries(split: Split, train: Dataset, valid: Dataset | None) -> list[list[_Entry]]:
    """The pictures of both sides, with the keys that are known best: from the folder where they
    were, or from the one that they all lie in now."""
    sets = [train, *([valid] if valid else [])]
    paths = [os.path.abspath(path) for each in sets for path in each.paths]
    then = {*split.train.paths, *split.valid.paths}
    roots = [split.root, _root(paths)]
    found = [[_within(path, root) for path in paths] for root in roots]
    keys = iter(max(found, key=lambda each: sum(key in then for key in each)))
    entries = [
        [
            _Entry(next(keys), path, labels)
            for path, labels in zip(each.paths, each.labels, strict=True)
        ]
        for each in sets
    ]
    return [*entries, []][:2]


def _known(split: Split) -> dict[str, _Known]:
    known: dict[str, _Known] = {}
    for number, side in enumerate((split.train, split.valid)):
        for key, labels, size in zip(side.paths, side.labels, side.sizes, strict=True):
            known.setdefault(key, _Known(set(), labels, size)).sides.add(number)
    return known


def _check_labels(
    given: Iterable[Iterable[_Entry]],
    known: Mapping[str, _Known],
    names: Sequence[str],
    state: Path,
) -> None:
    """Raises StateError for a picture that is of another class now, or where none is known."""
    found = False
    for entry in (entry for side in given for entry in side):
        then = known.get(entry.key)
        if then is None:
            continue
        found = True
        if then.labels != entry.labels:
            was, now = (_listed([names[i] for i in each]) for each in (then.labels, entry.labels))
            raise StateError(
                f"{state}: {entry.path} was {was} when the run began, and is {now} now: put it "
                "back, or begin anew"
            )
    if not found:
        raise StateError(f"{state}: none of these pictures was there when the run began")


def _sides(
    given: Sequence[Sequence[_Entry]], known: Mapping[str, _Known]
) -> tuple[list[list[_Entry]], list[list[_Entry]]]:
    """The entries by their sides, and those among them that the data has on the other one."""
    now: list[list[_Entry]] = [[], []]
    away: list[list[_Entry]] = [[], []]
    for side, entries in enumerate(given):
        for entry in entries:
            stays = entry.key not in known or side in known[entry.key].sides
            (now[side] if stays else away[1 - side]).append(entry)
    for side in (0, 1):
        there = {entry.key for entry in now[side]}
        now[side] += [entry for entry in away[side] if entry.key not in there]
    return now, away


def _in_order(entries: list[_Entry], side: Side) -> list[_Entry]:
    """In the order of then, where they are the same ones."""
    if Counter(entry.key for entry in entries) != Counter(side.paths):
        return entries
    by_key = defaultdict(list)
    for entry in reversed(entries):
        by_key[entry.key].append(entry)
    return [by_key[key].pop() for key in side.paths]


def _dataset(names: tuple[str, ...], entries: Sequence[_Entry]) -> Dataset:
    return Dataset(names, [each.path for each in entries], [each.labels for each in entries])


def _change(what: str, sides: Sequence[Sequence[str]]) -> list[str]:
    keys = [key for side in sides for key in side]
    if not keys:
        return []
    counts = ", ".join(
        f"{len(side)} {word}" for side, word in zip(sides, _SIDES, strict=True) if side
    )
    count = f"{len(keys)} pictures" if len(keys) > 1 else "1 picture"
    return [f"{what}: {count} ({counts}): {_listed(keys)}"]


def _side(dataset: Dataset, root: str) -> Side:
    paths = tuple(_within(os.path.abspath(path), root) for path in dataset.paths)
    return Side(paths, tuple(dataset.labels), tuple(map(_size, dataset.paths)))


def _size(path: Path) -> int:
    """Of a file, in bytes; -1 where there is none."""
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return -1


def _root(paths: Iterable[str | os.PathLike[str]]) -> str:
    """The folder that all of them lie in."""
    folders = {os.path.dirname(os.path.abspath(path)) for path in paths}
    try:
        return os.path.commonpath(folders)
    except ValueError:  # none, or two drives
        return os.sep


def _within(path: str, root: str) -> str:
    inside = root if root.endswith(os.sep) else root + os.sep
    return path.removeprefix(inside)


def _listed(words: Sequence[str]) -> str:
    shown = ", ".join(words[:_EXAMPLES])
    more = len(words) - _EXAMPLES
    return f"{shown} and {more} more" if more > 0 else shown
