"""Preparing pictures to train on: one size, one kind, split, with lists."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from darknet_py.atomic import make_folder, remove_leftovers, write_text
from darknet_py.errors import DarknetError, PictureError
from darknet_py.images import in_threads, is_prepared, load_prepared, overlap, save_image
from darknet_py.tasks.data import Data
from darknet_py.tasks.prepare.lists import write_lists
from darknet_py.tasks.prepare.plan import How, Item, Plan, check_places, make_plan
from darknet_py.untrusted import BadValueError, open_file, parse_json

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
