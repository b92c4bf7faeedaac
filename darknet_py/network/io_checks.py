"""A network's inputs checked and normalised, its outputs in darknet's order."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from darknet_py.errors import NotFiniteError, ShapeError, WeightsError
from darknet_py.layers import Layer
from darknet_py.network.model import Model
from darknet_py.network.settings import Settings
from darknet_py.ops.bounds import bounds

Array = Any


def normalize_input(x: Array, ops: Any, settings: Settings) -> Array:
    """Pictures (n, c, h, w), 0..1, as (x - mean) / std, (n, h, w, c), by `mean=` and `std=`. Before
    any layer pads, so that padding stands for the mean, as in Caffe."""
    x = ops.to_hwc(x)
    if not (settings.mean or settings.deviation):
        return x
    mean = _per_channel(settings.mean or (0.0,), x, ops)
    return ops.standardize(x, mean, _per_channel(settings.deviation or (1.0,), x, ops))


def normalize_input_backward(delta: Array, ops: Any, settings: Settings) -> Array:
    """The delta (n, h, w, c) of the pictures, from that of what `normalize_input` gave."""
    if not settings.deviation:
        return delta
    return ops.standardize_backward(delta, _per_channel(settings.deviation, delta, ops))


def _per_channel(values: tuple[float, ...], x: Array, ops: Any) -> Array:
    return ops.array(np.broadcast_to(np.array(values, np.float32), x.shape[-1:]).copy())


_FAR_BEYOND = 8.0
"""Pictures are 0..1, or up to about 3 if standardised. Larger values are probably 0..255."""


def check_values(net: Model, x: Any) -> None:
    """Raises as check_initialised, ShapeError for no floats, NotFiniteError for a NaN or an
    infinity, which kernels may hide; warns (UserWarning) where pictures are far beyond 0..1."""
    check_initialised(net)
    check_floats(net, x)
    high = _largest(net, x, "numbers")
    if high > _FAR_BEYOND and not net.settings.is_vector and net.in_shape.c in (1, 3):
        warnings.warn(
            f"{net.path}: was given values up to {high:g}, and pictures are 0..1: divide by 255?",
            stacklevel=4,
        )


def check_initialised(net: Model) -> None:
    """Raises WeightsError where a parameter has no values yet."""
    for parameter in net.parameters():
        if parameter.data is None:
            raise WeightsError(
                f"{net.path}: {parameter.where}: has no values yet: load_weights reads them, "
                "initialise draws them"
            )


def check_floats(net: Model, x: Any) -> None:
    """Raises ShapeError for anything but floats: bytes 0..255 would be taken for 0..1."""
    if not isinstance(x, np.ndarray) or isinstance(x, np.ma.MaskedArray):
        raise ShapeError(f"{net.path}: expected an array of floats, found a {type(x).__name__}")
    kind = x.dtype
    if kind.kind != "f":
        raise ShapeError(
            f"{net.path}: expected floats, pictures from 0 to 1, found {kind}: of bytes, "
            "x.astype(numpy.float32) / 255"
        )


def check_numbers(net: Model, what: str, x: Any, shape: tuple[int, ...]) -> None:
    """Raises ShapeError for anything but an array of real numbers of this shape, NotFiniteError for
    a NaN or an infinity."""
    if not isinstance(x, np.ndarray) or isinstance(x, np.ma.MaskedArray):
        raise ShapeError(f"{net.path}: expected {what} as an array, found a {type(x).__name__}")
    if x.dtype.kind not in "fiub":
        raise ShapeError(f"{net.path}: expected {what} as real numbers, found {x.dtype}")
    if x.shape != shape:
        raise ShapeError(f"{net.path}: expected {what} of shape {shape}, found {x.shape}")
    _largest(net, x, what)


def _largest(net: Model, x: np.ndarray, what: str) -> float:
    """The largest number, all being finite, in float32 too."""
    if not x.size:
        return 0.0
    low, high = bounds(x)
    limit = float(np.finfo(np.float32).max)
    if not (-limit <= low and high <= limit):  # NaN is both
        raise NotFiniteError(f"{net.path}: was given {what} that are not finite (NaN)")
    return high


def checked(net: Model, x: np.ndarray) -> np.ndarray:
    """x as (n, c, h, w). Raises ShapeError for other shapes than the network's."""
    check_floats(net, x)
    h, w, c = net.in_shape
    shape = np.shape(x)
    if not (shape[1:] == (c, h, w) or (len(shape) == 2 and shape[1] == net.in_shape.size)):
        expected = f"(n, {c}, {h}, {w})" if not net.settings.is_vector else f"(n, {c})"
        raise ShapeError(f"{net.path}: expected pictures of shape {expected}, found {shape}")
    _check_pixels(net, x)
    return x.reshape(shape[0], c, h, w)


def checked_any_size(net: Model, x: np.ndarray) -> np.ndarray:
    """The same, but pictures may have another size: see `Network.sized`."""
    check_floats(net, x)
    is_map = not net.settings.is_vector and np.ndim(x) == 4
    if not (is_map and x.shape[1] == net.in_shape.c):
        return checked(net, x)
    _check_pixels(net, x)
    return x


def _check_pixels(net: Model, x: np.ndarray) -> None:
    if 0 in x.shape[1:]:
        raise ShapeError(f"{net.path}: expected pictures of a pixel or more, found {x.shape}")


def layer_to_outside(net: Model, y: Array, layer: Layer) -> np.ndarray:
    """A layer's output (n, h, w, c), as the public API gives it."""
    if layer.is_pixel_major:
        n, h, w, c = y.shape
        pixels: np.ndarray = net.ops.to_host(y)
        return np.ascontiguousarray(pixels).reshape(n, c, h, w)
    return to_outside(net, y, layer.is_vector)


def to_outside(net: Model, y: Array, is_vector: bool) -> np.ndarray:
    """A map (n, h, w, c) of the device as (n, c, h, w) of the host, or a vector as (n, outputs)."""
    outside: np.ndarray = net.ops.to_host(net.ops.to_chw(y))
    n, *shape = outside.shape
    return outside.reshape(n, math.prod(shape)) if is_vector else outside


def check_layers(net: Model, layers: Sequence[int]) -> None:
    """Raises ShapeError where one of these layers is none of the network's."""
    for layer in layers:
        if not 0 <= layer < len(net.layers):
            raise ShapeError(
                f"{net.path}: there is no layer {layer}: expected 0 to {len(net.layers) - 1}"
            )
