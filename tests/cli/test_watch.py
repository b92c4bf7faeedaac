"""The chart of a training on its way: drawn now and then, and never the end of the training."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from darknet_py.cli.watch import Watcher
from darknet_py.errors import DarknetError
from darknet_py.tasks.events import Trained, Validated
from darknet_py.tasks.metrics import read_metrics
from darknet_py.tasks.valid import Evaluation


def trained(batch: int) -> Trained:
    return Trained(batch, 0.1 * batch, 1.0, 1.0, 0.1, 0.01, 8 * batch, 0.0)


@pytest.mark.parametrize(
    "error", [DarknetError("no chart"), ValueError("a bug"), MemoryError(), OverflowError("large")]
)
def test_a_chart_that_fails_is_said_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("darknet_py.tasks.chart.save_chart", fail)
    monkeypatch.setattr("darknet_py.tasks.run_log._REDRAW", -1.0)
    watcher = Watcher(tmp_path / "metrics.csv", tmp_path / "chart.png", 9, quiet=True)
    for batch in range(1, 4):
        watcher.show(trained(batch))
    watcher.close()
    err = capsys.readouterr().err
    assert err.count("warning: no chart: ") == 1
    assert (str(error) or "MemoryError") in err
    assert (tmp_path / "metrics.csv").read_text().count("\n") == 4


def test_a_validation_after_a_chart_is_in_its_batchs_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darknet_py.tasks.chart.save_chart", lambda *_: None)
    monkeypatch.setattr("darknet_py.tasks.run_log._REDRAW", -1.0)
    monkeypatch.setattr("darknet_py.tasks.run_log._DRAWING", 1e9)
    watcher = Watcher(tmp_path / "metrics.csv", tmp_path / "chart.png", 9, quiet=True)
    found = Evaluation(("a", "b"), np.array([[3, 1], [0, 4]]), 1, 0, 0.5)
    for batch in (1, 2):
        watcher.show(trained(batch))
        watcher.show(Validated(batch, found, best=True))
    watcher.close()
    metrics = read_metrics(tmp_path / "metrics.csv")
    assert (metrics.batch, metrics.valid_batch) == ([1, 2], [1, 2])


def test_drawing_takes_little_of_a_trainings_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After one, a hundred times as long as it took none follows."""
    drawn = []

    def draw(*_: object) -> None:
        drawn.append(time.monotonic())
        time.sleep(0.2)

    monkeypatch.setattr("darknet_py.tasks.chart.save_chart", draw)
    monkeypatch.setattr("darknet_py.tasks.run_log._REDRAW", -1.0)
    watcher = Watcher(tmp_path / "metrics.csv", tmp_path / "chart.png", 0, quiet=True)
    for batch in range(1, 20):
        watcher.show(trained(batch))
    assert len(drawn) == 1
    watcher._log._drawn_at -= 101 * watcher._log._drawing
    watcher.show(trained(20))
    assert len(drawn) == 2
