"""The site's pages as a reader works through them: every block of code, in order, in one folder.

`sh` is run line by line in a shell, `python` in one namespace a page, `ini` is read as a cfg, and
`text` is what the block before it prints, numbers apart. Comments, which the site does not show
(in the README, of HTML), stand before a block:

    % run: --max-iter 3        what is added to its darknet commands, so that they end soon
    % before: darknet ...      a command that a test runs first
    % file: mine.cfg           where a reader saves the block
    % unchecked: why           of `text`: it is not compared

Where Tiny Darknet's weights are not at hand, random ones stand in for them, nothing is fetched, and
a page's outputs are not compared any more once it has used them.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from PIL import Image

from darknet_py.cfg.sections import read_sections
from darknet_py.cli import main
from darknet_py.network import load_network
from darknet_py.network.builder import build

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INSTALLS = ("pip ", "docker ", "git clone ", "python3 -m venv ", "uv ", "cd darknet")
"""Commands that no test runs: scripts/build does the like."""
FETCHES = "darknet weights fetch "
"""What is run where it finds the weights in their place already."""
CLASSES = {"cat": "airplane", "dog": "automobile", "horse": "ship"}
"""Folders of photos, and the sample that theirs are made of."""
PHOTOS = 24
"""Pictures in each class's folder."""
ORDERS = "run", "before", "file", "unchecked"

_COMMENT = re.compile(r"(?:% |<!-- )(\w+): (.*?)(?: -->)?")
_NUMBER = re.compile(r"\d[\d,.]*(?:e[+-]?\d+)?")
_DARKNET = re.compile(r"(?:^|\| )darknet ")
_SHELL = re.compile(r"^(?!darknet )|[|><*$;&]")
"""In a command that needs a shell."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the comments before it, its first line's number."""

    language: str
    text: str
    line: int
    orders: dict[str, list[str]]


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page of Markdown, but MyST's directives."""
    found: list[Block] = []
    orders: dict[str, list[str]] = {}
    lines = iter(enumerate(page.splitlines(), 1))
    for number, line in lines:
        if comment := _COMMENT.fullmatch(line):
            orders.setdefault(comment[1], []).append(comment[2])
        elif fence := re.fullmatch(r"(`{3,})(.*)", line):
            text = []
            for _, inner in lines:
                if inner == fence[1]:
                    break
                text.append(inner)
            if not fence[2].startswith("{"):
                found.append(Block(fence[2].strip(), "\n".join(text), number, orders))
            orders = {}
        elif line.strip():
            assert not orders, f"line {number}: a comment stands before a block, not before text"
    return found


def commands(block: Block) -> list[str]:
    """The lines of an ```sh``` block, those that end in a backslash joined."""
    joined = block.text.replace("\\\n", " ").splitlines()
    return [line for line in joined if line.strip() and not line.lstrip().startswith("#")]


def is_installation(command: str) -> bool:
    return command.startswith(INSTALLS)


def masked(text: str) -> str:
    """A line as it is compared: without the numbers, the folder, and the width of columns."""
    return " ".join(_NUMBER.sub("#", text).split())


def tiny_weights() -> Path | None:
    """Tiny Darknet's, where there are any."""
    named = os.environ.get("DARKNET_TEST_DATA")
    beside = ROOT.parent / "shared" / "data"
    path = (Path(named) if named else beside) / "tiny.weights"
    return path if path.exists() else None


def set_up(folder: Path, photos: bool = True) -> None:
    """What all pages assume: the program's files, photo.jpg, and photos/ with three classes."""
    for name in ("cfg", "data"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "bin").mkdir()
    program = folder / "bin" / "darknet"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m darknet_py "$@"\n')
    program.chmod(0o755)
    (folder / "fetched").mkdir()
    tiny = tiny_weights()
    if tiny is None:
        tiny = folder / "random.weights"
        load_network(ROOT / "cfg" / "tiny.cfg", device="cpu").save_weights(tiny)
    for place in (folder / "fetched", folder):  # for commands, and for Python
        (place / "tiny.weights").symlink_to(tiny)
    with Image.open(ROOT / "data" / "samples" / "ship.png") as sample:
        sample.convert("RGB").resize((160, 120)).save(folder / "photo.jpg")
    for name, shown in CLASSES.items() if photos else ():
        (folder / "photos" / name).mkdir(parents=True)
        with Image.open(ROOT / "data" / "samples" / f"{shown}.png") as sample:
            picture = sample.convert("RGB")
        for number in range(PHOTOS):
            turned = picture.rotate(3 * number - 36, Image.Resampling.BILINEAR)
            turned.resize((64, 48)).save(folder / "photos" / name / f"{number}.jpg")


