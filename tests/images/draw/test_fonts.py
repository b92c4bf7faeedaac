from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import font_manager

from darknet_py.images.draw import fonts
from darknet_py.images.draw.fonts import (
    BASE,
    drawable_names,
    families,
    is_drawable,
    shorten,
    spell,
    text_mask,
    text_width,
)

NOWHERE = "\U0003abcd"
"""No letter yet: nothing but fonts of boxes has it."""


def test_spell() -> None:
    assert spell("São Tomé, Ωмега") == "São Tomé, Ωмега"
    assert spell("Sa\u0303o") == "São"
    assert spell("two\nlines\x1b") == "two\\nlines\\x1b"
    assert spell("a\u3000b\xa0c") == "a b c"
    assert spell("caf\udce9.png") == "caf\\xe9.png"
    assert spell("\udcce\udca9") == "Ω"  # its bytes, as the C locale takes them
    assert spell("\ud800") == "\\ud800"
    assert spell("a plain name_1.jpg") == "a plain name_1.jpg"


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Nothing but these fonts is installed."""
    for each in (fonts._has, fonts._fallbacks, fonts._measure):
        each.cache_clear()
    monkeypatch.setattr(fonts, "_installed", lambda: names)


def test_letters_that_no_font_has_become_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    assert not is_drawable("猫")
    assert families("猫") == (BASE,)
    assert spell("a猫.png") == "a\\u732b.png"
    names = ["dog", "猫", "caf\udce9", "é", "🐕"]
    assert drawable_names(names) == ["dog", "class 1", "caf\\xe9", "é", "class 4"]
    assert drawable_names(["猫"], "run") == ["run 0"]
    fonts._fallbacks.cache_clear()


def test_a_font_that_has_the_letters_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """STIXGeneral, which comes with matplotlib, has letters that DejaVu Sans lacks."""
    stix = font_manager.get_font(font_manager.findfont("STIXGeneral")).get_charmap()
    dejavu = font_manager.get_font(font_manager.findfont(BASE)).get_charmap()
    lacking = map(chr, sorted(set(stix) - set(dejavu)))
    letter = next(each for each in lacking if unicodedata.category(each) == "Sm")
    only(monkeypatch, "DejaVu Sans Mono", "STIXGeneral")
    assert families(f"a {letter}") == (BASE, "STIXGeneral")
    assert spell(letter) == letter
    assert drawable_names([letter]) == [letter]
    assert (text_mask(letter, 20) > 0).any()
    only(monkeypatch, "DejaVu Sans Mono")
    assert families(letter) == (BASE,)
    assert drawable_names([letter]) == ["class 0"]
    fonts._fallbacks.cache_clear()


def test_fonts_of_boxes_do_not_count() -> None:
    assert not any("Last Resort" in name for name in fonts._installed())
    assert not is_drawable(NOWHERE)


def test_fonts_that_are_new_or_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new.ttf").write_bytes(b"no font")
    found = font_manager.findSystemFonts()
    monkeypatch.setattr(
        "matplotlib.font_manager.findSystemFonts", lambda: [*found, str(tmp_path / "new.ttf")]
    )
    fonts._installed.cache_clear()
    assert BASE in fonts._installed()
    # one that matplotlib's list does not have yet
    serif = font_manager.findfont("DejaVu Serif")
    (tmp_path / "new.ttf").write_bytes(Path(serif).read_bytes())
    entries = [e for e in font_manager.fontManager.ttflist if e.name != "DejaVu Serif"]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", entries)
    monkeypatch.setattr(
        "matplotlib.font_manager.findSystemFonts", lambda: [str(tmp_path / "new.ttf")]
    )
    fonts._installed.cache_clear()
    assert "DejaVu Serif" in fonts._installed()
    fonts._installed.cache_clear()


def test_letters_that_would_be_drawn_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arabic letters would stand alone, and in the wrong order, where no library joins them."""
    from matplotlib import ft2font

    monkeypatch.delattr(ft2font, "__libraqm_version__", raising=False)
    only(monkeypatch)
    assert drawable_names(["قطة", "dog"]) == ["class 0", "dog"]
    monkeypatch.undo()
    for each in (fonts._has, fonts._fallbacks):
        each.cache_clear()


@given(st.text(max_size=60) | st.text("abc W.", max_size=200), st.integers(0, 300))
def test_shortened_text_fits(text: str, width: int) -> None:
    short = shorten(text, width, 12)
    assert short in ("…", "") or text_width(short, 12) <= width
    if text_width(text, 12) <= width:
        assert short == spell(text)
    elif spell(text):
        assert "…" in short


def test_shortened_names_keep_both_ends() -> None:
    short = shorten("a_long_name_of_a_folder_number_7", 120, 12)
    assert short.startswith("a_long")
    assert short.endswith("_7")
    assert shorten("word", -5, 12) == "…"
    assert shorten("", -5, 12) == ""
    assert len(shorten("x" * 10**6, 50, 12)) < 12


@given(st.text(max_size=20))
def test_any_text_can_be_written(text: str) -> None:
    assert text_mask(text, 12).dtype == np.uint8


def test_a_mask_holds_all_ink_of_a_text() -> None:
    masks = [text_mask(text, 14) for text in ("Hxyzg", "Égypte", "no")]
    assert len({mask.shape[0] for mask in masks}) == 1
    for mask in masks:
        edges = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
        assert not any(edge.any() for edge in edges)
        assert mask.max() > 200
    assert masks[0].shape[1] == pytest.approx(text_width("Hxyzg", 14), abs=3)
