from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT

CFG = """
[net]
height=4
width=4
channels=3

[avgpool]

[softmax]
"""


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A network of two layers, without weights but with their file, and a picture."""
    folder = tmp_path_factory.mktemp("options")
    (folder / "net.cfg").write_text(CFG)
    (folder / "net.weights").write_bytes(bytes(16))  # a header
    (folder / "grey.ppm").write_bytes(b"P6 4 4 255 " + bytes([90] * 48))
    (folder / "names").write_text("a\nb\nc\n")
    files = [str(folder / name) for name in ("net.cfg", "net.weights", "grey.ppm")]
    return ["--names", str(folder / "names"), *files]


def classify(arguments: list[str], cache: Path) -> str:
    """What it says beside its results."""
    done = subprocess.run(
        [sys.executable, "-m", "darknet_py", "classify", "--device", "cpu", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"DARKNET_CACHE_DIR": str(cache), "PATH": ""},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "a: 0.333333" in done.stdout
    return done.stderr


def test_compiling_is_said_once(arguments: list[str], tmp_path: Path) -> None:
    said = classify(arguments, tmp_path)
    assert said.count("Compiling kernels, once: up to a minute...\n") == 1
    assert "Compiling" not in classify(arguments, tmp_path)


def test_results_only(arguments: list[str], tmp_path: Path) -> None:
    assert classify(["-q", *arguments], tmp_path) == ""


def test_compiling_where_nothing_can_be_kept(arguments: list[str], tmp_path: Path) -> None:
    """In a folder that others could write to, say."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    said = classify(arguments, tmp_path / "shared")
    assert "Compiling kernels, as there is no folder to keep them in" in said
    assert said.count("note: no kernels are kept in ") == 1
    assert f"others can write to {tmp_path}/shared: forbid it" in said
