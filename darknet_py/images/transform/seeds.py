"""Random numbers for training pictures: each purpose and each place has a stream of its own."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What the numbers are for: streams of different purposes share nothing."""

    ORDER = 1
    PICTURE = 2
    MIX = 3
    COMPONENTS = 4
    CLASSES = 5
    VIEW = 6
    OTHER = 7


def generator(purpose: Purpose, seed: int, *place: int) -> np.random.Generator:
    """A generator that depends on these numbers (0 or more) only: not on threads or on time."""
    return np.random.default_rng((int(purpose), seed, *place))
