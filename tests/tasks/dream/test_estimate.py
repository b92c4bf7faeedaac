"""What a dream takes before it is begun: seconds, and memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from darknet_py.network.targets import Guided, Score, StandOut
from darknet_py.tasks.dream import estimate
from darknet_py.tasks.dream.estimate import DreamMemory, dream_seconds, free_memory, shapes_of
from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.step import Draw, Scene, dream_step
from tests.support.dreams import make_network, make_picture

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


MB = 1 << 20


def dream(w: int, h: int, layers: Sequence[int], octaves: int, **options: Any) -> DreamMemory:
    choices = [[StandOut(layer)] for layer in layers]
    return DreamMemory(
        make_network().truncated(4), w, h, choices, DreamOptions(octaves=octaves, **options)
    )


def test_a_forecast_grows_with_what_there_is() -> None:
    least = dream(400, 300, [2], 1).forecast()
    assert dream(800, 600, [2], 1).forecast() > least
    assert dream(400, 300, [4], 1).forecast() > least
    assert dream(400, 300, [2], 4).forecast() > least
    assert dream(400, 300, [2, 3, 4], 1).forecast() > least
    assert dream(400, 300, [2], 1, laplacian=2).forecast() > least
    assert dream(400, 300, [2], 1, coarse_to_fine=True).forecast() > least


def test_an_engine_keeps_twelve_programs_at_most() -> None:
    (twelve, more) = (dream(400, 300, [1, 2, 3, 4], n).forecast() for n in (3, 10))
    assert more < 1.001 * twelve  # some sizes pack weights for another algorithm


@pytest.mark.parametrize("tile", [0, 96])
def test_what_is_forecast_is_what_is_taken(tile: int) -> None:
    """Maps of all programs that a dream has made, of odd sizes too, and their packed weights; on
    paper nothing is taken."""
    network = make_network().truncated(4)
    made = DreamMemory(network, 203, 151, [[StandOut(3)], [StandOut(4)]], DreamOptions(octaves=3))
    forecast = made.forecast(tile)
    assert not network.engine._programs
    picture = make_picture(151, 203)
    for choice in made.choices:
        for octave in range(3):
            drawn = Draw(0, octave, 0, 0, False)
            dream_step(network, Scene(picture), choice, drawn, made.options, tile)
    programs = [bound.program for each in network.engine._programs.values() for bound in each]
    maps = sum(4 * program.memory.floats + program.scratch for program in programs)
    packed = sum(each.nbytes for each in network.engine._weights._packed.values())
    base = DreamMemory(network, 203, 151, [], DreamOptions(octaves=3)).forecast()
    assert maps + packed <= 1.05 * (forecast - base)
    assert forecast - base < (1.3 if tile else 1.15) * (maps + packed)


def test_the_forecast_is_not_below_what_a_process_takes() -> None:
    """Of the program beside its maps: measured here as the peak of a small dream of its own."""
    code = """
from darknet_py.network.targets import StandOut
from darknet_py.tasks.dream.estimate import DreamMemory
from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.step import Scene
from darknet_py.tasks.nightmare import nightmare
from tests.support.dreams import make_network, make_picture
network = make_network().truncated(4)
options = DreamOptions(iters=1, octaves=2, coarse_to_fine=True, laplacian=2)
for _ in nightmare(network, Scene(make_picture(600, 800)), [[StandOut(4)]], options):
    pass
# of this program alone: ru_maxrss would be at least that of the process it was forked from
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
peak = 1024 * int(peak.split()[1])
print(DreamMemory(network, 800, 600, [[StandOut(4)]], options).forecast() / peak)
"""
    if sys.platform != "linux":
        pytest.skip("other systems do not tell it there")
    for _ in range(2):  # the first may compile, which takes memory of its own
        words = [sys.executable, "-c", code]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert 0.9 < float(done.stdout) < 1.6


def test_tiles_where_the_whole_does_not_fit() -> None:
    large = dream(4000, 3000, [4], 4)
    whole = large.forecast()
    assert large.choose_tile(whole) == 0
    tile = large.choose_tile(whole - 1)
    assert 0 < tile < 4000
    assert large.forecast(tile) < whole
    smaller = large.choose_tile(whole // 2)
    assert 0 < smaller < tile
    assert large.choose_tile(0) == estimate.TILES[-1]
    assert dream(100, 90, [4], 1).choose_tile(0) == 0


def test_targets_on_paper() -> None:
    network = make_network().truncated(4)
    found = [[(3, 1.0)], [(4, 1.0)]]
    assert shapes_of(network, found, False, None) == [[StandOut(3)], [StandOut(4)]]
    assert shapes_of(network, found[:1], True, None) == [[Score(3, 0)]]
    guided = shapes_of(network, found[1:], False, make_picture(20, 24))
    (features,) = guided[0][0].given
    assert features.shape == (1, 1, 5 * 6, 12)
    assert DreamMemory(network, 60, 60, guided, DreamOptions()).forecast() > 0


def test_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    network = make_network()
    monkeypatch.setattr(estimate, "available_memory", lambda: 500 * MB)
    assert free_memory(network) == 400 * MB
    # a device has less
    monkeypatch.setattr(network.engine, "free_memory", lambda: 100 * MB)
    assert free_memory(network) == 80 * MB
