"""Maps of numbers as a sheet of small pictures in one scale of colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from darknet_py.images.draw.colormap import color_map
from darknet_py.images.draw.sheet import draw_sheet

_TOP = 0.999  # Of all values, so many are not above the brightest colour.


def draw_maps(
    maps: npt.NDArray[Any], captions: Sequence[str], title: str = ""
) -> npt.NDArray[np.float32]:
    """Every map in colours, with a caption; what the scale's ends are is added to the title.

    `maps`: shape (k, h, w). Black is 0, or where all is above or below 0 the least there is; the
    palest is exceeded by one value in a thousand. Returns float32 RGB (h', w', 3), 0..1.
    """
    finite = np.nan_to_num(maps)
    high = float(np.quantile(finite, _TOP))
    least = float(finite.min())
    low = 0.0 if least < 0 < high else least
    shares = (finite - low) / (high - low) if high > low else np.zeros_like(finite)
    scale = f"black {low:.3g}, pale yellow {high:.3g}"
    pictures = list(color_map(shares))
    return draw_sheet(pictures, captions, title=f"{title}; {scale}" if title else scale)
