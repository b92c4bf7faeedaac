"""What a convolution kernel must compute, in float64, and maps for it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.conv import conv2d
from tests.support.kernels import Map, address, channels, map_of, padded, slopes
from tests.support.reference import random_array


class Epilogue(NamedTuple):
    """What becomes of the sums."""

    activation: str = "linear"
    added: bool = False
    added_after: bool = False
    pooled: bool = False


EPILOGUES = [
    Epilogue(),
    Epilogue("leaky"),
    Epilogue("relu", added=True),
    Epilogue("leaky", added_after=True),
    Epilogue("ramp", added=True, added_after=True),
    Epilogue("leaky", pooled=True),
]


class Arrays(NamedTuple):
    """Everything that is read, and the map that is written, which held rubbish."""

    x: np.ndarray
    weights: np.ndarray
    x_map: Map
    y_map: Map
    other_maps: list[Map]
    arguments: dict[str, int]
    kept: list[np.ndarray]
    expected: np.ndarray

    def check(self, tolerance: float) -> None:
        """y is as expected; nothing but it was written to."""
        largest = np.abs(self.expected).max()
        np.testing.assert_allclose(self.y_map.values, self.expected, atol=tolerance * largest)
        for each in (self.x_map, self.y_map, *self.other_maps):
            assert each.is_sound()


def make_arrays(
    shape: tuple[int, int, int, int],
    filters: int,
    size: int,
    stride: int,
    padding: int,
    groups: int,
    epilogue: Epilogue,
    tight: bool = False,
    wider: int = 0,
) -> Arrays:
    """For x of `shape` (n, h, w, c), the way the plan lays it out."""
    x = random_array(shape, 1, "float32")
    weights = random_array((filters, size, size, shape[3] // groups), 2, "float32")
    biases = random_array((filters,), 3, "float32")
    y = conv2d(x.astype("d"), weights.astype("d"), stride, padding, groups) + biases
    others = [random_array(y.shape, seed, "float32") for seed in (4, 5)]
    first, second = SLOPES[epilogue.activation]
    if epilogue.added:
        y += others[0]
    if epilogue.pooled:
        n, h, w, _ = y.shape
        squares = y[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, filters)
        y = squares.max((2, 4))
    y = np.maximum(first * y, second * y)
    if epilogue.added_after:
        y += others[1]
    x_map, y_map = map_of(x, padding, tight=tight, wider=wider), Map(y.shape)
    other_maps = [] if epilogue.pooled else [map_of(other) for other in others]
    kept = [channels(biases), slopes(epilogue.activation)]
    arguments = {
        **y_map.pitches("y"),
        "x": x_map.address - padding * (x_map.row + x_map.pixel),
        "added": other_maps[0].address - y_map.address if epilogue.added else 0,
        "gate": 0,
        "added_after": other_maps[1].address - y_map.address if epilogue.added_after else 0,
        "biases": address(kept[0]),
        "slopes": address(kept[1]),
    }
    return Arrays(x, weights, x_map, y_map, other_maps, arguments, kept, y)


def with_channels(weights: np.ndarray, count: int) -> np.ndarray:
    """Weights for maps whose channels were padded."""
    return np.pad(weights, [(0, 0)] * 3 + [(0, count - weights.shape[3])])


def vectors_of(filters: int) -> int:
    return padded(filters) // padded(1)
