"""What stands in a drawing: its texts, and where."""

from __future__ import annotations

from itertools import combinations

from matplotlib.text import Text
from matplotlib.transforms import Bbox

from darknet_py.images.draw.canvas import Drawing


def texts(drawing: Drawing) -> list[str]:
    """All that is written in it."""
    return [text.get_text() for text in _shown(drawing)]


def boxes(drawing: Drawing) -> dict[str, Bbox]:
    """Where its texts stand, in pixels from the lower left; one of each wording."""
    drawing.pixels()
    return {text.get_text(): text.get_window_extent() for text in _shown(drawing)}


def check_texts(drawing: Drawing) -> None:
    """No text lies on another, none beyond the edge."""
    drawing.pixels()
    figure = drawing.figure.bbox
    placed = [(text.get_text(), text.get_window_extent()) for text in _shown(drawing)]
    for text, box in placed:
        assert box.x0 >= figure.x0 - 0.5, text
        assert box.y0 >= figure.y0 - 0.5, text
        assert box.x1 <= figure.x1 + 0.5, text
        assert box.y1 <= figure.y1 + 0.5, text
    for (one, a), (other, b) in combinations(placed, 2):
        w, h = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert w < 1 or h < 1, (one, other)


def _shown(drawing: Drawing) -> list[Text]:
    found: list[Text] = [text for text in drawing.figure.findobj(Text) if text.get_visible()]
    return [text for text in found if text.get_text()]
