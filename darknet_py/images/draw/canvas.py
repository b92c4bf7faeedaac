"""What the charts share: colours, a figure measured in pixels, text, and writing to a file."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from darknet_py.atomic import write_text
from darknet_py.errors import PictureError
from darknet_py.images.arrays import FileName, Floats
from darknet_py.images.draw.fonts import BASE, families, load_matplotlib, spell, text_width
from darknet_py.images.io.image import check_name, save_image, to_float

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, QUIET_INK, FRAME, GRID = "#262626", "#696969", "#969696", "#e4e4e4"
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Colours that are distinct for any kind of colour vision.

Source: Okabe and Ito, "Color Universal Design", 2008; without their yellow, too pale on white.
"""

_SETTINGS = {
    "text.parse_math": False,  # A class may be called "$1$".
    "text.color": INK,
    "axes.edgecolor": FRAME,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": FRAME,
    "ytick.color": FRAME,
    "xtick.labelcolor": QUIET_INK,
    "xtick.labelsize": 12,
    "ytick.labelcolor": QUIET_INK,
    "ytick.labelsize": 12,
    "axes.grid": True,
    "svg.hashsalt": "darknet",  # Equal figures give equal files.
}
_LOCK = threading.RLock()
_DPI = 72  # So that a point of matplotlib is a pixel.


@dataclass(frozen=True)
class Drawing:
    """A figure of matplotlib's, with the fonts that its texts need."""

    figure: Figure
    fonts: tuple[str, ...]

    def pixels(self) -> Floats:
        """Float32 RGB of shape (h, w, 3), values 0..1."""
        with _settings(self.fonts):
            self.figure.canvas.draw()
            rgba = np.asarray(self.figure.canvas.buffer_rgba())
        return to_float(rgba[:, :, :3])

    def svg(self) -> str:
        """The text of an SVG file; the same figures give the same text."""
        file = io.BytesIO()
        with _settings(self.fonts):
            self.figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        return file.getvalue().decode()


@contextmanager
def new_drawing(w: float, h: float, texts: Iterable[str]) -> Iterator[Drawing]:
    """An empty figure of `w` x `h` pixels, to be filled in the block; texts: all that it will hold.
    Neither depends on a matplotlibrc or the caller's rcParams, nor changes them."""
    load_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fonts = families("".join(map(spell, texts)))
    with _settings(fonts):
        figure = Figure((w / _DPI, h / _DPI), _DPI, facecolor="white")
        FigureCanvasAgg(figure)
        yield Drawing(figure, fonts)


@contextmanager
def _settings(fonts: tuple[str, ...]) -> Iterator[None]:
    import matplotlib

    with _LOCK, matplotlib.rc_context():  # These settings are the process's, not the thread's.
        matplotlib.rcdefaults()
        # an SVG keeps text as text, in the viewer's own sans-serif font; as outlines where not
        # every such font has its letters
        named = {
            "font.family": [*fonts, "sans-serif"],
            "font.sans-serif": list(fonts),
            "svg.fonttype": "none" if fonts == (BASE,) else "path",
        }
        matplotlib.rcParams.update({**_SETTINGS, **named})
        yield


def write(
    drawing: Drawing,
    x: float,
    y: float,
    text: str,
    size: float,
    anchor: str = "lm",
    color: str = INK,
    upwards: bool = False,
) -> None:
    """A line of text at a pixel, counted from the upper left corner.

    `anchor`: which point of the text lies there: l, m, r (left, middle, right), then t, m, b (top,
    middle, bottom), of its box as drawn, even if it reads `upwards`.
    """
    w, h = drawing.figure.get_size_inches() * _DPI
    drawing.figure.text(
        x / w,
        1 - y / h,
        spell(text),
        fontsize=size,
        color=color,
        ha={"l": "left", "m": "center", "r": "right"}[anchor[0]],
        va={"t": "top", "m": "center", "b": "bottom"}[anchor[1]],
        rotation=90 if upwards else 0,
        rotation_mode="default",
    )


def add_axes(drawing: Drawing, left: float, top: float, w: float, h: float) -> Any:
    """Axes on a rectangle of pixels, counted from the upper left corner."""
    width, height = drawing.figure.get_size_inches() * _DPI
    return drawing.figure.add_axes((left / width, 1 - (top + h) / height, w / width, h / height))


def widest(texts: Iterable[str], size: float) -> float:
    """Pixels of the longest text."""
    return max((text_width(text, size) for text in texts), default=0.0)


def check_drawing_name(path: FileName) -> None:
    """Raises PictureError for a suffix other than .png, .jpg, .jpeg and .svg."""
    if Path(path).suffix.lower() != ".svg":
        try:
            check_name(path)
        except PictureError as error:
            raise PictureError(f"{error}, .svg") from error


def save_drawing(drawing: Drawing, path: FileName) -> None:
    """Writes the PNG, JPEG or SVG that the path's suffix names, whole or not at all.

    Raises PictureError for another suffix, DarknetError where it cannot be written.
    """
    check_drawing_name(path)
    if Path(path).suffix.lower() != ".svg":
        save_image(drawing.pixels(), path)
    elif "\0" in os.fspath(path):
        raise PictureError(f"{path}: is not a name that a file can have")
    else:
        write_text(Path(path), drawing.svg())
