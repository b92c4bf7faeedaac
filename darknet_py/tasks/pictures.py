"""One picture for a network: as it is, and as the network takes it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from darknet_py.errors import PictureError, ShapeError
from darknet_py.images import (
    Frame,
    Given,
    decoding_threads,
    each_picture,
    fit_image,
    fitted_frame,
    load_with_fitted,
    name_of,
    resize_image,
    to_channels,
    to_float,
    to_image,
)
from darknet_py.images.io.image import about, load_pixels
from darknet_py.network import Network
from darknet_py.resources import find_resource

L = TypeVar("L")


@dataclass(frozen=True)
class Picture:
    """image: (h, w, 3) RGB, 0..1, as in the file; x: (c, h', w'), fitted to the network; frame:
    where the edges of x lie on the image; path: of the file, or what the picture is called."""

    path: Path
    image: np.ndarray
    x: np.ndarray
    frame: Frame


def load_picture(net: Network, picture: Given, fit: str, number: int = 1) -> Picture:
    """Reads a picture and fits it. Where the network does not take the size that "min" gives, the
    picture is stretched to the next one that it takes, which is said once.

    number: what to call one without a name by. Raises PictureError, or ShapeError where the network
    takes something else than pictures.
    """
    h, w, _ = net.in_shape
    pixels, x = _load(net, picture, fit, number)
    frame = fitted_frame(pixels.shape[1], pixels.shape[0], w, h, fit)
    return Picture(Path(name_of(picture, number)), to_float(pixels), x, frame)


def load_input(net: Network, picture: Given, fit: str, number: int = 1) -> np.ndarray:
    """Of `load_picture` the x alone: a large photo never becomes floats."""
    return _load(net, picture, fit, number)[1]


def _load(net: Network, picture: Given, fit: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels, bytes or floats from 0 to 1, and x."""
    h, w, c = net.in_shape
    if c not in (1, 3):
        raise ShapeError(f"{net.path}: takes {c} channels: pictures have 1 or 3")
    pixels, fitted = _fitted(picture, name_of(picture, number), w, h, fit)
    if fit == "min":
        fitted = _stretched(net, pixels, fitted)
    return pixels, np.ascontiguousarray(to_channels(fitted, c).transpose(2, 0, 1))


def _fitted(picture: Given, name: str, w: int, h: int, fit: str) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(picture, str | os.PathLike):
        return load_with_fitted(find_resource(os.fspath(picture)) or picture, w, h, fit)
    image = to_image(picture, name)
    try:
        return image, fit_image(image, w, h, fit)
    except PictureError as error:
        raise PictureError(f"{name}: {error}") from error


def _stretched(net: Network, image: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """The picture at the next size that the network takes."""
    wanted_size = fitted.shape[1], fitted.shape[0]
    w, h = net.next_size(*wanted_size)
    if (w, h) == wanted_size:
        return fitted
    net.note(
        f"{net.path}: does not take pictures of every size: they are stretched to the next one "
        "that fits, by less than 64 pixels (--fit letterbox or crop does not stretch)"
    )
    return resize_image(image, w, h)


# Detectors

BOXED = "letterbox"


def load_boxed(
    net: Network, picture: Given, fit: str, number: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """The pixels (h, w, 3) of a picture, bytes or floats from 0 to 1, and x (c, h', w') of the
    network's size: the whole on grey (BOXED), or stretched. Raises as load_picture."""
    h, w, c = net.in_shape
    if c not in (1, 3):
        raise ShapeError(f"{net.path}: takes {c} channels: pictures have 1 or 3")
    name = name_of(picture, number)
    if isinstance(picture, str | os.PathLike):
        pixels = load_pixels(find_resource(os.fspath(picture)) or picture)
    else:
        pixels = to_image(picture, name)
    with about(name):
        fitted = fit_image(pixels, w, h, fit) if fit == BOXED else resize_image(pixels, w, h)
    return pixels, np.ascontiguousarray(to_channels(fitted, c).transpose(2, 0, 1))


# Many pictures

_MOST_THREADS = 8
"""A photo of 12 megapixels is 36 MB while it is decoded."""
_AHEAD = 8
"""Pictures that are ready before the network asks for them."""


def load_ahead(
    pictures: Given | Iterable[Given], load: Callable[[Given, int], L]
) -> Iterator[tuple[Path, L | PictureError]]:
    """Each picture as `load` gives it, or why it cannot, in order; threads load those that come
    next, unless somebody names them one by one. load: given a picture and its number, from 1."""

    def loaded(given: Given, number: int) -> L | PictureError:
        try:
            return load(given, number)
        except PictureError as error:
            return error

    numbered = enumerate(each_picture(pictures), start=1)
    if isinstance(pictures, Iterator):
        yield from ((Path(name_of(given, n)), loaded(given, n)) for n, given in numbered)
        return
    threads = min(decoding_threads(), _MOST_THREADS)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="darknet-pictures")
    waiting: deque[tuple[Path, Future[L | PictureError]]] = deque()
    try:
        for number, given in numbered:
            waiting.append((Path(name_of(given, number)), pool.submit(loaded, given, number)))
            if len(waiting) > threads + _AHEAD:
                path, found = waiting.popleft()
                yield path, found.result()
        while waiting:
            path, found = waiting.popleft()
            yield path, found.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
