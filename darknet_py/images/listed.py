"""Datasets as darknet describes them: a `.data` file, its lists of pictures and its labels."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from darknet_py.cfg.data_file import DataFile, read_lines
from darknet_py.cfg.text import meaningful_lines, read_text
from darknet_py.errors import CfgError
from darknet_py.images.bases import find_base, parent_of
from darknet_py.images.caffe import read_numbered
from darknet_py.images.dataset import Dataset
from darknet_py.images.labels import Labels
from darknet_py.images.names import one_line
from darknet_py.resources import find_resource


def read_data_file(data: DataFile, labels: str = "exact") -> tuple[Dataset | None, Dataset | None]:
    """The pictures to train on and those to hold the network to; None for a key that is not there.

    Both as `read_data_part` reads them.
    """
    return read_data_part(data, "train", labels), read_data_part(data, "valid", labels)


def read_data_part(data: DataFile, part: str, labels: str = "exact") -> Dataset | None:
    """The pictures that `train=` or `valid=` (`part`) lists; None where that key is missing.

    The classes' names are those of `names=`; what is looked for in the paths are those of
    `labels=`. A picture must bear one label (see `Labels`; `labels` is one of LABELS). Files are
    found as `find_resource` does, beside the `.data` file too. A path in a list is relative to
    the working directory, as for the C program, or to the list's folder, the `.data` file's
    folder, or that one's parent: the first of these where the list's first relative path is
    found serves for all of them.

    Without `labels=`, which the C program needs, a line is a path and the number of its class: see
    `images.caffe`.

    Raises CfgError, with file and line: a file that is missing or empty, other than `classes=`
    labels, a label that is there twice, a picture with two labels or with none. Whether the
    pictures can be read is for `scan`.
    """
    written = data.train if part == "train" else data.valid
    if written is None:
        return None
    if data.labels is None:
        return _read_numbered(data, part, written)
    words = _read_labels(data, data.labels)
    names = _read_names(data, data.names or data.labels)
    known = Labels(words, labels)
    list_path = _find(data, part, written)
    entries = list(meaningful_lines(read_text(list_path)))
    if not entries:
        raise CfgError(list_path, None, "names no pictures: expected one path a line")
    base = _base(data, list_path, [entry for _, entry in entries])
    paths: list[Path] = []
    indices: list[tuple[int, ...]] = []
    for line, entry in entries:
        path = base / entry
        found = known.matches(entry, str(path))
        if len(found) != 1:
            complaint = _complaint([words[index] for index in found], labels)
            raise CfgError(list_path, line, f"{one_line(entry)}: {complaint}")
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
    labels = read_lines(path)
    if len(labels) != data.classes:
        raise CfgError(
            data.path, None, f"classes={data.classes}, and {path} holds {len(labels)} labels"
        )
    if len(set(labels)) != len(labels):
        twice = next(label for label, count in Counter(labels).items() if count > 1)
        raise CfgError(path, None, f"the label {twice!r} is there twice")
    return labels


def _read_names(data: DataFile, written: str) -> tuple[str, ...]:
    path = _find(data, "names", written)
    names = read_lines(path)
    if len(names) < data.classes:
        raise CfgError(
            data.path, None, f"classes={data.classes}, and {path} holds {len(names)} names"
        )
    return tuple(names[: data.classes])


def _find(data: DataFile, key: str, written: str) -> Path:
    path = find_resource(written, data.path.parent)
    if path is None:
        raise CfgError(data.path, None, f"{key}={one_line(written)}: no such file")
    return path


def _base(data: DataFile, list_path: Path, entries: list[str]) -> Path:
    """What the relative entries of a list are relative to."""
    folder = data.path.parent
    bases = [Path(), list_path.parent, folder, parent_of(folder)]
    return find_base(list_path, entries, bases, "the folders of this list and of the .data file")


def _complaint(found: list[str], how: str) -> str:
    if not found:
        expected = (
            "its path to hold"
            if how == "substring"
            else "its folder, or a _label. or label_ part of its name, to be"
        )
        return f"no label matches: expected {expected} one of labels="
    words = " and ".join(repr(label) for label in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    advice = "--labels exact" if how == "substring" else "rename it"
    return f"the labels {words}{more} match: expected one ({advice})"
