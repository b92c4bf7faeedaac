"""A dream as a task and as a command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.images import load_image, save_image
from scripts.gpu import nightmare
from scripts.gpu.nightmare import COMMAND, TASK
from tests.scripts.gpu.rows import CPU


def test_nightmares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKNET_TEST_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr(nightmare, "SIZE", (64, 48))
    dream = nightmare.prepare("cifar_small", 1, "scream.jpg", tmp_path)
    about = "cifar_small, layer 1, scream.jpg, 10 steps, random weights, random picture of 64 x 48"
    assert dream.about == about
    found = nightmare.task(dream, CPU)
    assert (found.what, found.on) == (TASK, about)
    assert found.seconds > 0
    as_process = nightmare.command(dream, CPU)
    assert (as_process.what, as_process.on) == (COMMAND, about)
    assert as_process.seconds > found.seconds


def test_the_task_is_what_the_command_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from darknet_py.cli import darknet

    monkeypatch.setenv("DARKNET_TEST_DATA", str(tmp_path / "nothing"))
    monkeypatch.setattr(nightmare, "SIZE", (64, 48))
    dream = nightmare.prepare("cifar_small", 1, "scream.jpg", tmp_path)
    save_image(nightmare.ready(dream, "cpu")(), tmp_path / "task.png")
    files = [str(path) for path in (dream.cfg, dream.weights, dream.picture)]
    output = str(tmp_path / "command.png")
    words = ["nightmare", "--device", "cpu", "-o", output, *files, "1"]
    darknet.main(words, standalone_mode=False)
    task, command = (load_image(tmp_path / f"{name}.png") for name in ("task", "command"))
    assert np.array_equal(task, command)


def test_data_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cifar_small.weights").touch()
    (tmp_path / "scream.jpg").touch()
    monkeypatch.setenv("DARKNET_TEST_DATA", str(tmp_path))
    dream = nightmare.prepare("cifar_small", 1, "scream.jpg", tmp_path / "unused")
    assert dream.weights == tmp_path / "cifar_small.weights"
    assert dream.picture == tmp_path / "scream.jpg"
    assert dream.about == "cifar_small, layer 1, scream.jpg, 10 steps"
