"""Text in pictures: which fonts have its glyphs, how it is spelled where none has, its width.

matplotlib brings DejaVu Sans, with Latin, Greek and Cyrillic letters and many signs; other glyphs
come from installed fonts.
"""

from __future__ import annotations

import logging
import os
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

import numpy as np

from darknet_py.errors import DarknetError
from darknet_py.images.arrays import Bytes
from darknet_py.text import legible, one_line

BASE = "DejaVu Sans"
_EMPTY = ("Last Resort", ".LastResort", "LastResort", "Adobe Blank", "Adobe NotDef")
"""Fonts with a box, or nothing, for every character."""
_COLOR = 1 << 14  # FreeType's flag of fonts made of pictures, which matplotlib cannot draw.
_SELECTORS = {0xFE0E: None, 0xFE0F: None}  # "As text" and "in colour", said of the sign before.
_PLAIN = ("sans", "gothic", "hei", "kaku")  # Parts of names of fonts whose strokes are even.
_JOINED = ("R", "AL")  # Letters written from right to left; most change with their neighbours.


@cache
def load_matplotlib() -> None:
    """Imports matplotlib, without its log of caches and settings. Raises DarknetError where it is
    not installed, or refuses the user's settings."""
    logger = logging.getLogger("matplotlib")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.ERROR)
    try:
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401
    except (ImportError, OSError, ValueError) as error:  # ValueError: MPLBACKEND, matplotlibrc.
        reason = str(error).split("; supported values")[0]
        raise DarknetError(f"matplotlib, which draws charts, does not start: {reason}") from error


def families(text: str) -> tuple[str, ...]:
    """The fonts to draw a text with: DejaVu Sans, then as few fallbacks as have what it lacks."""
    lacking = _lacking(text)
    return (BASE, *_fallbacks(lacking)) if lacking else (BASE,)


def is_drawable(text: str) -> bool:
    """Whether the fonts here have all glyphs of a text."""
    lacking = _lacking(text)
    return not lacking or not _uncovered(lacking, _fallbacks(lacking))


def spell(text: str) -> str:
    """The text on one line as it can be drawn: composed (NFC), which file names of macOS are not,
    and a character that no font has as its escape, such as \\u732b."""
    line = _line(text)
    if is_drawable(line):
        return line
    return "".join(c if is_drawable(c) else ascii(c)[1:-1] for c in line)


def drawable_names(names: Sequence[str], kind: str = "class") -> list[str]:
    """Names as pictures show them: "class 7", or another kind, where no font has one's glyphs."""
    lines = [_line(name) for name in names]
    return [line if is_drawable(line) else f"{kind} {number}" for number, line in enumerate(lines)]


def _line(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    whole = unicodedata.normalize("NFC", legible(text)).translate(_SELECTORS)
    return one_line("".join(" " if unicodedata.category(c) == "Zs" else c for c in whole))


def text_width(text: str, size: float) -> float:
    """The width in pixels of a line of text of font size `size`, in pixels."""
    return _measure(spell(text), size)[0]


def text_mask(text: str, size: float) -> Bytes:
    """A line of text as an alpha mask, (h, w), 0..255; all of one size share their baseline."""
    load_matplotlib()
    from matplotlib.backends.backend_agg import RendererAgg

    text = spell(text)
    h, base = round(1.6 * size), round(1.15 * size)
    renderer = RendererAgg(max(round(_measure(text, size)[0]) + 2, 1), h, 72)
    context = renderer.new_gc()
    renderer.draw_text(context, 1, base, text, _properties(text, size), 0)
    ink: Bytes = np.asarray(renderer.buffer_rgba())[:, :, 3].copy()
    return ink


def shorten(text: str, width: float, size: float) -> str:
    """The text, or as much of its start and its end as fits into `width` pixels, with an ellipsis
    for the middle, as names differ at their ends as often as at their starts."""
    text = spell(text)[: max(round(4 * width), 1)]  # No letter is narrower than that.
    if not text or text_width(text, size) <= width:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_width(_cut(text, middle), size) <= width:
            fits = middle
        else:
            too_long = middle
    return _cut(text, fits)


def _cut(text: str, letters: int) -> str:
    end = letters * 2 // 5
    return text[: letters - end].rstrip() + "…" + (text[-end:].lstrip() if end else "")


@lru_cache(4096)
def _measure(text: str, size: float) -> tuple[float, float]:
    load_matplotlib()
    from matplotlib.backends.backend_agg import RendererAgg

    w, h, _ = RendererAgg(1, 1, 72).get_text_width_height_descent(
        text or " ", _properties(text, size), ismath=False
    )
    return (w if text else 0.0), h


def _properties(text: str, size: float) -> object:
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=list(families(text)), size=size)


# Looking for fonts


def _lacking(text: str) -> frozenset[str]:
    """The characters that DejaVu Sans lacks, or that would be drawn wrongly."""
    if text.isascii():
        return frozenset()
    return frozenset(c for c in set(text) if not c.isascii() and not _has(BASE, c))


def _uncovered(letters: Iterable[str], fonts: Iterable[str]) -> frozenset[str]:
    fonts = list(fonts)
    return frozenset(c for c in letters if not any(_has(font, c) for font in fonts))


@cache
def _fallbacks(letters: frozenset[str]) -> tuple[str, ...]:
    """Installed fonts that have these characters, the one with most of them first."""
    chosen: list[str] = []
    while left := _uncovered(letters, chosen):
        counts = {font: sum(_has(font, c) for c in left) for font in _installed()}
        best = max(_installed(), key=lambda font: counts[font], default=None)
        if best is None or not counts[best]:
            break
        chosen.append(best)
    return tuple(chosen)


@cache
def _has(font: str, letter: str) -> bool:
    """Whether a font has this character, and matplotlib can draw it."""
    load_matplotlib()
    from matplotlib import ft2font
    from matplotlib.font_manager import FontProperties, findfont, get_font

    shapes = hasattr(ft2font, "__libraqm_version__")  # From matplotlib 3.11 on.
    is_combined = unicodedata.category(letter) in ("Mn", "Mc", "Me")
    if not shapes and (is_combined or unicodedata.bidirectional(letter) in _JOINED):
        return False
    try:
        found = get_font(findfont(FontProperties(family=[font]), fallback_to_default=False))
    except (OSError, RuntimeError, ValueError):  # It has gone, or is damaged.
        return False
    flags = int(getattr(found.face_flags, "value", found.face_flags))
    return bool(found.scalable and not flags & _COLOR and found.get_char_index(ord(letter)))


@cache
def _installed() -> tuple[str, ...]:
    """Names of installed upright fonts, sans-serif ones first."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    # matplotlib keeps a list of what was installed when it first ran
    known = {os.path.realpath(entry.fname) for entry in fontManager.ttflist}
    for path in sorted(findSystemFonts()):
        if os.path.realpath(path) not in known:
            try:
                fontManager.addfont(path)
            except (OSError, RuntimeError, ValueError, KeyError, NotImplementedError):
                continue  # No font that can be read.
    names = {
        entry.name
        for entry in fontManager.ttflist
        if entry.style == "normal" and not entry.name.startswith(_EMPTY)
    }
    return tuple(sorted(names, key=lambda n: (not any(p in n.lower() for p in _PLAIN), n)))
