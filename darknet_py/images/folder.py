"""Datasets as folders of pictures: one folder a class, its name the label."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from darknet_py.errors import DarknetError
from darknet_py.images.aside import set_aside
from darknet_py.images.dataset import Dataset
from darknet_py.images.files import SUFFIXES
from darknet_py.images.names import one_line

_TRAIN = ("train",)
_VALID = ("valid", "val", "validation", "test")

_Classes = dict[str, list[Path]]
"""The pictures in each class's folder, sorted."""


def read_folder(
    folder: str | os.PathLike[str], share: float = 0.1, seed: int = 0
) -> tuple[Dataset, Dataset | None]:
    """The pictures to train on and those to hold the network to.

    Where the folder holds `train`, with folders of its own, the classes are the folders in
    there, and the other pictures those of `valid`, `val`, `validation` or `test`, the first that
    there is. Else the classes are the folders in the folder itself. Where no other pictures are
    set aside, `share` (0..1) of each class is, drawn by `seed`: at least one picture of a class
    that has two, and never all. A picture keeps its side when others are added, with few
    exceptions, and does not depend on where the folder is.

    Pictures are files with a picture's suffix (SUFFIXES), at any depth in their class's folder;
    whatever is hidden is passed over. Classes are sorted by name; one without pictures is kept.
    The second dataset is None where there would be nothing in it (`share` 0).

    Raises DarknetError for a folder that cannot be read, has no folders in it, or no pictures in
    them; ValueError for a share outside 0..1.
    """
    root = Path(folder)
    inside = _folders(root)
    train_root = _with_folders(inside, _TRAIN)
    if train_root is None:
        train, valid = _split(root, _read_classes(root, inside), share, seed)
    else:
        train = _read_classes(train_root, _folders(train_root))
        valid_root = _with_folders(inside, _VALID)
        if valid_root is None:
            train, valid = _split(train_root, train, share, seed)
        else:
            valid = _read_classes(valid_root, _folders(valid_root))
    if not any(train.values()):
        _fail(root, "no pictures in its folders to train on")
    names = sorted({*train, *valid})
    return _dataset(names, train), _dataset(names, valid) if any(valid.values()) else None


def _dataset(names: Sequence[str], classes: _Classes) -> Dataset:
    paths: list[Path] = []
    labels: list[tuple[int, ...]] = []
    for index, name in enumerate(names):
        pictures = classes.get(name, [])
        paths += pictures
        labels += [(index,)] * len(pictures)
    return Dataset(tuple(names), paths, labels)


def _split(root: Path, classes: _Classes, share: float, seed: int) -> tuple[_Classes, _Classes]:
    """Sets aside a share of each class in `root`; what is left keeps its order."""
    train, valid = {}, {}
    for name, pictures in classes.items():
        within = [picture.relative_to(root).as_posix() for picture in pictures]
        aside = set_aside(within, share, seed)
        pairs = list(zip(pictures, within, strict=True))
        train[name] = [picture for picture, inside in pairs if inside not in aside]
        valid[name] = [picture for picture, inside in pairs if inside in aside]
    return train, valid


def _with_folders(folders: Iterable[Path], names: Sequence[str]) -> Path | None:
    """The first of the names that is a folder of folders, not of pictures (of trains, say)."""
    by_name = {folder.name: folder for folder in folders}
    found = (by_name[name] for name in names if name in by_name)
    return next((folder for folder in found if _subfolders(folder)), None)


def _read_classes(root: Path, folders: Iterable[Path]) -> _Classes:
    return {folder.name: _pictures(folder) for folder in folders}


def _folders(root: Path) -> list[Path]:
    """The folders in a folder, sorted by name; hidden ones are left out."""
    found = _subfolders(root)
    if not found:
        _fail(root, "no folders in it: expected one for each class, or train and valid")
    return found


def _subfolders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir() and not _hidden(path.name))
    except OSError as error:
        _fail(root, f"cannot be read: {error.strerror}")


def _pictures(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> NoReturn:
        _fail(Path(error.filename), f"cannot be read: {error.strerror}")

    found = []
    for root, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not _hidden(name)]
        found += [Path(root, name) for name in files if _is_picture(name)]
    return sorted(found)


def _is_picture(name: str) -> bool:
    return not _hidden(name) and name.lower().endswith(SUFFIXES)


def _hidden(name: str) -> bool:
    return name.startswith(".")


def _fail(path: Path, reason: str) -> NoReturn:
    raise DarknetError(f"{one_line(path)}: {reason}")
