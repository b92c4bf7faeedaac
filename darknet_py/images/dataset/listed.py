"""Datasets as darknet describes them: a `.data` file, its lists of pictures and its labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from darknet_py.cfg.data_file import DataFile, read_lines, read_list
from darknet_py.errors import CfgError
from darknet_py.images.dataset.caffe import find_places, from_windows, parent_of, read_numbered
from darknet_py.images.dataset.dataset import Dataset
from darknet_py.resources import find_resource

LABELS = ("exact", "substring")
"""The ways of matching: ours, and the C program's."""


class Labels:
    """Labels to be found in paths. An empty one (a blank line) matches nothing; one with a `/` is
    searched in the whole path either way. Raises ValueError for a `how` that is not in LABELS."""

    def __init__(self, labels: Sequence[str], how: str = "exact") -> None:
        if how not in LABELS:
            raise ValueError(f"labels {how!r} is none of {', '.join(LABELS)}")
        self._labels = list(labels)
        self._indices = {label: index for index, label in enumerate(labels) if label}
        self._within = [(index, label) for index, label in enumerate(labels) if "/" in label]
        self.matches = self._exact if how == "exact" else self._substring
        """`matches(written, path)`: the indices of the labels that match a picture, ascending;
        `written`: its path as the list has it."""

    def _exact(self, written: str, path: str) -> list[int]:
        """Those that are the picture's folder, or a `_label.` or `label_` part of its name."""
        folder, name = os.path.split(os.path.abspath(path))
        words = chain([os.path.basename(folder)], _parts(name))
        found = {self._indices[word] for word in words if word in self._indices}
        return sorted(found | {index for index, label in self._within if label in written})

    def _substring(self, written: str, path: str) -> list[int]:
        """Those that the path contains, as the list spells it. Source: fill_truth."""
        return [index for index, label in enumerate(self._labels) if label and label in written]


def _parts(name: str) -> Iterator[str]:
    """The parts of a file's name that a label may be: `0_frog.png` has frog, `frog_0.png` too.

    They start with the name or after a `_`, and end before a `_` or, unless they start with the
    name, before a dot. A part may hold a `_` itself, as in `0_hot_dog.png`.
    """
    starts = [0] + [place + 1 for place, letter in enumerate(name) if letter == "_"]
    ends = [place for place, letter in enumerate(name) if letter in "_."]
    for start in starts:
        for end in ends:
            if end > start and (name[end] == "_" or start > 0):
                yield name[start:end]


def read_data_file(data: DataFile, labels: str = "exact") -> tuple[Dataset | None, Dataset | None]:
    """The training and the validation set, as `read_data_part` reads each."""
    return read_data_part(data, "train", labels), read_data_part(data, "valid", labels)


def read_data_part(data: DataFile, part: str, labels: str = "exact") -> Dataset | None:
    """The pictures that `train=` or `valid=` (`part`) lists; None where that key is missing.

    The classes' names are those of `names=`; those of `labels=` are searched in the paths. A
    picture must have one label (see `Labels`; `labels` is one of LABELS). Files are found as by
    `find_resource`, beside the `.data` file too. A path in a list is relative to the working
    directory, as for the C program, the list's folder, the `.data` file's folder, or that one's
    parent: see `find_places`. Without `labels=`, which the C program needs, a line is a path and
    the number of its class: see caffe.py.

    Of more labels or names than `classes=` the first count, as in the C program. Raises CfgError,
    with file and line: a file that is missing or empty, fewer labels or names, a label that is
    there twice, a picture with two labels or with none. `scan` finds the pictures that cannot be
    read.
    """
    written = data.train if part == "train" else data.valid
    if written is None:
        return None
    if data.labels is None:
        return _read_numbered(data, part, written)
    words = _read_labels(data, data.labels)
    names = _read_names(data, data.names or data.labels)
    list_path = _find(data, part, written)
    folder = data.path.parent
    return _labelled(list_path, names, words, labels, [folder, parent_of(folder)], "labels=")


