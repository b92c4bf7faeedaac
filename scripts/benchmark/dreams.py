"""Steps of a dream, one in each octave: what nightmare does, ready to be timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from darknet_py.network import Network
from darknet_py.network.targets import StandOut
from darknet_py.tasks.dream.options import DreamOptions, octave_size
from darknet_py.tasks.dream.step import Draw, Scene, dream_step

OPTIONS = DreamOptions()
DRAWS: Sequence[Draw] = (
    Draw(0, 0, 3, -5, True),
    Draw(0, 1, -8, 7, False),
    Draw(0, 2, 6, 1, True),
    Draw(0, 3, -2, -4, False),
)
"""One for each octave."""
PULL, GREY = 0.1, 0.5


def sizes(x: np.ndarray) -> list[tuple[int, int]]:
    """Width and height at each of the draws, for a picture (1, c, h, w)."""
    return [octave_size(x.shape[3], x.shape[2], drawn.octave) for drawn in DRAWS]


def our_steps(net: Network, x: np.ndarray, layer: int, thresh: float) -> Callable[[], np.ndarray]:
    """The picture (1, c, h, w) after a step of each draw."""
    picture = np.ascontiguousarray(x[0].transpose(1, 2, 0))
    targets = [StandOut(layer, thresh)]

    def call() -> np.ndarray:
        scene = Scene(picture)
        for drawn in DRAWS:
            scene = Scene(dream_step(net, scene, targets, drawn, OPTIONS))
        return scene.picture.transpose(2, 0, 1)[None]

    return call
