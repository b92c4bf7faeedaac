"""What a convolution kernel must compute, in float64, and maps for it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.codegen.kernel import Epilogue, TensorView
from darknet_py.ops.cpu.conv import conv2d
from tests.support.kernels import Map, address, channels, map_of, padded, slopes
from tests.support.reference import random_array


class Fused(NamedTuple):
    """What becomes of the sums."""

    activation: str = "linear"
    residual: bool = False
    residual_after: bool = False
    pooled: bool = False


FUSED = [
    Fused(),
    Fused("leaky"),
    Fused("relu", residual=True),
    Fused("leaky", residual_after=True),
    Fused("ramp", residual=True, residual_after=True),
    Fused("leaky", pooled=True),
]


class Arrays(NamedTuple):
    """Everything that is read, and the map that is written, which held rubbish."""

    x: np.ndarray
    weights: np.ndarray
    x_map: Map
    y_map: Map
    other_maps: list[Map]
    stride: int
    padding: int
    epilogue: Epilogue
    kept: list[np.ndarray]
    expected: np.ndarray

    @property
    def windows(self) -> TensorView:
        """x from the first window on."""
        view, stride = self.x_map.view, self.stride
        first = view.address - self.padding * (view.row + view.pixel)
        return view._replace(address=first, row=stride * view.row, pixel=stride * view.pixel)

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
    fused: Fused,
    tight: bool = False,
    wider: int = 0,
) -> Arrays:
    """For x of `shape` (n, h, w, c), the way the plan lays it out."""
    x = random_array(shape, 1, "float32")
    weights = random_array((filters, size, size, shape[3] // groups), 2, "float32")
    biases = random_array((filters,), 3, "float32")
    y = conv2d(x.astype("d"), weights.astype("d"), stride, padding, groups) + biases
    others = [random_array(y.shape, seed, "float32") for seed in (4, 5)]
    first, second = SLOPES[fused.activation]
    if fused.residual:
        y += others[0]
    if fused.pooled:
        n, h, w, _ = y.shape
        squares = y[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, filters)
        y = squares.max((2, 4))
    y = np.maximum(first * y, second * y)
    if fused.residual_after:
        y += others[1]
    x_map, y_map = map_of(x, padding, tight=tight, wider=wider), Map(y.shape)
    other_maps = [] if fused.pooled else [map_of(other) for other in others]
    kept = [channels(biases), slopes(fused.activation)]
    epilogue = Epilogue(
        biases=address(kept[0]),
        slopes=address(kept[1]),
        residual=other_maps[0].address - y_map.address if fused.residual else 0,
        residual_after=other_maps[1].address - y_map.address if fused.residual_after else 0,
    )
    return Arrays(x, weights, x_map, y_map, other_maps, stride, padding, epilogue, kept, y)


def with_channels(weights: np.ndarray, count: int) -> np.ndarray:
    """Weights for maps whose channels were padded."""
    return np.pad(weights, [(0, 0)] * 3 + [(0, count - weights.shape[3])])


def vectors_of(filters: int) -> int:
    return padded(filters) // padded(1)
