"""Random numbers that depend on a seed and a place only: not on device, threads or order.

Each number is a hash of (seed, draw, place), SplitMix64 (Steele, Lea, Flood 2014), so that a
training run repeats bit for bit, and an interrupted one can go on at any draw.
"""

from __future__ import annotations

import numpy as np

from darknet_py.ops.array_types import Array, Shape

_MASK = (1 << 64) - 1
_SHIFTS = np.arange(0, 64, 16, dtype=np.uint64)


def random_key(seed: int, draw: int) -> np.ndarray:
    """The key of a seed and a draw: 64 bits as four whole numbers below 2^16, float32, shape
    (1, 1, 1, 4), so that it is an input of a program, as pictures are."""
    parts = np.uint64(_key(seed, draw)) >> _SHIFTS & np.uint64(0xFFFF)
    return parts.astype(np.float32).reshape(1, 1, 1, 4)


def dropout(x: Array, probability: float, key: Array) -> Array:
    """x / (1 - probability), or 0 with this probability: the backward is the same with the delta.

    key: see random_key. Source: Srivastava et al. 2014.
    """
    places = np.arange(x.size, dtype=np.uint64, like=x)
    keep = _uniform(places, _bits_of(key)).reshape(x.shape) >= probability
    return x * (keep.astype(x.dtype) / (1 - probability))


def random_crop(x: Array, h: int, w: int, flip: bool, scale: float, key: Array) -> Array:
    """As `crop`, of a window that depends on the key alone; mirrored half of the time if flip."""
    rows, columns = _window(x, x.shape, h, w, flip, key)
    return np.take(np.take(x, rows, axis=1), columns, axis=2) * scale + (1 - scale)


def random_crop_backward(delta: Array, shape: Shape, flip: bool, scale: float, key: Array) -> Array:
    """The delta of the whole map of `shape` (n, h, w, c)."""
    _, h, w, _ = delta.shape
    rows, columns = _window(delta, shape, h, w, flip, key)
    ys = np.arange(shape[1], like=delta) - rows[:1]
    # columns that run to the left are of a mirrored window
    xs = (np.arange(shape[2], like=delta) - columns[:1]) * (1 - 2 * (columns[:1] > columns[-1:]))
    within = ((ys >= 0) & (ys < h))[:, None] & ((xs >= 0) & (xs < w))
    spread = np.take(np.take(delta, ys.clip(0, h - 1), axis=1), xs.clip(0, w - 1), axis=2)
    return np.where(within[None, :, :, None], spread * scale, delta.dtype.type(0))


def _window(
    like: Array, shape: tuple[int, ...], h: int, w: int, flip: bool, key: Array
) -> tuple[Array, Array]:
    """Rows and columns of a map (n, h, w, c), in the order in which a window shows them."""
    numbers = _uniform(np.arange(3, dtype=np.uint64, like=like), _bits_of(key))
    draw = (numbers * 2**20).astype(np.int64)
    rows = np.arange(h, like=like) + draw[:1] % (shape[1] - h + 1)
    columns = np.arange(w, like=like) + draw[1:2] % (shape[2] - w + 1)
    if flip:
        columns = np.where(draw[2:3] % 2 == 1, shape[2] - 1 - columns, columns)
    return rows, columns


def random_ints(count: int, below: int, seed: int, draw: int) -> list[int]:
    """`count` whole numbers from 0 to below - 1."""
    places = np.arange(count, dtype=np.uint64)
    return [int(u * below) for u in _uniform(places, np.uint64(_key(seed, draw)))]


def _key(seed: int, draw: int) -> int:
    return _mix_int(_mix_int(seed & _MASK) ^ (draw & _MASK))


def _bits_of(key: Array) -> Array:
    """The 64 bits of a key (1, 1, 1, 4), shape (1,), on its device."""
    parts = key.reshape(-1).astype(np.uint64)
    shifted = [parts[i : i + 1] << _SHIFTS[i] for i in range(4)]
    return shifted[0] | shifted[1] | shifted[2] | shifted[3]


def _uniform(places: Array, key: Array) -> Array:
    """Numbers from 0 up to, but without, 1, for places of type uint64."""
    bits = _mix((places ^ key) + np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    return bits.astype(np.float32) / (1 << 24)


def _mix(z: Array) -> Array:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _mix_int(z: int) -> int:
    z = (z + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)