def read_labelled(path: Path, names: tuple[str, ...], labels: str = "exact") -> Dataset:
    """The pictures of a list whose paths contain the names of their classes, found as by
    `read_data_part`. Raises CfgError."""
    return _labelled(path, names, names, labels, [parent_of(path.parent)], "the network's names")


def _labelled(
    list_path: Path,
    names: tuple[str, ...],
    words: Sequence[str],
    labels: str,
    bases: list[Path],
    where: str,
) -> Dataset:
    """words: the labels of the classes, from `where`; bases: further folders for relative paths."""
    known = Labels(words, labels)
    entries = read_list(list_path)
    if not entries:
        raise CfgError(list_path, None, "names no pictures: expected one path a line")
    place = find_places(
        list_path,
        [entry for _, entry in entries],
        [Path(), list_path.parent, *bases],
        "the folders of this list and of the .data file",
    )
    paths: list[Path] = []
    indices: list[tuple[int, ...]] = []
    for line, entry in entries:
        path = place(entry)
        found = known.matches(entry, str(path))
        if len(found) != 1:
            complaint = _complaint([words[index] for index in found], labels, where)
            raise CfgError(list_path, line, f"{entry}: {complaint}")
        paths.append(path)
        indices.append((found[0],))
    return Dataset(names, paths, indices)


def _read_numbered(data: DataFile, part: str, written: str) -> Dataset:
    if data.names is None:
        raise CfgError(
            data.path,
            None,
            "has no labels=: name a file with one label a line; or one of names with names=, where "
            "the lists have the number of its class behind each path",
        )
    return read_numbered(_find(data, part, written), _read_names(data, data.names))


def _read_labels(data: DataFile, written: str) -> list[str]:
    path = _find(data, "labels", written)
    labels = _first(data, path, "labels")
    twice = next((each for each, count in Counter(labels).items() if each and count > 1), None)
    if twice is not None:
        raise CfgError(path, None, f"the label {twice!r} is there twice")
    return labels


def _read_names(data: DataFile, written: str) -> tuple[str, ...]:
    return tuple(_first(data, _find(data, "names", written), "names"))


def _first(data: DataFile, path: Path, what: str) -> list[str]:
    """The first `classes=` lines of a file of labels or names."""
    found = read_lines(path)
    if len(found) < data.classes:
        raise CfgError(
            data.path, None, f"classes={data.classes}, and {path} holds {len(found)} {what}"
        )
    return found[: data.classes]


def _find(data: DataFile, key: str, written: str) -> Path:
    path_here = from_windows(written)
    for spelled in (written, path_here):
        path = find_resource(spelled, data.path.parent)
        if path is not None:
            return path
    if os.path.isdir(path_here) or os.path.isdir(data.path.parent / path_here):
        raise CfgError(
            data.path,
            None,
            f"{key}={written}: is a folder: expected a list of pictures; or name a "
            "folder instead of this file, with a folder of pictures for each class",
        )
    if os.path.exists(path_here) or os.path.exists(data.path.parent / path_here):
        raise CfgError(data.path, None, f"{key}={written}: is no regular file")
    advice = ""
    if key in ("train", "valid"):
        is_of_elsewhere = os.path.isabs(path_here) or path_here[1:2] == ":"
        target = "FILE" if is_of_elsewhere else path_here
        advice = (
            f': lists are yours to make, the path of a picture a line, as in find "$PWD/{key}" '
            f"-name '*.png' > {target}; or name a folder of pictures instead, with a "
            "folder for each class"
        )
    raise CfgError(data.path, None, f"{key}={written}: no such file{advice}")


def _complaint(found: list[str], how: str, where: str) -> str:
    if not found:
        expected = (
            "its path to hold"
            if how == "substring"
            else "its folder, or a _label. or label_ part of its name, to be"
        )
        return f"no label matches: expected {expected} one of {where}"
    words = " and ".join(repr(label) for label in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    advice = "--labels exact" if how == "substring" else "rename it"
    return f"the labels {words}{more} match: expected one ({advice})"
