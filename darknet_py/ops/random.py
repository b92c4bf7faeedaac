"""Random numbers that depend on a seed and a place only: not on device, threads or order.

Each number is a hash of (seed, draw, place), SplitMix64 (Steele, Lea, Flood 2014), so that a
training run repeats bit for bit, and an interrupted one can go on at any draw.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

_MASK = (1 << 64) - 1


def dropout_mask(like: Array, probability: float, seed: int, draw: int) -> Array:
    """An array like `like`: 0 with this probability, else 1 / (1 - probability)."""
    places = np.arange(like.size, dtype=np.uint64, like=like)
    keep = _uniform(places, seed, draw).reshape(like.shape) >= probability
    return keep.astype(like.dtype) / (1 - probability)


def random_ints(count: int, below: int, seed: int, draw: int) -> list[int]:
    """`count` whole numbers from 0 to below - 1."""
    return [int(u * below) for u in _uniform(np.arange(count, dtype=np.uint64), seed, draw)]


def _uniform(places: Array, seed: int, draw: int) -> Array:
    """Numbers from 0 up to, but without, 1, for places of type uint64."""
    key = np.uint64(_mix_int(_mix_int(seed & _MASK) ^ (draw & _MASK)))
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
