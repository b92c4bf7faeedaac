"""What the charts, tables and sheets share: colours, lines of text, a canvas made a picture."""

from __future__ import annotations

import math
import unicodedata
from functools import cache
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from darknet_py.images.names import one_line

Color = tuple[int, int, int]

PAPER: Color = (255, 255, 255)
INK: Color = (38, 38, 38)
QUIET_INK: Color = (105, 105, 105)
FRAME: Color = (150, 150, 150)
GRID: Color = (228, 228, 228)

PALETTE: tuple[Color, ...] = (
    (0, 114, 178),  # blue
    (213, 94, 0),  # vermilion
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (0, 0, 0),
)
"""Colours that people with any kind of colour vision tell apart.

Source: Okabe and Ito, "Color Universal Design", 2008; without their yellow, which white paper
swallows.
"""


def new_canvas(w: int, h: int) -> Image.Image:
    """White paper of `w` x `h` pixels."""
    return Image.new("RGB", (w, h), PAPER)


def to_picture(canvas: Image.Image) -> npt.NDArray[np.float32]:
    """An RGB canvas as a float32 array of shape (h, w, 3), values 0..1."""
    picture: npt.NDArray[np.float32] = np.divide(np.asarray(canvas), 255, dtype=np.float32)
    return picture


def lighten(color: Color, share: float) -> Color:
    """The colour, with `share` (0..1) of it replaced by white."""
    red, green, blue = (round(part + (255 - part) * share) for part in color)
    return red, green, blue


def spell(text: str) -> str:
    """The text on one line, accents dropped.

    Pillow's own font, the only one that is on every machine, has no letters beyond ASCII: é
    becomes e, and what has no such reading shows as an empty box.
    """
    parts = unicodedata.normalize("NFKD", text) if not text.isascii() else text
    return one_line("".join(c for c in parts if not unicodedata.combining(c)))


def text_width(text: str, size: int) -> int:
    """How many pixels wide a line of text is."""
    return math.ceil(_font(size).getlength(spell(text)))


def shorten(text: str, width: int, size: int) -> str:
    """The text, or as many of its first letters as fit into `width` pixels with an ellipsis.

    At least the ellipsis stays of a text that is not empty.
    """
    text = spell(text)[: max(width, 1)]  # No letter is narrower than a pixel.
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
    return text[:letters].rstrip() + "…"


def write(
    canvas: Image.Image,
    place: tuple[float, float],
    text: str,
    size: int,
    anchor: str = "lm",
    color: Color = INK,
) -> None:
    """A line of text; `anchor` is Pillow's, what of the text lies at `place`.

    The first letter is l, m or r (left end, middle, right end), the second m (middle) or s
    (the line it stands on).
    """
    ImageDraw.Draw(canvas).text(place, spell(text), color, _font(size), anchor)


def write_upwards(
    canvas: Image.Image,
    place: tuple[float, float],
    text: str,
    size: int,
    anchor: str = "lm",
    color: Color = INK,
) -> None:
    """A line of text that reads from bottom to top.

    `anchor`: lm, the text begins at `place`; mm, it has its middle there.
    """
    w, h = max(text_width(text, size), 1), 2 * size
    mask = Image.new("L", (w, h))
    ImageDraw.Draw(mask).text((0, size), spell(text), 255, _font(size), "lm")
    x, y = place
    above = w if anchor == "lm" else w / 2
    turned = mask.transpose(Image.Transpose.ROTATE_90)
    canvas.paste(color, (round(x - size), round(y - above)), turned)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))