@dataclass
class Reader:
    """Who works through a page: a folder, a shell and a Python session."""

    folder: Path
    namespace: dict[str, Any] = field(default_factory=dict)
    printed: str | None = None
    """By the last block; None where its commands were not run, or not as they stand."""
    is_random: bool = False
    """Whether random weights had a part in what is there by now."""

    def read(self, block: Block) -> None:
        words = block.text + " ".join(block.orders.get("before", []))
        self.is_random |= "tiny.weights" in words and tiny_weights() is None
        for command in block.orders.get("before", []):
            self.shell(command)
        match block.language:
            case "sh":
                self.run(block)
            case "python":
                self.execute(block)
            case "ini":
                self.save_cfg(block)
            case "text" | "csv" | "json":
                self.compare(block)
            case other:
                raise AssertionError(f"line {block.line}: a block of {other!r}")

    def run(self, block: Block) -> None:
        more = " ".join(block.orders.get("run", []))
        printed = []
        for command in commands(block):
            if is_installation(command) or (command.startswith(FETCHES) and not tiny_weights()):
                continue
            wanted = f"{command} {more}" if more and _DARKNET.search(command) else command
            printed.append(self.shell(wanted))
        self.printed = "\n".join(printed) if printed and not more else None

    def shell(self, command: str) -> str:
        """What a command prints, to both streams; it has to succeed.

        What needs no shell runs in this process, which has its kernels loaded already.
        """
        code, printed = self.apart(command) if _SHELL.search(command) else self.here(command)
        assert code == 0, f"{command}\n{printed}"
        return printed

    def here(self, command: str) -> tuple[int, str]:
        printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            mock.patch.object(sys, "argv", shlex.split(command)),
            mock.patch.object(sys, "stdin", io.StringIO()),
            pytest.raises(SystemExit) as end,
        ):
            main()
        assert isinstance(end.value.code, int)
        return end.value.code, printed.buffer.getvalue().decode()

    def apart(self, command: str) -> tuple[int, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            check=False,
            cwd=self.folder,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return done.returncode, done.stdout

    def execute(self, block: Block) -> None:
        code = compile(block.text, f"line {block.line}", "exec")
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, self.namespace)
        self.printed = printed.getvalue()

    def save_cfg(self, block: Block) -> None:
        """A cfg, or lines of [net], which have to be read without a warning."""
        path = self.folder / block.orders.get("file", ["lines.cfg"])[0]
        text = block.text + "\n"
        if block.text.count("[") == 1:  # a part of a network: the rest is put around it
            size = "" if "height=" in text else "height=32\nwidth=32\nchannels=3\n"
            text = f"{text}{size}[softmax]\n" if "[net]" in text else f"[net]\n{size}{text}"
        path.write_text(text)
        if path.suffix == ".cfg":
            warnings = build(read_sections(path), str(path)).warnings
            assert not warnings, f"line {block.line}: {warnings}"
        self.printed = None

    def compare(self, block: Block) -> None:
        """Each line of an output stands in what was printed, but for numbers; `...` is left out."""
        if "unchecked" in block.orders or self.printed is None or self.is_random:
            return
        there = {masked(line) for line in self.printed.splitlines()}
        lines = [masked(line) for line in block.text.splitlines()]
        missing = [line for line in lines if line not in there and line not in ("", "...")]
        assert not missing, f"line {block.line}: {missing} is not in\n{self.printed}"
