"""A picture found again from a layer's features alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from darknet_py.network import Network
from darknet_py.network.targets import Match
from darknet_py.tasks.dream.options import DreamOptions

Image = npt.NDArray[np.float32]


class Reconstruction:
    """Begins as noise, and is moved step by step until a layer sees in it what it saw in `source`
    (h, w, c).

    Gradient descent with momentum, smoothed by drawing pixels to their neighbours. Deltas are
    divided by the first one's root mean square (not with norm=0), so that one rate does for all
    layers. Source: reconstruct_picture and smooth of nightmare.c, which begins with the picture.
    """

    def __init__(self, net: Network, source: Image, layer: int, options: DreamOptions) -> None:
        self._net, self._options = net, options
        (features,) = net.outputs_of(source.transpose(2, 0, 1)[None], [layer])
        self._target = Match(layer, np.ascontiguousarray(features[0].transpose(1, 2, 0)))
        rng = np.random.default_rng(options.seed)
        self.picture = noise(rng, *source.shape)
        self._update = np.zeros_like(self.picture)
        self._scale = 0.0 if options.norm else 1.0

    def step(self) -> None:
        """Moves the picture once."""
        options = self._options
        x = np.ascontiguousarray(self.picture.transpose(2, 0, 1))
        delta = self._net.delta_towards(x, [self._target]).transpose(1, 2, 0)
        if not self._scale:
            self._scale = float(np.sqrt(np.square(delta, dtype=np.float64).mean())) or 1.0
        self._update *= np.float32(options.momentum)
        self._update += delta / np.float32(self._scale)
        if options.smooth_rate and options.smooth:
            self._update += np.float32(options.smooth_rate) * to_neighbours(
                self.picture, options.smooth
            )
        self.picture = np.clip(self.picture + np.float32(options.rate) * self._update, 0, 1)


def noise(rng: np.random.Generator, h: int, w: int, c: int) -> Image:
    """A picture of grey noise of deviation 1/4 about 1/2, kept within 0..1."""
    values = rng.standard_normal((h, w, c), np.float32) * np.float32(0.25) + np.float32(0.5)
    return np.clip(values, 0, 1, out=values)


def to_neighbours(image: Image, size: int) -> Image:
    """The sum of differences from each pixel to those up to `size` pixels away, along both sides;
    pixels outside the picture do not count."""
    total = _box(_box(image, size, 0), size, 1)
    counts = _box(_box(np.ones((*image.shape[:2], 1), np.float32), size, 0), size, 1)
    return total - counts * image


def _box(image: Image, size: int, axis: int) -> Image:
    around = [(0, 0)] * 3
    around[axis] = (size, size)
    wide = np.pad(image, around)
    length = image.shape[axis]
    total = np.zeros_like(image)
    for first in range(2 * size + 1):
        total += wide[(slice(None),) * axis + (slice(first, first + length),)]
    return total
