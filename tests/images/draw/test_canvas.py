from __future__ import annotations

import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import DarknetError, PictureError
from darknet_py.images.draw import fonts
from darknet_py.images.draw.canvas import PALETTE, Drawing, save_drawing
from darknet_py.images.draw.chart import Panel, Series, draw_chart

XML = "{http://www.w3.org/2000/svg}"


def chart(name: str = "first run") -> Drawing:
    return draw_chart([Panel("Loss", "batch", "$loss$", [Series(name, [1, 2, 3], [3, 1, 2])])])


def luminance(color: str) -> float:
    """Relative luminance, as the web's rules for contrast define it."""
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 255 / 12.92 for c in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_the_palettes_colours_stand_out_from_paper() -> None:
    assert len(set(PALETTE)) == len(PALETTE)
    assert all(1.05 / (luminance(color) + 0.05) > 2 for color in PALETTE)


@pytest.mark.parametrize("suffix", ["png", "jpg", "svg", "SVG"])
def test_a_file_is_the_same_each_time(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"]
    for path in paths:
        save_drawing(chart(), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"date" not in paths[0].read_bytes()


def test_letters_of_an_svg_are_letters(tmp_path: Path) -> None:
    save_drawing(chart(), tmp_path / "a.svg")
    root = ET.fromstring((tmp_path / "a.svg").read_text())
    assert root.tag == f"{XML}svg"
    words = {"".join(each.itertext()).strip() for each in root.iter(f"{XML}text")}
    assert {"Loss", "first run", "batch", "$loss$"} <= words
    assert {"sans-serif" in (each.get("style") or "") for each in root.iter(f"{XML}text")} == {True}


def test_letters_that_few_fonts_have_are_outlines_in_an_svg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "BASE", "DejaVu Serif")
    monkeypatch.setattr("darknet_py.images.draw.canvas.families", lambda text: ("DejaVu Serif",))
    save_drawing(chart(), tmp_path / "a.svg")
    root = ET.fromstring((tmp_path / "a.svg").read_text())
    assert not list(root.iter(f"{XML}text"))


def test_the_users_settings_change_nothing_and_are_kept() -> None:
    expected = chart().pixels()
    with matplotlib.rc_context(
        {"font.size": 40, "lines.linewidth": 9, "axes.facecolor": "red", "text.parse_math": True}
    ):
        drawing = chart()
        np.testing.assert_array_equal(drawing.pixels(), expected)
        svg = drawing.svg()
        assert matplotlib.rcParams["font.size"] == 40
    assert svg == chart().svg()
    assert "matplotlib.pyplot" not in sys.modules


def test_a_matplotlibrc_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nno.such.key: 1\nlines.linewidth: 7\n")
    code = (
        "from darknet_py.images.draw.canvas import save_drawing\n"
        "from darknet_py.images.draw.chart import Panel, Series, draw_chart\n"
        "save_drawing(draw_chart([Panel('a', 'b', 'c', [Series('d', [1, 2], [3, 4])])]), 'a.png')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
    here = draw_chart([Panel("a", "b", "c", [Series("d", [1, 2], [3, 4])])])
    save_drawing(here, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_threads_do_not_disturb_each_other() -> None:
    expected = [chart(name).pixels() for name in "ab"]
    found: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda k=k: found.update({k: chart("ab"[k % 2]).pixels()}))
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        np.testing.assert_array_equal(found[k], expected[k % 2])


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    for name in ("a.gif", "a", "a.pdf"):
        with pytest.raises(PictureError, match=r"end the name in \.png, \.jpg, \.jpeg, \.svg"):
            save_drawing(chart(), tmp_path / name)
    for name in ("none/a.svg", "none/a.png"):
        with pytest.raises(DarknetError, match="cannot be written: No such file"):
            save_drawing(chart(), tmp_path / name)
    for name in ("a\0.svg", "a\0.png"):
        with pytest.raises(PictureError, match="is not a name that a file can have"):
            save_drawing(chart(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_png_has_the_pixels(tmp_path: Path) -> None:
    save_drawing(chart(), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as png:
        pixels = np.asarray(png, np.float32) / 255
    np.testing.assert_allclose(pixels, chart().pixels(), atol=1e-6)


def test_a_matplotlib_that_does_not_start_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts.load_matplotlib.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DarknetError, match=r"matplotlib, which draws charts, does not start: "):
        chart()
    monkeypatch.undo()
    fonts.load_matplotlib.cache_clear()
    chart()
