"""What will be written where, known before anything is."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from darknet_py.cfg.data_file import fault_of_name
from darknet_py.errors import DarknetError
from darknet_py.images import Dataset
from darknet_py.tasks.data import Data


@dataclass(frozen=True)
class How:
    """size: of the square pictures; fit: one of images.PREPARED_FITS; png: else JPEG."""

    size: int
    fit: str = "crop"
    png: bool = False

    @property
    def suffix(self) -> str:
        return ".png" if self.png else ".jpg"


class Item(NamedTuple):
    """One picture: where it is, and where it goes, from the new folder."""

    source: Path
    target: str
    label: int


@dataclass(frozen=True)
class Plan:
    """names: of classes; folders: what theirs are called; sides: the folders of the two parts.
    valid is empty where none is set aside. notes: what is called otherwise than before, a line
    each."""

    names: tuple[str, ...]
    folders: tuple[str, ...]
    sides: tuple[str, str]
    train: list[Item]
    valid: list[Item]
    notes: tuple[str, ...]

    def labels(self) -> list[str]:
        """What the C program is to look for in paths: each is in those of its own class alone,
        where a name, `rain` or `cat`, may be in `train/` or `catfish/` too."""
        return [f"/{folder}/" for folder in self.folders]

    def digest(self, how: How) -> str:
        """Differs where another picture would be anywhere, or be made in another way."""
        items = [[str(item.source.absolute()), item.target] for item in (*self.train, *self.valid)]
        text = json.dumps([asdict(how), self.names, self.folders, items])
        return hashlib.sha256(text.encode()).hexdigest()


def make_plan(data: Data, how: How) -> Plan:
    """Targets are `train/CLASS/NAME.jpg` and `valid/...`, each of its own.

    Folders are called as the classes, as far as a folder can be, and no two alike in letters of
    any case, as on some disks these are one folder. Pictures keep their names in the same way.
    Where a class is called as a side, the side has other letters: `Train/`. Raises DarknetError
    where there are no pictures to train on, or for a name that no file of names can keep.
    """
    for name in data.names:
        fault = fault_of_name(name)
        if fault:
            raise DarknetError(f"{data.path}: the class {name!r} {fault}: rename it")
    folders = _folders(data.names)
    sides = _side("train", folders), _side("valid", folders)
    notes = [
        f"class {name!r} is written to the folder {folder!r}"
        for name, folder in zip(data.names, folders, strict=True)
        if name != folder
    ]
    return Plan(
        data.names,
        folders,
        sides,
        list(_items(data.training(), sides[0], folders, how)),
        list(_items(data.valid, sides[1], folders, how)) if data.valid else [],
        tuple(notes),
    )


def _side(name: str, folders: Sequence[str]) -> str:
    """The name of a side in letters that no class's folder has."""
    return next(each for each in (name, name.title(), name.upper(), "") if each not in folders)


def check_places(data: Data, out: Path) -> None:
    """Raises DarknetError where OUT lies in the pictures' folder, or a picture in OUT."""
    inside = Path(os.path.realpath(out))  # `resolve` raises where links go in circles
    if os.path.isdir(data.path) and inside.is_relative_to(os.path.realpath(data.path)):
        raise DarknetError(f"{out}: lies in {data.path}, which is only read: name a folder outside")
    pictures = [*data.training().paths, *(data.valid.paths if data.valid else [])]
    for folder in sorted({path.parent for path in pictures}):
        if Path(os.path.realpath(folder)).is_relative_to(inside):
            raise DarknetError(f"{out}: {folder} lies in it, and is only read: name another folder")


def _items(dataset: Dataset, part: str, folders: Sequence[str], how: How) -> Iterator[Item]:
    taken: set[str] = set()
    for path, (label,) in zip(dataset.paths, dataset.labels, strict=True):
        target = _free(f"{part}/{folders[label]}/{_plain(path.stem)}", how.suffix, taken)
        yield Item(path, target, label)


def _free(name: str, suffix: str, taken: set[str]) -> str:
    """The name, with a number if it is taken; large and small letters may be one and the same."""
    free, number = f"{name}{suffix}", 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}{suffix}"
    taken.add(free.casefold())
    return free


def _folders(names: Sequence[str]) -> tuple[str, ...]:
    taken: set[str] = set()
    return tuple(_free(_plain(name), "", taken) for name in names)


def _plain(name: str) -> str:
    """A name that a file, and a line of a list, can have."""
    kept = "".join(c if c.isprintable() and c not in "/\\" else "-" for c in name).strip()
    return f"-{kept}" if not kept or kept[0] == "." else kept
