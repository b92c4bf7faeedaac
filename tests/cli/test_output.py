"""Standard output and error that take nothing, or take it slowly, whatever the command."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from darknet_py.cli.output import Streams
from scripts.trials import kills
from tests.cli.conftest import Result, Run
from tests.support.noise import CFG, draw_noise
from tests.support.processes import ROOT

WORDS = {
    "train": ("train", "ds", "n.cfg", "--backup", "b", "--valid-every", 2),
    "finetune": (
        *("finetune", "ds", "base.cfg", "base.weights", "-o", "b", "--views", 1, "--all"),
        *("--head-epochs", 1, "--epochs", 1, "--batch", 8),
    ),
}
WEIGHTS = {"train": "b/n.weights", "finetune": "b/base.weights"}


@pytest.fixture
def run(darknet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """run("train"), run("finetune")"""
    monkeypatch.setattr("darknet_py.tasks.chart.save_chart", lambda path, *_: path.touch())
    monkeypatch.setattr("darknet_py.tasks.finetune.run._COUNTED", 8)
    monkeypatch.chdir(tmp_path)
    draw_noise(Path("ds"), 4)
    Path("n.cfg").write_text(CFG.replace("max_batches=20", "max_batches=4"))
    Path("base.cfg").write_text(kills.BASE.format(""))
    kills.draw_weights(Path("base.cfg"))
    return lambda name: darknet(*WORDS[name])


@pytest.fixture
def broken() -> Iterator[Callable[[str], object]]:
    """A stream that takes nothing, of a kind; None: it was closed before the program began."""
    opened: list[object] = []

    def make(kind: str) -> object:
        if kind == "closed":
            return None
        if kind == "full":
            file = open("/dev/full", "w")  # noqa: SIM115
        else:
            reads, writes = os.pipe() if kind == "gone" else os.openpty()
            os.close(reads)
            file = os.fdopen(writes, "w")
        opened.append(file)
        return file

    yield make
    for file in opened:
        file.close()  # type: ignore[attr-defined]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("name", "sorts"),
    [
        ("train", [["stdout"], ["stderr"], ["stdout", "stderr"]]),
        ("finetune", [["stdout"], ["stderr"]]),
    ],
)
def test_streams_that_take_nothing_end_no_training(
    run: Callable[[str], Result],
    name: str,
    sorts: list[list[str]],
    broken: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """hung up: as a terminal is that has been closed, for a program that nohup began."""
    assert run(name).code == 0
    expected = Path(WEIGHTS[name]).read_bytes()
    reasons = {
        "closed": "it is closed",
        "full": "No space left on device",
        "gone": "Broken pipe",
        "hung up": "Input/output error",
    }
    for kind, reason in reasons.items():
        for streams in sorts:
            Path("b").rename(f"before {kind} {len(streams)} {streams[0]}")
            with monkeypatch.context() as patch:
                for stream in streams:
                    patch.setattr(sys, stream, broken(kind))
                code, _, err = run(name)
            assert code == 1, (kind, streams)
            assert Path(WEIGHTS[name]).read_bytes() == expected
            said = f"darknet: standard output cannot be written: {reason}: its lines are lost"
            assert err.count(said) == (streams == ["stdout"])
            assert not list(Path("b").glob(".*"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("full", "darknet: standard output cannot be written: No space left on device\n"),
        ("closed", "darknet: standard output cannot be written: it is closed\n"),
        ("gone", ""),
    ],
)
@pytest.mark.parametrize("words", [("info", "n.cfg"), ("ops", "n.cfg"), ("--help",)], ids=" ".join)
def test_output_that_cannot_be_written_is_one_line(
    run: Callable[[str], Result],
    darknet: Run,
    broken: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    said: str,
    words: tuple[str, ...],
) -> None:
    monkeypatch.setattr(sys, "stdout", broken(what))
    code, _, err = darknet(*words)
    assert (code, err) == (1, said)


@pytest.mark.parametrize("closed", [(0, 1, 2), (1,), (2,), (0, 2)])
def test_no_file_takes_the_place_of_a_stream_that_is_closed(
    tmp_path: Path, closed: tuple[int, ...]
) -> None:
    code = (
        "import os, sys; from darknet_py.cli.console import prepare_streams; prepare_streams(); "
        "file = open(sys.argv[1], 'w'); file.write(str(file.fileno())); file.flush(); "
        "[os.write(number, b'?') for number in (1, 2)]"
    )
    closes = " ".join(f"{number}>&-" for number in closed)
    command = f'exec "$0" -c "$1" "$2" {closes}'
    words = ["sh", "-c", command, sys.executable, code, str(tmp_path / "file")]
    subprocess.run(
        words, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert int((tmp_path / "file").read_text()) > 2


def test_a_pipe_that_does_not_wait_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one is that another program has made so."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    got = bytearray()

    def read() -> None:
        while data := os.read(reads, 1 << 14):
            got.extend(data)
            time.sleep(0.001)

    reader = threading.Thread(target=read)
    file = os.fdopen(writes, "w")
    monkeypatch.setattr(sys, "stdout", file)
    streams = Streams()
    reader.start()
    text = "".join(f"{number}\n" for number in range(50_000))
    sys.stdout.write(text)
    assert streams.end()
    file.close()
    reader.join()
    os.close(reads)
    assert got.decode() == text
