"""What the outside world hands to a network, and what it gets: shapes checked, darknet's order."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from darknet_py.errors import NotFiniteError, ShapeError, WeightsError
from darknet_py.network.model import Model
from darknet_py.network.settings import Settings
from darknet_py.ops.bounds import bounds

# How pictures enter a network, and how their deltas leave it: here `mean=` and `std=` act.

Array = Any


def enter(x: Array, ops: Any, settings: Settings) -> Array:
    """Pictures (n, c, h, w), 0..1, as the first layer takes them: (n, h, w, c), (x - mean) / std.

    Before any layer pads: zeros around a map stand for the mean, as in Caffe.
    """
    x = ops.to_hwc(x)
    if not (settings.mean or settings.deviation):
        return x
    mean = _per_channel(settings.mean or (0.0,), x, ops)
    return ops.standardize(x, mean, _per_channel(settings.deviation or (1.0,), x, ops))


def leave(delta: Array, ops: Any, settings: Settings) -> Array:
    """The delta (n, h, w, c) of the pictures, from that of what `enter` gave."""
    if not settings.deviation:
        return delta
    return ops.standardize_backward(delta, _per_channel(settings.deviation, delta, ops))


def _per_channel(values: tuple[float, ...], x: Array, ops: Any) -> Array:
    return ops.array(np.broadcast_to(np.array(values, np.float32), x.shape[-1:]).copy())


_FAR_BEYOND = 8.0
"""Pictures are 0..1; whoever has normalised them comes to about 3. Beyond this they are 0..255."""


def check_values(net: Model, x: Any) -> None:
    """Raises as check_there, ShapeError for no floats, NotFiniteError where x holds a NaN or an
    infinity, which kernels would pass over in silence; warns (UserWarning) where pictures are far
    beyond 0..1."""
    check_there(net)
    check_floats(net, x)
    high = _largest(net, x, "numbers")
    if high > _FAR_BEYOND and not net.settings.is_vector and net.in_shape.c in (1, 3):
        warnings.warn(
            f"{net.path}: was given values up to {high:g}, and pictures are 0..1: divide by 255?",
            stacklevel=4,
        )


def check_there(net: Model) -> None:
    """Raises WeightsError where a parameter has no values yet: a network that is on paper."""
    for parameter in net.parameters():
        if parameter.data is None:
            raise WeightsError(
                f"{net.path}: {parameter.where}: has no values yet: load_weights reads them, "
                "initialise draws them"
            )


def check_floats(net: Model, x: Any) -> None:
    """Raises ShapeError for anything but floats: bytes 0..255 would be taken for 0..1, and
    answered with confidence."""
    if not isinstance(x, np.ndarray) or isinstance(x, np.ma.MaskedArray):
        raise ShapeError(f"{net.path}: expected an array of floats, found a {type(x).__name__}")
    kind = x.dtype
    if kind.kind != "f":
        raise ShapeError(
            f"{net.path}: expected floats, pictures from 0 to 1, found {kind}: of bytes, "
            "x.astype(numpy.float32) / 255"
        )


def check_numbers(net: Model, what: str, x: Any, shape: tuple[int, ...]) -> None:
    """Raises ShapeError for what is no array of real numbers of this shape, NotFiniteError where
    one is a NaN or infinite."""
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
    """x as (n, c, h, w). Raises ShapeError where it is not what the network takes."""
    check_floats(net, x)
    h, w, c = net.in_shape
    shape = np.shape(x)
    if not (shape[1:] == (c, h, w) or (len(shape) == 2 and shape[1] == net.in_shape.size)):
        expected = f"(n, {c}, {h}, {w})" if not net.settings.is_vector else f"(n, {c})"
        raise ShapeError(f"{net.path}: expected pictures of shape {expected}, found {shape}")
    _check_pixels(net, x)
    return x.reshape(shape[0], c, h, w)


def of_any_size(net: Model, x: np.ndarray) -> np.ndarray:
    """The same, where `Network.sized` may have to make a network that takes it."""
    check_floats(net, x)
    is_map = not net.settings.is_vector and np.ndim(x) == 4
    if not (is_map and x.shape[1] == net.in_shape.c):
        return checked(net, x)
    _check_pixels(net, x)
    return x


def _check_pixels(net: Model, x: np.ndarray) -> None:
    if 0 in x.shape[1:]:
        raise ShapeError(f"{net.path}: expected pictures of a pixel or more, found {x.shape}")


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
