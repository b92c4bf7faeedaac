from __future__ import annotations

import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts/survey_cfgs"

NET = "[net]\nwidth=4\nheight=4\nchannels=3\n"


def test_each_cfg_is_counted_once_and_its_reason_said(tmp_path: Path) -> None:
    files = {
        "a.cfg": f"{NET}[softmax]\n",
        "again.cfg": f"{NET}[softmax]\n",
        "b.cfg": f"{NET}[conv]\nfilters=18#255\n",
        "sub/c.cfg.txt": f"{NET}[conv]\nfilters=7x\n",
        "d.cfg": f"{NET}[route]\nlayers=9\n",
        "setup.cfg": "[metadata]\nname=x\n",
    }
    (tmp_path / "sub").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    lines = "\n".join(runpy.run_path(str(SCRIPT))["survey"]([str(tmp_path)])).splitlines()
    assert lines == [
        "1 loaded, 2 loaded with warnings, 1 refused",
        "",
        "refused",
        f"     1  [route] layers=N: there is no such layer before layer N  (as {tmp_path}/d.cfg)",
        "",
        "warnings",
        f"     1  [conv] filters=N#N is read as N  (as {tmp_path}/b.cfg)",
        f"     1  [conv] filters=Nx is read as N  (as {tmp_path}/sub/c.cfg.txt)",
    ]


def test_a_folder_without_any(tmp_path: Path) -> None:
    report = list(runpy.run_path(str(SCRIPT))["survey"]([str(tmp_path)]))
    assert report == ["no cfgs", "\nrefused", "\nwarnings"]
