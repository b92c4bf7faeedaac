from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import DarknetError
from darknet_py.images.draw.chart import draw_chart
from darknet_py.images.draw.curves import smooth
from darknet_py.tasks.chart import chart_panels, run_names, save_chart
from darknet_py.tasks.metrics import Metrics


def run(name: str, seed: int, valid: bool = True) -> Metrics:
    rng = np.random.default_rng(seed)
    batch = list(range(1, 201))
    loss = (2 / np.sqrt(batch) + 0.1 * rng.random(200)).tolist()
    at = batch[49::50] if valid else []
    shares = [0.5 + k / 1000 for k in at]
    return Metrics(name, batch, loss, [0.1 / k for k in batch], at, shares, [1.0] * len(at))


def test_one_run() -> None:
    one = run("a", 0)
    losses, accuracy, rate = chart_panels([one], 0.8)
    raw, smoothed, valid = losses.series
    assert (raw.faint, smoothed.faint, valid.dots) == (True, False, True)
    assert np.asarray(raw.y).tolist() == one.loss
    assert np.asarray(smoothed.y).tolist() == smooth(one.loss, 0.8)
    assert [series.name for series in losses.series] == [
        "loss of a batch",
        "smoothed",
        "validation",
    ]
    percent, best = accuracy.series
    assert np.asarray(percent.y).tolist() == [100 * share for share in one.valid_top1]
    assert (best.star, best.x, best.y, best.name) == (
        *(True, [200], [70.0], "best: 70.00 % at batch 200"),
    )
    assert np.asarray(rate.series[0].y).tolist() == one.rate
    assert percent.style == valid.style != raw.style == smoothed.style


def test_the_best_is_the_first_of_the_highest_that_are_numbers() -> None:
    one = replace(run("a", 0), valid_top1=[0.5, 0.9, math.nan, 0.9])
    best = chart_panels([one])[1].series[-1]
    assert (best.x, best.star) == ([100], True)
    none = replace(one, valid_top1=[math.nan] * 4)
    assert not any(series.star for series in chart_panels([none])[1].series)


def test_a_spike_of_validation_does_not_flatten_the_loss() -> None:
    one = run("a", 0)
    spiky = replace(one, valid_loss=[1.0, 4000.0, 1.0, 1.0])
    panel = chart_panels([spiky])[0]
    assert panel.top == max(one.loss)
    axes = draw_chart([panel]).figure.axes[0]
    assert axes.get_ylim()[1] < 2.5
    (mark,) = [line for line in axes.get_lines() if line.get_marker() == "^"]
    assert mark.get_xdata().tolist() == [100]


def test_rates_that_fall_by_steps_are_shown_by_their_logarithm() -> None:
    one = run("a", 0)
    assert not chart_panels([one])[-1].log_y  # 200 of them
    steps = [0.1] * 100 + [0.01] * 50 + [0.001] * 50
    assert chart_panels([replace(one, rate=steps)])[-1].log_y
    assert not chart_panels([replace(one, rate=[0.1] * 200)])[-1].log_y
    assert not chart_panels([replace(one, rate=[*steps[:-1], 0.0])])[-1].log_y


def test_several_runs_have_raw_and_smoothed_losses_too() -> None:
    """Each has its own style, also where another has no validation."""
    runs = [run("a", 0), run("b", 1, valid=False), run("c", 2)]
    losses, accuracy, rate = chart_panels(runs)
    assert [(series.name, series.faint, series.style) for series in losses.series] == [
        *(("", True, 0), ("a", False, 0), ("", True, 1), ("b", False, 1)),
        *(("", True, 2), ("c", False, 2)),
    ]
    assert [(series.name, series.style) for series in rate.series] == [("a", 0), ("b", 1), ("c", 2)]
    assert [(series.name, series.note, series.style) for series in accuracy.series] == [
        *(("a", "best: 70.00 % at batch 200", 0), ("", "", 0)),
        *(("c", "best: 70.00 % at batch 200", 2), ("", "", 2)),
    ]
    assert [panel.title for panel in chart_panels([run("a", 0, valid=False)])] == [
        "Loss",
        "Learning rate",
    ]


@pytest.mark.parametrize(
    "loss",
    [[math.nan] * 3, [math.inf, 1.0, -math.inf], [1e308, 1.0, 2.0], []],
)
def test_losses_that_are_no_numbers_are_drawn_as_far_as_they_are(loss: list[float]) -> None:
    batch = list(range(1, len(loss) + 1))
    nothing = Metrics("a", batch, loss, [math.nan] * len(loss), batch, loss, loss)
    assert draw_chart(chart_panels([nothing, nothing])).pixels().min() >= 0
    assert draw_chart(chart_panels([nothing])).pixels().min() >= 0


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["backup"], ["backup"]),
        (["a/backup", "b/backup"], ["a", "b"]),
        (["a/backup/", "b/backup/metrics.csv"], ["a", "b"]),
        (["x/a/backup", "y/a/backup", "x/b/backup"], ["x/a", "y/a", "b"]),
        (["a/backup", "b/backup", "other"], ["a/backup", "b/backup", "other"]),
        (["out/head", "out/last", "out/all"], ["head", "last", "all"]),
        (["a/run", "a/run"], ["run", "run (2)"]),
        (["run", "a/run", "a/run"], ["HERE", "a", "a (2)"]),
    ],
)
def test_names_tell_runs_apart(paths: list[str], names: list[str]) -> None:
    assert run_names(paths) == [name.replace("HERE", Path.cwd().name) for name in names]


def test_png(tmp_path: Path) -> None:
    path = tmp_path / "both.png"
    save_chart(path, [run("a", 0), run("b", 1)])
    with Image.open(path) as chart:
        assert chart.size == (1000, 900)


def test_svg(tmp_path: Path) -> None:
    path, again = tmp_path / "both.svg", tmp_path / "again.SVG"
    for each in (path, again):
        save_chart(each, [run("first run", 0), run("b", 1)])
    assert path.read_bytes() == again.read_bytes()
    root = ET.fromstring(path.read_text())
    assert root.tag.endswith("svg")
    words = {"".join(text.itertext()).strip() for text in root.iter() if text.tag.endswith("text")}
    assert {"Loss", "Validation accuracy", "Learning rate", "first run", "b", "batch"} <= words


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DarknetError, match="cannot be written: No such file"):
        save_chart(tmp_path / "none/a.svg", [run("a", 0)])


def test_trainings_of_one_folder_have_names_of_their_own() -> None:
    assert run_names(["b/metrics.csv", "b/net_metrics.csv"]) == ["b", "net"]
