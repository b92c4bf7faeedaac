from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.network.settings import read_settings
from tests.cli.conftest import Run
from tests.images.sets import make_folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "photos", {"cat": 6, "dog": 4})


def test_the_mean_can_be_pasted_into_net(darknet: Run, photos: Path) -> None:
    (photos / "dog" / "bad.png").write_text("no picture")
    code, out, err = darknet("dataset", "mean", photos, "--threads", 2)
    assert code == 0
    assert re.fullmatch(r"(mean|std)=0\.\d{6},0\.\d{6},0\.\d{6}\n" * 2, out)
    assert re.search(r"left out: .*dog/bad\.png: is not a picture", err)
    assert re.search(r"10 pictures, \d+ pixels\n$", err)
    (section,) = parse_sections(f"[net]\nwidth=4\nheight=4\nchannels=3\n{out}")
    settings = read_settings(section)
    document = json.loads(darknet("dataset", "mean", photos, "--json").out)
    assert document["pictures"] == 10
    assert document["refused"] == 1
    np.testing.assert_allclose(settings.mean, document["mean"], atol=1e-6)
    np.testing.assert_allclose(settings.deviation, document["std"], atol=1e-6)
    grey = darknet("dataset", "mean", photos, "--channels", 1, "--size", 4).out
    assert re.fullmatch(r"mean=0\.\d{6}\nstd=0\.\d{6}\n", grey)


def test_a_count_on_a_terminal(darknet: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("darknet_py.cli.progress.INTERVAL", 0)
    _, out, err = darknet("dataset", "mean", photos)
    assert out.startswith("mean=")
    assert "\r10/10 pictures  |██████████|  00:00 left" in err


def test_prepared_pictures_are_trained_on(darknet: Run, photos: Path, tmp_path: Path) -> None:
    (photos / "dog" / "bad.png").write_text("no picture")
    out = tmp_path / "small"
    code, said, err = darknet("dataset", "prepare", photos, out, "--size", 8, "--share", 0.2)
    assert code == 0
    counts = re.match(re.escape(f"{out}: 2 classes, ") + r"(\d) pictures to train on, (\d) ", said)
    assert counts
    assert sum(map(int, counts.groups())) == 10
    assert said.endswith(" to validate with; 0 were there, 1 left out\n")
    assert err.count("\n") == 1
    assert re.match(r"left out: .*dog/bad\.png: is not a picture", err)
    for data in (out, out / "train.txt", out / "dataset.data"):
        code, said, _ = darknet("classifier", "check", data)
        assert code == 0
        assert f"2 classes, {counts[1]} pictures to train on, {counts[2]} to validate with" in said
    _, said, _ = darknet("dataset", "prepare", photos, out, "--size", 8, "--share", 0.2)
    assert "; 10 were there, 1 left out" in said


def test_pictures_on_both_sides_are_named(darknet: Run, tmp_path: Path) -> None:
    make_folder(tmp_path / "photos" / "train", {"cat": 3})
    make_folder(tmp_path / "photos" / "test", {"cat": 2})
    _, _, err = darknet("dataset", "prepare", tmp_path / "photos", tmp_path / "small", "--png")
    assert err.count(": the same picture is trained on: ") == err.count("\n") == 2


def test_prepare_refuses_the_folder_itself(darknet: Run, photos: Path) -> None:
    code, out, err = darknet("dataset", "prepare", photos, photos / "small")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "which is only read: name a folder outside" in err
