"""Datasets as Caffe describes them: lists with a path and the number of its class a line."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from darknet_py.cfg.data_file import fault_of_name, is_data_file, read_lines, read_list
from darknet_py.errors import CfgError
from darknet_py.images.dataset.dataset import Dataset, split_validation

TRAIN_LIST = "train.txt"
"""What makes a folder one of Caffe's lists."""

_VALID = ("val", "valid", "validation", "test")
_TRAIN_WORD = re.compile(r"(?<![a-z])train(?![a-z])")
_VALID_WORD = re.compile(rf"(?<![a-z])({'|'.join(_VALID)})(?![a-z])")
_NAMES = ("names.txt", "synset_words.txt", "labels.txt")
_SYNSET = re.compile(r"n\d{8}\s+(?=\S)")
_NUMBER = re.compile(r"[+-]?[0-9]+")
_COMMENT = re.compile(r"\s+#.*")


def find_places(
    list_path: Path, entries: Iterable[str], bases: Sequence[Path], where: str
) -> Callable[[str], Path]:
    """A function from an entry to its path: the first of `bases` that holds the first relative
    entry serves for all, with a Windows `\\` as `/` if need be. where: the folders in words. Raises
    CfgError where none holds it."""
    relative = next((entry for entry in entries if not os.path.isabs(entry)), None)
    if relative is None:
        return Path
    for spell in (str, from_windows):
        for base in bases:
            if os.path.exists(base / spell(relative)):
                return lambda entry: base / spell(entry)
    advice = ": it is a path of another machine" if relative[1:3] in (":\\", ":/") else ""
    raise CfgError(
        list_path,
        None,
        f"{relative}: no such picture, neither from the working directory nor from {where}{advice}",
    )


def from_windows(path: str) -> str:
    """The path with `/` where it has a `\\`."""
    return path.replace("\\", "/")


def parent_of(folder: Path) -> Path:
    """The folder that a folder is in."""
    # abspath: the parent of "." is not "."
    return Path(os.path.abspath(folder)).parent


class _Entry(NamedTuple):
    written: str
    path: Path
    number: int
    line: int


class _List(NamedTuple):
    path: Path
    entries: list[_Entry]


def find_lists(path: Path) -> tuple[Path | None, Path | None]:
    """The training and the validation list that a folder, or one of the two lists, stands for.

    A folder stands for its `train.txt` and the first of `val.txt`, `valid.txt`, `validation.txt`
    and `test.txt` in it. A list with the word `train` in its name goes with the one that has one of
    these words instead; one with such a word alone is a validation list; any other, a training
    list. (None, None) for a folder without a train.txt, a `.data` file, or no file.
    """
    if os.path.isdir(path):
        path = path / TRAIN_LIST
    if not os.path.isfile(path) or is_data_file(path):
        return None, None
    train = _TRAIN_WORD.search(path.name)
    if train:
        before, after = path.name[: train.start()], path.name[train.end() :]
        beside = (path.with_name(f"{before}{word}{after}") for word in _VALID)
        return path, next((other for other in beside if os.path.isfile(other)), None)
    return (None, path) if _VALID_WORD.search(path.name) else (path, None)


def find_valid_list(path: Path) -> Path | None:
    """The validation list that a folder or a list stands for: beside a training list, else that
    list itself; in a folder without train.txt and without folders, its val.txt or the like. None
    for what is no list."""
    train, valid = find_lists(path)
    if train is not None or valid is not None or not os.path.isdir(path):
        return valid or train
    try:
        if any(os.path.isdir(each) for each in path.iterdir()):
            return None
    except OSError:  # reported where the folder is read
        return None
    places = (path / f"{word}.txt" for word in _VALID)
    return next((place for place in places if os.path.isfile(place)), None)


def read_lists(
    train_path: Path | None, valid_path: Path | None, share: float = 0.1, seed: int = 0
) -> tuple[Dataset | None, Dataset | None]:
    """The training and the validation set, of the lists of `find_lists`.

    A line is a path, which may hold blanks, and the number of its class, from 0. A path is
    relative to the list's folder, the folder beside the list with its name (`val/` of `val.txt`),
    the list's folder's parent, or the working directory: see `find_places`. Names are the lines of
    `names.txt`, `synset_words.txt` (without WordNet's numbers) or `labels.txt` beside the list;
    else of the folders, where each class has one of its own; else the numbers. Without a
    validation list, `share` of each class is held out, drawn by `seed`.

    Raises CfgError, with file and line: a list that is missing or empty, a line that is no path
    and number, a negative number, one without a name or, where nothing names the classes, after a
    gap, a path that is listed twice. `scan` finds the pictures that cannot be read.
    """
    train = _read_list(train_path) if train_path else None
    valid = _read_list(valid_path) if valid_path else None
    lists = [each for each in (train, valid) if each is not None]
    names = _read_names(lists) or _find_names(lists)
    if train is None or valid is not None or not share:
        return _dataset(names, train), _dataset(names, valid)
    held_out = _held_out(train.entries, share, seed)
    kept = train._replace(entries=[entry for entry in train.entries if entry not in held_out])
    held = train._replace(entries=[entry for entry in train.entries if entry in held_out])
    return _dataset(names, kept), _dataset(names, held) if held.entries else None


