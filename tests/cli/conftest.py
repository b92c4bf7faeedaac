"""Runs the command line in this process, as a user would from a shell."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from darknet_py.cli import main
from tests.support.golden import load_golden


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


class _Input(io.StringIO):
    """Standard input: a pipe, or a terminal at which someone types."""

    def __init__(self, text: str, terminal: bool) -> None:
        super().__init__(text)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture
def darknet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """darknet("classify", ...) -> exit code, stdout, stderr; stdin="..." is what it reads."""

    def run(*args: object, stdin: str = "", terminal: bool = False) -> Result:
        monkeypatch.setattr(sys, "argv", ["darknet", *map(str, args)])
        monkeypatch.setattr(sys, "stdin", _Input(stdin, terminal))
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            main()
        captured = capsys.readouterr()
        assert isinstance(exit_info.value.code, int)
        assert "Traceback" not in captured.err
        return Result(exit_info.value.code, captured.out, captured.err)

    return run


class Model(NamedTuple):
    cfg: Path
    weights: Path


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A small convolutional classifier with ten outputs, 48 x 36."""
    return _write(tmp_path, "tiny_like")


@pytest.fixture
def connected_model(tmp_path: Path) -> Model:
    """A small classifier with a connected end, which takes one size only."""
    return _write(tmp_path, "connected")


def _write(folder: Path, name: str) -> Model:
    figure = load_golden("forward", name)
    model = Model(folder / f"{name}.cfg", folder / f"{name}.weights")
    model.cfg.write_text(figure["cfg"])
    model.weights.write_bytes(figure["weights"].tobytes())
    return model


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with three pictures of different sizes: a.png, b.png, c.jpg."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, size in (("a.png", (60, 50, 3)), ("b.png", (60, 50, 3)), ("c.jpg", (40, 90, 3))):
        Image.fromarray(rng.integers(0, 256, size, np.uint8)).save(folder / name)
    return folder
