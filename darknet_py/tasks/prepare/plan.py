"""What will be written where, known before anything is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

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
    """names: of classes, and of their folders. valid is empty where none is set aside."""

    names: tuple[str, ...]
    train: list[Item]
    valid: list[Item]

    def digest(self, how: How) -> str:
        """Differs where another picture would be anywhere, or be made in another way."""
        items = [[str(item.source.absolute()), item.target] for item in (*self.train, *self.valid)]
        text = json.dumps([asdict(how), self.names, items])
        return hashlib.sha256(text.encode()).hexdigest()


def make_plan(data: Data, how: How) -> Plan:
    """Targets are `train/CLASS/NAME.jpg` and `valid/...`, each of its own.

    Names are the pictures' own, as far as lists and labels can bear them: a comment sign or a `_`
    becomes a `-` (`0_cat.jpg` would be a cat in any folder), and a name that is taken a number.
    Raises DarknetError where there are no pictures to train on.
    """
    names = _class_names(data.names)
    return Plan(
        names,
        list(_items(data.training(), "train", names, how)),
        list(_items(data.valid, "valid", names, how)) if data.valid else [],
    )


def check_places(data: Data, out: Path) -> None:
    """Raises DarknetError where OUT lies in the pictures' folder, or a picture in OUT."""
    inside = out.resolve()
    if data.path.is_dir() and inside.is_relative_to(data.path.resolve()):
        raise DarknetError(f"{out}: lies in {data.path}, which is only read: name a folder outside")
    pictures = [*data.training().paths, *(data.valid.paths if data.valid else [])]
    for folder in sorted({path.parent for path in pictures}):
        if folder.resolve().is_relative_to(inside):
            raise DarknetError(f"{out}: {folder} lies in it, and is only read: name another folder")


def _items(dataset: Dataset, part: str, names: Sequence[str], how: How) -> Iterator[Item]:
    taken: set[str] = set()
    for path, (label,) in zip(dataset.paths, dataset.labels, strict=True):
        folder, stem = f"{part}/{names[label]}", _plain(path.stem).replace("_", "-")
        target = _free(f"{folder}/{stem}", how.suffix, taken)
        yield Item(path, target, label)


def _free(name: str, suffix: str, taken: set[str]) -> str:
    """The name, with a number if it is taken; large and small letters may be one and the same."""
    free, number = f"{name}{suffix}", 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}-{number}{suffix}"
    taken.add(free.casefold())
    return free


def _class_names(names: Sequence[str]) -> tuple[str, ...]:
    taken: set[str] = set()
    return tuple(_free(_plain(name), "", taken) for name in names)


def _plain(name: str) -> str:
    """A name that a file, and a line of a list, can have."""
    kept = "".join(c if c.isprintable() and c not in "/\\#" else "-" for c in name).strip()
    return f"-{kept}" if not kept or kept[0] in ".;" else kept