def read_numbered(path: Path, names: tuple[str, ...], where: str = "names=") -> Dataset:
    """The pictures of one list whose classes have these names, which `where` gives; raises as
    `read_lists`."""
    listed = _read_list(path)
    _check_named([listed], names, where)
    dataset = _dataset(names, listed)
    assert dataset is not None
    return dataset


def has_numbers(path: Path) -> bool:
    """Whether a list has the number of its class behind each path, or at least behind the first.
    Raises CfgError."""
    entries = read_list(path)
    return not entries or bool(_NUMBER.fullmatch(entries[0][1].rsplit(None, 1)[-1]))


def names_beside(path: Path) -> tuple[str, ...]:
    """The names in names.txt, synset_words.txt or labels.txt beside a list, without the empty lines
    at its end; none without such a file. Raises CfgError."""
    found = _names_file(path)
    if found is None:
        return ()
    lines = read_lines(found)
    while lines and not lines[-1]:
        lines.pop()
    return tuple(_SYNSET.sub("", line, count=1) for line in lines)


def _names_file(path: Path) -> Path | None:
    places = (path.with_name(name) for name in _NAMES)
    return next((place for place in places if os.path.isfile(place)), None)


def folder_names(dataset: Dataset) -> dict[int, str]:
    """The folder's name of each class of a list whose pictures are all in one folder."""
    found: dict[int, set[Path]] = defaultdict(set)
    for path, (number,) in zip(dataset.paths, dataset.labels, strict=True):
        found[number].add(path.parent)
    return {number: next(iter(of)).name for number, of in found.items() if len(of) == 1}


def _dataset(names: tuple[str, ...], listed: _List | None) -> Dataset | None:
    if listed is None:
        return None
    entries = listed.entries
    return Dataset(names, [entry.path for entry in entries], [(e.number,) for e in entries])


def _read_list(path: Path) -> _List:
    lines = read_list(path)
    if not lines:
        raise CfgError(path, None, "names no pictures: expected a path and a number a line")
    pairs = [_parse(path, line, text) for line, text in lines]
    folder = path.parent
    bases = [folder, folder / path.stem, parent_of(folder), Path()]
    where = f"the list's folder, {path.stem}/ in it, or its parent"
    place = find_places(path, (written for written, _ in pairs), bases, where)
    first: dict[str, int] = {}
    for (line, _), (written, _) in zip(lines, pairs, strict=True):
        if first.setdefault(written, line) != line:
            raise CfgError(path, line, f"{written} is listed twice: line {first[written]} has it")
    entries = [
        _Entry(written, place(written), number, line)
        for (line, _), (written, number) in zip(lines, pairs, strict=True)
    ]
    return _List(path, entries)


def _parse(path: Path, line: int, text: str) -> tuple[str, int]:
    written, *number = text.rsplit(None, 1)
    if not number or not _NUMBER.fullmatch(number[0]):  # behind the number may be a comment
        written, *number = _COMMENT.sub("", text).rsplit(None, 1)
    if not number or not _NUMBER.fullmatch(number[0]):
        expected = "expected a path and the number of its class, as in cat/1.jpg 0"
        raise CfgError(path, line, f"{text[-60:]!r}: {expected}")
    if len(number[0]) > 9:
        raise CfgError(path, line, f"class {number[0][:20]}... is no number of a class")
    if int(number[0]) < 0:
        raise CfgError(path, line, f"class {number[0]} is negative: classes are counted from 0")
    return written, int(number[0])


def _read_names(lists: Sequence[_List]) -> tuple[str, ...]:
    """Those in a file beside the lists; none where there is no such file."""
    for each in lists:
        found = _names_file(each.path)
        if found is not None:
            names = names_beside(each.path)
            _check_named(lists, names, found.name)
            return names
    return ()


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
    numbers = tuple(map(str, range(classes)))
    dataset = _dataset(numbers, lists[0])
    assert dataset is not None
    folders = {k: name for k, name in folder_names(dataset).items() if not fault_of_name(name)}
    if sorted(folders) == list(range(classes)) and len(set(folders.values())) == classes:
        return tuple(folders[number] for number in range(classes))
    return numbers


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


def _held_out(entries: Iterable[_Entry], share: float, seed: int) -> set[_Entry]:
    classes: dict[int, dict[str, _Entry]] = defaultdict(dict)
    for entry in entries:
        classes[entry.number][entry.written] = entry
    return {
        by_name[name]
        for by_name in classes.values()
        for name in split_validation(list(by_name), share, seed)
    }
