from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Model, Run


def test_prints_the_layer_table(darknet: Run, model: Model) -> None:
    code, out, err = darknet("info", model.cfg)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "layer     filters    size              input                output"
    assert lines[1] == "    0 conv     16  3 x 3 / 1    48 x  36 x   3   ->    48 x  36 x  16"
    assert lines[2] == "    1 max          2 x 2 / 2    48 x  36 x  16   ->    24 x  18 x  16"
    assert lines[-1] == "    8 softmax                                          10"
    assert len(lines) == 10


def test_finds_the_cfgs_that_come_with_the_program(
    darknet: Run, tmp_path: Path, monkeypatch: object
) -> None:
    import os

    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert len(darknet("info", "cfg/tiny.cfg").out.splitlines()) == 24
    finally:
        os.chdir(before)


def test_strict(darknet: Run, tmp_path: Path) -> None:
    cfg = tmp_path / "odd.cfg"
    cfg.write_text("[net]\nwidth=4\nheight=4\nchannels=3\ncolour=1\n[avgpool]\n")
    code, _, err = darknet("info", cfg)
    assert (code, err) == (0, f"warning: {cfg}:5: [net] colour= is not used\n")
    code, out, err = darknet("info", "--strict", cfg)
    assert (code, out, err) == (1, "", f"darknet: {cfg}:5: [net] colour= is not used\n")
