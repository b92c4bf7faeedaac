"""The lists of prepared pictures: Caffe's, and darknet's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from darknet_py.atomic import write_text
from darknet_py.tasks.data import useful_top
from darknet_py.tasks.prepare.plan import Item, Plan


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
