from __future__ import annotations

import sys

import numpy as np
import pytest

from darknet_py.cli.dream_progress import Progress
from darknet_py.tasks.nightmare import Finished, Stepped

PICTURE = np.zeros((2, 2, 3), np.float32)


def run(progress: Progress, clock: list[float] | None = None) -> None:
    for number in range(2):
        for iteration in range(3):
            if clock is not None:
                clock[0] += 10
            progress.show(Stepped(number, iteration))
        progress.show(Finished(number, PICTURE))


def test_the_c_programs_lines_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    run(Progress(2, 3, quiet=False))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "Iteration: 0, 1, 2, done\n" * 2


def test_nothing_if_it_shall_be_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    run(Progress(2, 3, quiet=True))
    assert capsys.readouterr() == ("", "")


def test_time_left_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten seconds a step, whatever the first one took."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress = Progress(2, 3, quiet=False)
    clock[0] += 1000
    run(progress, clock)
    lines = capsys.readouterr().err.split("\r\x1b[2K")
    assert lines[1] == "round 1/2  iteration 1/3"
    assert lines[2] == "round 1/2  iteration 2/3  0:00:40 left"
    assert lines[4] == ""
    assert lines[5] == "round 2/2  iteration 1/3  0:00:20 left"


@pytest.mark.parametrize(("terminal", "end"), [(True, "\r\x1b[2K"), (False, "0, \n")])
def test_an_interruption_ends_the_line(
    terminal: bool,
    end: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    progress = Progress(2, 3, quiet=False)
    progress.close()
    assert capsys.readouterr().err == ""
    progress.show(Stepped(0, 0))
    progress.close()
    progress.close()
    assert capsys.readouterr().err.endswith(end)
