from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images.charts.drawing import (
    PALETTE,
    lighten,
    new_canvas,
    shorten,
    spell,
    text_width,
    to_picture,
    write,
    write_upwards,
)
from tests.images.paint import check_picture


def luminance(color: tuple[int, int, int]) -> float:
    """Relative luminance, as the web's rules for contrast define it."""
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 if c > 10 else c / 255 / 12.92 for c in color]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_the_palettes_colours_stand_out_from_paper() -> None:
    assert len(set(PALETTE)) == len(PALETTE)
    assert all(1.05 / (luminance(color) + 0.05) > 2 for color in PALETTE)


def test_lighten() -> None:
    assert lighten((0, 100, 255), 0.5) == (128, 178, 255)
    assert lighten((0, 100, 255), 0) == (0, 100, 255)


def test_a_canvas_is_a_white_picture() -> None:
    picture = to_picture(new_canvas(5, 3))
    check_picture(picture, 3, 5)
    assert (picture == 1).all()


def test_spell() -> None:
    assert spell("São Tomé") == "Sao Tome"
    assert spell("two\nlines\x1b") == "two\\nlines\\x1b"
    assert spell("a plain name_1.jpg") == "a plain name_1.jpg"


@given(st.text(max_size=200) | st.text("abc W.", max_size=200), st.integers(0, 300))
def test_shortened_text_fits(text: str, width: int) -> None:
    short = shorten(text, width, 12)
    assert short == "…" or text_width(short, 12) <= width
    if text_width(text, 12) <= width:
        assert short == spell(text)
    elif spell(text):
        assert short.endswith("…")
        assert spell(text).startswith(short[:-1])


def test_shortened_text_is_as_long_as_fits() -> None:
    text = "thequickbrownfoxjumpsoverthelazydog"
    short = shorten(text, 120, 12)
    assert 5 < len(short) < len(text)
    assert text_width(text[: len(short)] + "…", 12) > 120
    assert shorten("word", -5, 12) == "…"
    assert shorten("", -5, 12) == ""
    assert shorten("a word and another", text_width("a word …", 12), 12) == "a word…"


def test_the_longest_text_takes_no_time() -> None:
    assert shorten("x" * 10**6, 50, 12).endswith("…")


@given(st.text(max_size=20))
def test_any_text_can_be_written(text: str) -> None:
    canvas = new_canvas(120, 120)
    write(canvas, (60, 60), text, 12, "mm")
    write_upwards(canvas, (60, 60), text, 12, "mm")


def inked(text: str, anchor: str, upwards: bool = False) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a text at (100, 100)."""
    canvas = new_canvas(200, 200)
    (write_upwards if upwards else write)(canvas, (100, 100), text, 14, anchor)
    rows, columns = np.where(to_picture(canvas)[:, :, 0] < 0.9)
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def test_text_lies_where_its_anchor_says() -> None:
    left, top, right, bottom = inked("Hamburg", "lm")
    assert left == pytest.approx(100, abs=3)
    assert (top + bottom) / 2 == pytest.approx(100, abs=3)
    assert inked("Hamburg", "rm")[2] == pytest.approx(100, abs=3)
    middle = inked("Hamburg", "mm")
    assert (middle[0] + middle[2]) / 2 == pytest.approx(100, abs=2)
    assert middle[2] - middle[0] == pytest.approx(right - left, abs=1)


def test_text_that_reads_upwards_is_turned_by_a_quarter() -> None:
    left, top, right, bottom = inked("Hamburg", "lm")
    up_left, up_top, up_right, up_bottom = inked("Hamburg", "lm", upwards=True)
    assert (up_right - up_left, up_bottom - up_top) == (bottom - top, right - left)
    assert up_bottom == pytest.approx(100, abs=3)
    assert (up_left + up_right) / 2 == pytest.approx(100, abs=3)
    _, up_top, _, up_bottom = inked("Hamburg", "mm", upwards=True)
    assert (up_top + up_bottom) / 2 == pytest.approx(100, abs=2)
