"""Numbers made colours whose lightness rises evenly: as readable without colour vision."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

INFERNO = (
    *((0, 0, 4), (11, 7, 36), (33, 12, 74), (60, 9, 101), (87, 16, 109), (112, 25, 110)),
    *((137, 34, 106), (163, 43, 97), (187, 55, 85), (209, 70, 68), (227, 89, 50), (241, 113, 30)),
    *((249, 141, 10), (252, 171, 15), (249, 202, 50), (242, 232, 101), (252, 255, 164)),
)
"""From black over purple and orange to a pale yellow, at equal distances from 0 to 1.

Source: every 16th colour of matplotlib's "inferno" by van der Walt and Smith (2015, CC0), which is
perceptually uniform, also to those who are blind to red, green or blue.
"""

_COLORS = np.array(INFERNO, np.float32) / 255
_PLACES = np.linspace(0, 1, len(INFERNO))


def color_map(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The colours (..., 3), float32 RGB from 0 to 1, of values (...), clipped to 0..1.

    What is not a number is black.
    """
    clipped = np.nan_to_num(np.clip(values, 0, 1))
    parts = [np.interp(clipped, _PLACES, _COLORS[:, part]) for part in range(3)]
    colors: npt.NDArray[np.float32] = np.stack(parts, axis=-1).astype(np.float32)
    return colors
