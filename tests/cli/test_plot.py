from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run

HEAD = "batch,epoch,loss,average,rate,seconds,images,valid_loss,valid_top1,valid_topk\n"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two folders, each called backup, as the program's own default makes them."""
    monkeypatch.chdir(tmp_path)
    for name in ("small", "large"):
        folder = tmp_path / name / "backup"
        folder.mkdir(parents=True)
        rows = [f"{k},0.1,{3 / k},1,0.1,0.01,{8 * k},1,0.{k},0.9" for k in range(1, 9)]
        (folder / "metrics.csv").write_text(HEAD + "\n".join(rows) + "\n")
    return ["small/backup", "large/backup"]


def words(path: Path) -> set[str]:
    root = ET.fromstring(path.read_text())
    return {"".join(each.itertext()).strip() for each in root.iter() if each.tag.endswith("text")}


def test_runs_bear_what_tells_their_folders_apart(darknet: Run, runs: list[str]) -> None:
    assert darknet("plot", *runs, "-o", "both.svg").out == "both.svg\n"
    shown = words(Path("both.svg"))
    assert {"small", "large", "small, best: 80.00 % at batch 8"} <= shown
    assert not any("backup" in word for word in shown)


def test_one_run_has_no_name(darknet: Run, runs: list[str]) -> None:
    assert darknet("plot", runs[0] + "/metrics.csv").out == "chart.png\n"
    with Image.open("chart.png") as chart:
        assert chart.size == (1000, 900)
    darknet("plot", runs[0], "-o", "one.svg")
    assert {"loss of a batch", "smoothed", "best: 80.00 % at batch 8"} <= words(Path("one.svg"))


def test_names_of_no_picture(darknet: Run, runs: list[str]) -> None:
    result = darknet("plot", "nowhere", "-o", "a.gif")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "darknet: a.gif: cannot be written: end the name in .png, .jpg, .jpeg, .svg\n"
    )
