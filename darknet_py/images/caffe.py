"""Datasets as Caffe describes them: lists with a path and the number of its class a line."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from darknet_py.cfg.data_file import read_lines
from darknet_py.cfg.text import meaningful_lines, read_text
from darknet_py.errors import CfgError
from darknet_py.images.aside import set_aside
from darknet_py.images.bases import find_base, parent_of
from darknet_py.images.dataset import Dataset
from darknet_py.images.names import one_line

TRAIN_LIST = "train.txt"
"""What makes a folder one of Caffe's lists."""

_VALID = ("val", "valid", "validation", "test")
_TRAIN_WORD = re.compile(r"(?<![a-z])train(?![a-z])")
_VALID_WORD = re.compile(rf"(?<![a-z])({'|'.join(_VALID)})(?![a-z])")
_NAMES = ("names.txt", "synset_words.txt", "labels.txt")
_SYNSET = re.compile(r"n\d{8}\s+(?=\S)")
_NUMBER = re.compile(r"[+-]?[0-9]+")


class _Entry(NamedTuple):
    written: str
    path: Path
    number: int
    line: int


class _List(NamedTuple):
    path: Path
    entries: list[_Entry]


def find_lists(path: Path) -> tuple[Path | None, Path | None]:
    """The lists to train on and to validate with that a folder, or one of the two, stands for.

    A folder stands for its `train.txt`, and for the first that it holds of `val.txt`, `valid.txt`,
    `validation.txt` and `test.txt`. A .txt file whose name holds the word `train` stands for
    itself and the one where one of these words takes its place; one that holds such a word alone
    is there to validate with; any other, to train on. Neither is given for what is no list: a
    folder without a train.txt, or another kind of file.
    """
    if path.is_dir():
        path = path / TRAIN_LIST
    if path.suffix.lower() != ".txt" or not path.is_file():
        return None, None
    train = _TRAIN_WORD.search(path.name)
    if train:
        before, after = path.name[: train.start()], path.name[train.end() :]
        beside = (path.with_name(f"{before}{word}{after}") for word in _VALID)
        return path, next((other for other in beside if other.is_file()), None)
    return (None, path) if _VALID_WORD.search(path.name) else (path, None)


def read_lists(
    train_path: Path | None, valid_path: Path | None, share: float = 0.1, seed: int = 0
) -> tuple[Dataset | None, Dataset | None]:
    """The pictures to train on and those to validate with, of `find_lists`.

    A line is a path, which may hold blanks, and the number of its class, from 0. A path is
    relative to the list's folder, the folder beside the list that is called as it (`val/` of
    `val.txt`), the list's folder's parent, or the working directory: the first of these where the
    list's first relative path is found serves for all. Names are the lines of `names.txt`,
    `synset_words.txt` (without WordNet's numbers) or `labels.txt` beside the list; else the names
    of the folders, where each class to train on has one of its own; else the numbers. Where no
    list is there to validate with, `share` of each class is set aside, drawn by `seed`.

    Raises CfgError, with file and line: a list that is missing or empty, a line that is no path
    and number, a negative number, a number without a name or, where nothing names the classes,
    one that leaves a gap, a path that is listed twice. Whether pictures can be read is for `scan`.
    """
    train = _read_list(train_path) if train_path else None
    valid = _read_list(valid_path) if valid_path else None
    lists = [each for each in (train, valid) if each is not None]
    names = _read_names(lists) or _find_names(lists)
    if train is None or valid is not None or not share:
        return _dataset(names, train), _dataset(names, valid)
    aside = _set_aside(train.entries, share, seed)
    kept = train._replace(entries=[entry for entry in train.entries if entry not in aside])
    held = train._replace(entries=[entry for entry in train.entries if entry in aside])
    return _dataset(names, kept), _dataset(names, held) if held.entries else None


def read_numbered(path: Path, names: tuple[str, ...]) -> Dataset:
    """The pictures of one list whose classes have these names; raises as `read_lists`."""
    listed = _read_list(path)
    _check_named([listed], names, "names=")
    dataset = _dataset(names, listed)
    assert dataset is not None
    return dataset


