"""Cached features: files that are damaged, cut, or another's.

What is left of them is what was written, picture by picture; the rest is missing, and can be added
again.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from random import Random

import numpy as np

from darknet_py.tasks.features.cache import FeatureStore
from scripts.trials.damage import damaged
from scripts.trials.trial import Failed

NAME, GROUP, WEIGHT = "features", "fuzz", 0.3
MEMORY = 1 << 30

_FILES = "features", "pictures"
_SHAPE, _COUNT = (2, 3), 6
_DIGESTS = [bytes([number]) * 16 for number in range(_COUNT)]
_ROWS = np.random.default_rng(0).random((_COUNT, *_SHAPE), np.float32)


def prepare() -> None:
    _written()


def trial(random: Random, folder: Path) -> str:
    files = dict(_written())
    for name in random.choice([_FILES, _FILES[:1], _FILES[1:]]):
        files[name] = damaged(random, files[name], list(_written().values()))
    for name, data in files.items():
        (folder / name).write_bytes(data)
    with FeatureStore(folder, _SHAPE) as store:
        missing = store.missing(_DIGESTS)
        _check(store, [place for place in range(_COUNT) if place not in missing])
        if missing:
            store.add([_DIGESTS[place] for place in missing], _ROWS[missing])
    with FeatureStore(folder, _SHAPE) as store:
        if store.missing(_DIGESTS):
            raise Failed("what was added again is missing")
        _check(store, list(range(_COUNT)))
    for name in _FILES:
        (folder / name).unlink()
    return f"{_COUNT - len(missing)} of {_COUNT} left"


@cache
def _written() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        with FeatureStore(Path(place), _SHAPE) as store:
            store.add(_DIGESTS, _ROWS)
        return {name: (Path(place) / name).read_bytes() for name in _FILES}


def _check(store: FeatureStore, places: list[int]) -> None:
    if places:
        rows = store.rows_of([_DIGESTS[place] for place in places])
        if not np.array_equal(store.array()[rows], _ROWS[places]):
            raise Failed("a picture has other features than its own")
