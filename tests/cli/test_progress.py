"""The bar on a terminal: within its width, gone at the end, and out of the way of lines."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from darknet_py.cli import progress
from darknet_py.cli.dreaming import DreamProgress
from darknet_py.cli.progress import Progress, say
from darknet_py.tasks.nightmare import Finished, Stepped

PICTURE = np.zeros((2, 2, 3), np.float32)


@pytest.fixture(autouse=True)
def no_bar_is_left() -> Iterator[None]:
    yield
    Progress().close()


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int = 80) -> None:
    """stderr is a terminal of so many columns, on which everything is drawn at once."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(progress, "INTERVAL", 0)
    monkeypatch.setenv("COLUMNS", str(columns + 1))
    monkeypatch.setenv("LINES", "25")


def drawn(err: str) -> list[str]:
    """What was on the line, one after the other."""
    return [line.rstrip() for line in re.split(r"[\r\n]", err) if line.strip()]


def screen(err: str) -> list[str]:
    """What the lines show in the end."""
    lines = [""]
    for part in re.split(r"([\r\n])", err):
        if part == "\n":
            lines.append("")
        elif part == "\r":
            pass
        else:
            lines[-1] = part + lines[-1][len(part) :]
    return [line.rstrip() for line in lines]


def test_done_time_left_and_figures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    bar = Progress(4)
    for done in range(1, 5):
        bar.show(done, f"{done}/4 pictures", f"loss {done / 4:.2f}")
    bar.close()
    lines = drawn(capsys.readouterr().err)
    assert len(lines) == 4
    assert re.fullmatch(r"1/4 pictures  \|█+\S? +\|  \? left, loss 0\.25", lines[0])
    assert re.fullmatch(r"4/4 pictures  \|█+\|  00:00 left, loss 1\.00", lines[3])


@pytest.mark.parametrize("columns", [20, 40, 60, 120])
def test_it_fits_the_terminal(
    columns: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_terminal(monkeypatch, columns)
    bar = Progress(9)
    for done in range(1, 10):
        bar.show(done, f"batch {done}/9", "loss 0.12345, average 0.12345, rate 0.1")
    lines = drawn(capsys.readouterr().err)
    assert max(len(line) for line in lines) == min(columns, 76)
    assert all(line.startswith("batch ") for line in lines)
    if columns >= 40:
        assert all(" left" in line for line in lines)
    if columns == 120:
        assert all(line.endswith("rate 0.1") for line in lines)


def test_lines_stay_above_it_and_it_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    bar = Progress(3)
    bar.wait("preparing the first batch...")
    bar.show(1, "one")
    say("a warning")
    bar.show(2, "two")
    assert screen(capsys.readouterr().err)[0] == "a warning"
    bar.close()
    bar.close()
    say("the end")
    assert screen(capsys.readouterr().err) == ["the end", ""]


def test_no_word_of_it_drives_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    Progress(3).show(1, "\x1b[2J\n", "\x9b\r")
    assert not set(capsys.readouterr().err) & {"\x1b", "\n", "\x9b"}


def test_without_an_end_there_are_figures_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_terminal(monkeypatch)
    bar = Progress()
    bar.show(1, "batch 1", "loss 1")
    bar.show(7, "batch 7", "loss 0.5")
    assert drawn(capsys.readouterr().err) == ["batch 1, loss 1", "batch 7, loss 0.5"]


def test_there_is_none_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progress(2)
    bar.wait("for nothing")
    bar.show(1, "one")
    bar.close()
    say("a line")
    assert capsys.readouterr() == ("", "a line\n")


def dream(shown: DreamProgress) -> None:
    for number in range(2):
        for iteration in range(3):
            shown.show(Stepped(number, iteration))
        shown.show(Finished(number, PICTURE))


def test_the_c_programs_lines_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    dream(DreamProgress(2, 3, quiet=False))
    assert capsys.readouterr() == ("", "Iteration: 0, 1, 2, done\n" * 2)


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_of_a_dream_where_it_is_to_be_quiet(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    dream(DreamProgress(2, 3, quiet=True))
    assert capsys.readouterr() == ("", "")


def test_a_dreams_rounds_and_iterations(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bar makes room where a round ends: the picture's name is printed there."""
    on_terminal(monkeypatch)
    shown = DreamProgress(2, 3, quiet=False)
    shown.show(Stepped(0, 0))
    shown.show(Finished(0, PICTURE))
    assert screen(capsys.readouterr().err) == [""]
    dream(shown)
    shown.close()
    err = capsys.readouterr().err
    assert any(line.startswith("round 2/2  iteration 1/3  |") for line in drawn(err))
    assert screen(err) == [""]


def test_an_interruption_ends_a_dreams_line(capsys: pytest.CaptureFixture[str]) -> None:
    shown = DreamProgress(2, 3, quiet=False)
    shown.close()
    assert capsys.readouterr().err == ""
    shown.show(Stepped(0, 0))
    shown.close()
    shown.close()
    assert capsys.readouterr().err == "Iteration: 0, \n"
