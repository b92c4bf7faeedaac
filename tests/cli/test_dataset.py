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
    _, out, err = darknet("dataset", "mean", photos)
    assert out.startswith("mean=")
    assert "\r\x1b[2K10/10 pictures\r\x1b[2K" in err
