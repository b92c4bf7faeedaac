from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import DarknetError
from darknet_py.images import smooth
from darknet_py.tasks.chart import chart_panels, save_chart
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
    assert np.asarray(accuracy.series[0].y).tolist() == [100 * share for share in one.valid_top1]
    assert np.asarray(rate.series[0].y).tolist() == one.rate


def test_several_runs_have_raw_and_smoothed_losses_too() -> None:
    losses, _, rate = chart_panels([run("a", 0), run("b", 1)])
    assert [(series.name, series.faint) for series in losses.series] == [
        *(("", True), ("a", False), ("", True), ("b", False))
    ]
    assert [series.name for series in rate.series] == ["a", "b"]
    assert [panel.title for panel in chart_panels([run("a", 0, valid=False)])] == [
        "Loss",
        "Learning rate",
    ]


def test_png(tmp_path: Path) -> None:
    path = tmp_path / "both.png"
    save_chart(path, [run("a", 0), run("b", 1)])
    with Image.open(path) as chart:
        assert chart.size == (1000, 900)


def test_svg(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="an SVG needs matplotlib")
    path, again = tmp_path / "both.svg", tmp_path / "again.SVG"
    for each in (path, again):
        save_chart(each, [run("first run", 0), run("b", 1)])
    assert path.read_bytes() == again.read_bytes()
    root = ET.fromstring(path.read_text())
    assert root.tag.endswith("svg")
    words = {"".join(text.itertext()).strip() for text in root.iter() if text.tag.endswith("text")}
    assert {"Loss", "Validation accuracy", "Learning rate", "first run", "b", "batch"} <= words


def test_svg_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DarknetError, match=r"needs matplotlib: pip install 'darknet\[plot\]'"):
        save_chart(tmp_path / "a.svg", [run("a", 0)])
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="an SVG needs matplotlib")
    with pytest.raises(DarknetError, match="cannot be written: No such file"):
        save_chart(tmp_path / "none/a.svg", [run("a", 0)])
