"""The examples of docs/adding.md, put into a copy of the project."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
COPIED = "darknet_py", "scripts", "tests"
LINKED = "cfg", "data"
FILES = "README.md", "pyproject.toml"
_BLOCK = re.compile(r"^```(\w+) file=(\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Example(NamedTuple):
    """A block of a page: a whole file, or lines that go into one."""

    language: str
    path: str
    text: str


def examples(page: str) -> list[Example]:
    """Those of a page, in order."""
    return [Example(*found) for found in _BLOCK.findall(page)]


def copy_project(folder: Path) -> None:
    """What tests need of the project."""
    for name in COPIED:
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "golden")
        )
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    for name in FILES:
        shutil.copy(ROOT / name, folder)


def put(example: Example, folder: Path) -> None:
    """Writes a file, which must be new, or changes one, in which the lines around must stand."""
    path = folder / example.path
    if example.language == "diff":
        path.write_text(changed(path.read_text(), example.text))
        return
    assert not path.exists(), f"{example.path} is no example any more: it exists"
    path.write_text(example.text)


def changed(text: str, diff: str) -> str:
    """A text, where lines of a diff without numbers are taken out and put in."""
    lines, changes = text.splitlines(), diff.splitlines()
    before = [line[1:] for line in changes if line[0] in " -"]
    after = [line[1:] for line in changes if line[0] in " +"]
    found = [i for i in range(len(lines)) if lines[i : i + len(before)] == before]
    assert len(found) == 1, f"not once, but {len(found)} times in the file: {before}"
    lines[found[0] : found[0] + len(before)] = after
    return "\n".join([*lines, ""])
