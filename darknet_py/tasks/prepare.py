"""Preparing pictures to train on: one size, one kind, split, with lists."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from darknet_py.atomic import make_folder, remove_leftovers, write_text
from darknet_py.cfg.data_file import fault_of_name
from darknet_py.errors import DarknetError, PictureError
from darknet_py.images import Dataset, in_threads, is_prepared, load_prepared, overlap, save_image
from darknet_py.tasks.data import Data, useful_top
from darknet_py.untrusted import BadValueError, open_file, parse_json

# What will be written where, known before anything is.


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


# The lists of prepared pictures: Caffe's, and darknet's.


def write_lists(out: Path, plan: Plan, train: Sequence[Item], valid: Sequence[Item]) -> None:
    """Writes train.txt, val.txt and names.txt, whose paths are from `out`, and dataset.data,
    labels.txt, train.list and valid.list, whose paths are from the folder that `out` is in, as the
    C program is to be run from there. Raises DarknetError."""
    home = Path(os.path.basename(os.path.realpath(out)))
    write_text(out / "names.txt", _lines(plan.names))
    write_text(out / "labels.txt", _lines(plan.labels()))
    write_text(out / "train.txt", _lines(f"{item.target} {item.label}" for item in train))
    write_text(out / "train.list", _lines(_from_home(home / item.target) for item in train))
    keys = [f"classes={len(plan.names)}", f"train={home}/train.list"]
    if valid:
        write_text(out / "val.txt", _lines(f"{item.target} {item.label}" for item in valid))
        write_text(out / "valid.list", _lines(_from_home(home / item.target) for item in valid))
        keys.append(f"valid={home}/valid.list")
    keys += [f"labels={home}/labels.txt", f"names={home}/names.txt", "backup=backup"]
    write_text(out / "dataset.data", _lines([*keys, f"top={useful_top(len(plan.names))}"]))


def _from_home(path: Path) -> str:
    """A line of a list; one that begins with `#` would be none."""
    written = path.as_posix()
    return f"./{written}" if written.startswith("#") else written


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


# Preparing pictures to train on: one size, one kind, split, with lists.

_MARK = "prepared.json"
"""What tells a folder that may be gone on with from one that is somebody's."""
_MOST_BYTES = 10_000
"""Of the mark."""


@dataclass(frozen=True)
class Begun:
    """So many pictures will be looked at; `shared` are the same on both sides of the split; notes:
    of what was guessed or is called otherwise, a line each."""

    total: int
    shared: list[tuple[Path, Path]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progressed:
    """So many pictures are done; `refused` says why the last one could not be read."""

    done: int
    refused: PictureError | None


@dataclass(frozen=True)
class Prepared:
    """How many pictures are there now, how many were there before, and how many are left out."""

    classes: int
    train: int
    valid: int
    kept: int
    refused: int


Event = Begun | Progressed | Prepared


def prepare(data: Data, out: Path, how: How, workers: int | None = None) -> Iterator[Event]:
    """Writes square copies of all pictures into `out`, with lists; nothing else is touched.

    Run again after an interruption, it keeps the pictures that are there, whole, and no older than
    their source. Pictures that cannot be read are refused and left out. Lists come last.
    Raises DarknetError: `out` holds something else, or lies where pictures are read, or cannot be
    written; no picture to train on can be read.
    """
    check_places(data, out)
    plan = make_plan(data, how)
    _begin(out, plan, how)
    total = len(plan.train) + len(plan.valid)
    shared = overlap(data.training(), data.valid, content=True) if data.valid else []
    yield Begun(total, shared, data.notes + plan.notes)

    def make(item: Item) -> bool | PictureError:
        return _make(item, out, how)

    there: set[str] = set()
    kept, refused = 0, 0
    items = [*plan.train, *plan.valid]
    for done, (item, found) in enumerate(
        zip(items, in_threads(make, items, workers), strict=True), 1
    ):
        if isinstance(found, PictureError):
            refused += 1
            yield Progressed(done, found)
            continue
        there.add(item.target)
        kept += found
        yield Progressed(done, None)
    train, valid = ([i for i in part if i.target in there] for part in (plan.train, plan.valid))
    if not train:
        raise DarknetError(f"{data.path}: none of the pictures to train on can be read")
    write_lists(out, plan, train, valid)
    yield Prepared(len(plan.names), len(train), len(valid), kept, refused)


def _begin(out: Path, plan: Plan, how: How) -> None:
    mark = out / _MARK
    remove_leftovers(out)
    known = {"digest": plan.digest(how), "size": how.size, "fit": how.fit, "png": how.png}
    if os.path.exists(mark):
        if _read_mark(mark) != known:
            raise DarknetError(
                f"{out}: was prepared from other pictures or in another way: name another folder, "
                "or delete it"
            )
    elif os.path.isdir(out) and any(out.iterdir()):
        raise DarknetError(f"{out}: is there and not empty: name another folder")
    make_folder(out)
    write_text(mark, json.dumps(known) + "\n")
    for part in plan.sides if plan.valid else plan.sides[:1]:
        for name in plan.folders:
            remove_leftovers(make_folder(out / part / name))


def _read_mark(mark: Path) -> object:
    try:
        with open_file(mark) as file:
            return parse_json(file.read(_MOST_BYTES))
    except (OSError, BadValueError):
        return None


def _make(item: Item, out: Path, how: How) -> bool | PictureError:
    """Whether the picture was there already; or why there is none."""
    target = out / item.target
    if _is_newer(target, item.source) and is_prepared(target, how.size):
        return True
    try:
        picture = load_prepared(item.source, how.size, how.fit)
    except PictureError as error:
        return error
    save_image(picture, target)
    return False


def _is_newer(target: Path, source: Path) -> bool:
    try:
        return target.stat().st_mtime_ns >= source.stat().st_mtime_ns
    except OSError:
        return False
