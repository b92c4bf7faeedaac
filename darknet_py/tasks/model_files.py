"""What other commands take of a trained network, beside its cfg and weights: NAME.names, NAME.data
and the lists of its pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from darknet_py.cfg.data_file import names_text
from darknet_py.cfg.text import listed_lines, meaningful_lines
from darknet_py.errors import TrainingError
from darknet_py.images import Dataset
from darknet_py.tasks.data import Data, useful_top
from darknet_py.text import legible

LISTS = "train.list", "valid.list"
"""What lists of pictures to train on and to validate with are called."""

_LONGEST = "_iter_12345678.weights"
"""What is put to a name."""


def model_texts(name: str, data: Data, lists: Sequence[str] | None = LISTS) -> dict[str, str]:
    """NAME.names, NAME.data and the lists that it names (None: none): texts, by names of files.

    Raises TrainingError for a class whose name a file of names cannot keep, for a picture whose
    name cannot stand in a list, and for a `name` that cannot stand in a .data file,
    or is too long.
    """
    if len(os.fsencode(f"{name}{_LONGEST}")) > 255:
        raise TrainingError(f"{name}.cfg: too long a name for all files of a training: shorten it")
    try:
        texts = {f"{name}.names": names_text(data.names)}
    except ValueError as error:
        raise TrainingError(
            f"the class {error}: a file of names cannot keep it: rename it"
        ) from error
    lines = [f"classes={len(data.names)}"]
    for key, dataset, called in zip(
        ("train", "valid"), (data.train, data.valid), lists or (), strict=False
    ):
        if dataset is not None:
            texts[called] = _list(dataset)
            lines.append(f"{key}={called}")
    lines += [f"names={name}.names", f"top={useful_top(len(data.names))}"]
    texts[f"{name}.data"] = text = "".join(f"{line}\n" for line in lines)
    # as it is read: UTF-8, without comments and outer blanks of lines and values
    is_kept = [line for _, line in meaningful_lines(text)] == lines and name == name.lstrip()
    if legible(text) != text or not is_kept:
        raise TrainingError(
            f"{name}.cfg: a .data file, which names {name}.names, cannot keep this name: rename it"
        )
    return texts


def is_listable(data: Data) -> bool:
    """Whether lists can name the pictures: each once in its list, and in one line."""
    sets = [each for each in (data.train, data.valid) if each is not None]
    return all(
        len(set(each.paths)) == len(each)
        and all(_reads_back(_line(path, 0)) for path in each.paths)
        for each in sets
    )


def _list(dataset: Dataset) -> str:
    """Paths from the root, and the numbers of their classes, as Caffe lists them."""
    lines = []
    for path, (label,) in zip(dataset.paths, dataset.labels, strict=True):
        line = _line(path, label)
        if not _reads_back(line):
            raise TrainingError(f"{str(path)!r}: a name that cannot stand in a list: rename it")
        lines.append(f"{line}\n")
    return "".join(lines)


def _line(path: Path, label: int) -> str:
    return f"{os.path.abspath(path)} {label}"


def _reads_back(line: str) -> bool:
    """Whether a line of a list is read as it was written."""
    return [each for _, each in listed_lines(line)] == [line]
