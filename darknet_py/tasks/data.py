"""What to train on, wherever it is described: a `.data` file, a folder, or Caffe's lists."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from darknet_py.cfg.data_file import read_data
from darknet_py.errors import DarknetError, TrainingError
from darknet_py.images import (
    Dataset,
    find_lists,
    has_folders,
    read_data_file,
    read_folder,
    read_lists,
)
from darknet_py.resources import find_resource


@dataclass(frozen=True)
class Data:
    """Pictures to train on and to hold the network to, and where results go. notes: what was made
    of the folder or file where it could be read in another way, a line each."""

    path: Path
    names: tuple[str, ...]
    train: Dataset | None
    valid: Dataset | None
    backup: Path
    top: int
    notes: tuple[str, ...] = ()

    def training(self) -> Dataset:
        """The pictures to train on. Raises DarknetError where there are none."""
        if self.train is None or not len(self.train):
            raise DarknetError(
                f"{self.path}: has no pictures to train on: expected train=LIST, or train.txt"
            )
        return self.train

    def validation(self) -> Dataset:
        """The pictures to hold a network to. Raises DarknetError where there are none."""
        if self.valid is None or not len(self.valid):
            raise DarknetError(
                f"{self.path}: has no pictures to validate with: expected valid=LIST, or val.txt"
            )
        return self.valid


def open_data(
    path: str | Path,
    labels: str = "exact",
    share: float = 0.1,
    seed: int = 0,
    backup: str | Path | None = None,
) -> Data:
    """Reads a `.data` file, a folder with one folder a class, or Caffe's lists: a folder that holds
    train.txt, or a list (see images.caffe).

    labels: how a `.data` file's pictures get theirs, "exact" or "substring". share, seed: where no
    pictures are set aside, how many are, and how they are drawn. backup: another folder for
    results than the `.data` file's, or `backup`. Raises DarknetError.
    """
    lists, notes = find_lists(Path(path)), list[str]()
    if any(lists) or os.path.isdir(path):
        if any(lists):
            sets = read_lists(*lists, share, seed)
            notes += _unlisted(Path(path), lists)
        else:
            sets = read_folder(path, share, seed, notes.append)
        names = _names(sets)
        top, results = useful_top(len(names)), results_folder(path, backup)
        return Data(Path(path), names, *sets, results, top, tuple(notes))
    described = read_data(find_resource(str(path)) or path)
    sets = read_data_file(described, labels)
    names = _names(sets)
    if not names:
        raise DarknetError(f"{path}: has neither train= nor valid=: there are no pictures")
    top = min(described.top, len(names))
    results = results_folder(path, backup)
    return Data(Path(path), names, *sets, results, top, tuple(described.notes))


def _unlisted(path: Path, lists: Sequence[Path | None]) -> list[str]:
    """Says that lists count where there are folders beside them that may hold more."""
    if not os.path.isdir(path) or not has_folders(path):
        return []
    names = " and ".join(each.name for each in lists if each is not None)
    return [f"{path}: by {names}: pictures in folders that they do not name are left out"]


def results_folder(path: str | Path, backup: str | Path | None = None) -> Path:
    """Where results go: `backup`, else what a `.data` file says, else the folder of one that a run
    has written beside its state, else `backup` where you are."""
    if backup or os.path.isdir(path) or any(find_lists(Path(path))):
        return Path(backup or "backup")
    file = Path(find_resource(str(path)) or path)
    said = read_data(file).backup
    if said is None and file.with_suffix(".state").is_file():
        return file.parent
    return Path(as_here(said or "backup"))


def check_apart(results: Path, data: Data, option: str) -> None:
    """Raises TrainingError where results would lie in a folder of classes, or of their pictures,
    where they would be pictures the next time: a chart is one. option: which names another folder
    for them."""
    if not os.path.isdir(data.path) or any(find_lists(data.path)):
        return
    sets = [each for each in (data.train, data.valid) if each is not None]
    folders = {path.parent for each in sets for path in each.paths}
    inside = {os.path.realpath(folder) for folder in (data.path, *folders)}
    place = Path(os.path.realpath(results))
    if any(str(folder) in inside for folder in (place, *place.parents)):
        raise TrainingError(
            f"{results}: lies in {data.path}, among the pictures: choose another {option}"
        )


def useful_top(classes: int) -> int:
    """How many first guesses count where nobody says: 5, or of few classes fewer, so that a wrong
    one is possible."""
    return max(min(5, classes - 1), 1)


def as_here(folder: str) -> str:
    """A folder that a `.data` file of Windows names, as it is called here."""
    return folder if os.sep == "\\" else folder.replace("\\", "/")


def _names(sets: Sequence[Dataset | None]) -> tuple[str, ...]:
    return next((dataset.names for dataset in sets if dataset is not None), ())
