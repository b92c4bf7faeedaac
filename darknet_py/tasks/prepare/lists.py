"""The lists of prepared pictures: Caffe's, and darknet's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from darknet_py.atomic import write_text
from darknet_py.tasks.prepare.plan import Item


def write_lists(
    out: Path, names: Sequence[str], train: Sequence[Item], valid: Sequence[Item]
) -> None:
    """Writes train.txt, val.txt and names.txt, whose paths are from `out`, and dataset.data,
    train.list and valid.list, whose paths are from the folder that `out` is in, as the C program
    is to be run from there. Raises DarknetError."""
    home = Path(out.resolve().name)
    write_text(out / "names.txt", _lines(names))
    write_text(out / "train.txt", _lines(f"{item.target} {item.label}" for item in train))
    write_text(out / "train.list", _lines((home / item.target).as_posix() for item in train))
    keys = [f"classes={len(names)}", f"train={home}/train.list"]
    if valid:
        write_text(out / "val.txt", _lines(f"{item.target} {item.label}" for item in valid))
        write_text(out / "valid.list", _lines((home / item.target).as_posix() for item in valid))
        keys.append(f"valid={home}/valid.list")
    keys += [f"labels={home}/names.txt", f"names={home}/names.txt", "backup=backup"]
    write_text(out / "dataset.data", _lines([*keys, f"top={min(5, len(names))}"]))


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