def _dataset(names: tuple[str, ...], listed: _List | None) -> Dataset | None:
    if listed is None:
        return None
    entries = listed.entries
    return Dataset(names, [entry.path for entry in entries], [(e.number,) for e in entries])


def _read_list(path: Path) -> _List:
    lines = list(meaningful_lines(read_text(path)))
    if not lines:
        raise CfgError(path, None, "names no pictures: expected a path and a number a line")
    pairs = [_parse(path, line, text) for line, text in lines]
    folder = path.parent
    bases = [folder, folder / path.stem, parent_of(folder), Path()]
    where = f"the list's folder, {path.stem}/ in it, or its parent"
    base = find_base(path, (written for written, _ in pairs), bases, where)
    first: dict[str, int] = {}
    for (line, _), (written, _) in zip(lines, pairs, strict=True):
        if first.setdefault(written, line) != line:
            raise CfgError(
                path, line, f"{one_line(written)} is listed twice: line {first[written]} has it"
            )
    entries = [
        _Entry(written, base / written, number, line)
        for (line, _), (written, number) in zip(lines, pairs, strict=True)
    ]
    return _List(path, entries)


def _parse(path: Path, line: int, text: str) -> tuple[str, int]:
    written, *number = text.rsplit(None, 1)
    if not number or not _NUMBER.fullmatch(number[0]):
        expected = "expected a path and the number of its class, as in cat/1.jpg 0"
        raise CfgError(path, line, f"{one_line(text[-60:])!r}: {expected}")
    if len(number[0]) > 9:
        raise CfgError(path, line, f"class {number[0][:20]}... is no number of a class")
    if int(number[0]) < 0:
        raise CfgError(path, line, f"class {number[0]} is negative: classes are counted from 0")
    return written, int(number[0])


def _read_names(lists: Sequence[_List]) -> tuple[str, ...]:
    """Those in a file beside the lists; none where there is no such file."""
    places = (each.path.with_name(name) for each in lists for name in _NAMES)
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return ()
    names = tuple(_SYNSET.sub("", line, count=1) for line in read_lines(path))
    _check_named(lists, names, path.name)
    return names


def _check_named(lists: Sequence[_List], names: tuple[str, ...], where: str) -> None:
    for each in lists:
        for entry in each.entries:
            if entry.number >= len(names):
                raise CfgError(
                    each.path,
                    entry.line,
                    f"class {entry.number} has no name: {where} holds {len(names)}, for 0 to "
                    f"{len(names) - 1}",
                )


def _find_names(lists: Sequence[_List]) -> tuple[str, ...]:
    _check_gaps(lists)
    classes = 1 + max(entry.number for each in lists for entry in each.entries)
    folders = _folders(lists[0].entries)
    if sorted(folders) == list(range(classes)) and len(set(folders.values())) == classes:
        return tuple(folders[number] for number in range(classes))
    return tuple(map(str, range(classes)))


def _check_gaps(lists: Sequence[_List]) -> None:
    used = {entry.number for each in lists for entry in each.entries}
    gap = next((number for number in range(len(used)) if number not in used), None)
    if gap is None:
        return
    for each in lists:
        for entry in each.entries:
            if entry.number > gap:
                raise CfgError(
                    each.path,
                    entry.line,
                    f"class {entry.number}, and no picture has class {gap}: expected numbers from "
                    "0 without gaps, or names.txt beside the list with a name a line",
                )


def _folders(entries: Iterable[_Entry]) -> dict[int, str]:
    """Of each class that has all its pictures in one folder, the folder's name."""
    found: dict[int, set[Path]] = defaultdict(set)
    for entry in entries:
        found[entry.number].add(entry.path.parent)
    return {number: next(iter(of)).name for number, of in found.items() if len(of) == 1}


def _set_aside(entries: Iterable[_Entry], share: float, seed: int) -> set[_Entry]:
    classes: dict[int, dict[str, _Entry]] = defaultdict(dict)
    for entry in entries:
        classes[entry.number][entry.written] = entry
    return {
        by_name[name]
        for by_name in classes.values()
        for name in set_aside(list(by_name), share, seed)
    }
