from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darknet_py.network.targets import Guided, StandOut
from darknet_py.tasks.dream.forecast import dream_seconds
from darknet_py.tasks.dream.options import DreamOptions
from tests.support.dreams import make_network

NETWORK = make_network().truncated(4)
ONE = [[StandOut(2)]]
OPTIONS = DreamOptions(rounds=2, iters=3, octaves=2)


def seconds(w: int = 480, h: int = 400, options: DreamOptions = OPTIONS, tile: int = 0) -> float:
    return dream_seconds(NETWORK, w, h, ONE, options, tile, threads=2)


def test_longer_dreams_take_longer() -> None:
    plain = seconds()
    assert 0.03 < plain < 60
    assert seconds(options=replace(OPTIONS, rounds=4)) == pytest.approx(2 * plain)
    assert seconds(options=replace(OPTIONS, iters=300)) == pytest.approx(100 * plain)
    longer = [
        seconds(w=960),
        seconds(tile=64),
        seconds(options=replace(OPTIONS, laplacian=3)),
        seconds(options=replace(OPTIONS, smooth=100)),
        seconds(options=replace(OPTIONS, coarse_to_fine=True)),
        dream_seconds(NETWORK, 480, 400, [[StandOut(4)]], OPTIONS, 0, threads=2),
        dream_seconds(NETWORK, 480, 400, ONE, OPTIONS, 0, threads=1),
        dream_seconds(NETWORK, 480, 400, [[_guided()]], OPTIONS, 0, threads=2),
    ]
    assert min(longer) > 1.02 * plain


def _guided() -> Guided:
    return Guided(2, np.broadcast_to(np.float32(0), (100_000, 16)))


def test_a_tile_as_large_as_the_picture_is_none() -> None:
    assert seconds(tile=480) == seconds()
