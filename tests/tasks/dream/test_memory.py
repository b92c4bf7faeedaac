from __future__ import annotations

import pytest

from darknet_py.tasks.dream import memory
from darknet_py.tasks.dream.memory import choose_tile, forecast, free_memory
from tests.support.dreams import make_network

MB = 1 << 20


def test_a_forecast_grows_with_what_there_is() -> None:
    network = make_network().upto(4)
    least = forecast(network, 400, 300, [2], 1)
    assert forecast(network, 800, 600, [2], 1) > least
    assert forecast(network, 400, 300, [4], 1) > least
    assert forecast(network, 400, 300, [2], 4) > least
    assert forecast(network, 400, 300, [2, 3, 4], 1) > least


def test_an_engine_keeps_twelve_programs_at_most() -> None:
    network = make_network().upto(4)
    (twelve, more) = (forecast(network, 400, 300, [1, 2, 3, 4], n) for n in (3, 10))
    assert more == twelve


def test_a_program_by_hand() -> None:
    """Layer 0 has 8 channels, layer 1 a quarter of its pixels: 10 numbers a pixel and 16 more."""
    network = make_network().upto(1)
    base = forecast(network, 100, 100, [], 1) - forecast(network, 0, 0, [], 1)
    maps = forecast(network, 100, 100, [1], 1) - forecast(network, 100, 100, [], 1)
    assert base == 7 * 4 * 100 * 100 * 3
    assert maps == int(1.6 * 4 * (10 + 16) * 100 * 100)


def test_tiles_where_the_whole_does_not_fit() -> None:
    network = make_network().upto(4)
    whole = forecast(network, 4000, 3000, [4], 4)
    assert choose_tile(network, 4000, 3000, [4], 4, whole) == 0
    tile = choose_tile(network, 4000, 3000, [4], 4, whole - 1)
    assert 0 < tile < 4000
    assert forecast(network, 4000, 3000, [4], 4, tile) < whole
    smaller = choose_tile(network, 4000, 3000, [4], 4, whole // 4)
    assert 0 < smaller < tile
    assert choose_tile(network, 4000, 3000, [4], 4, 0) == memory.TILES[-1]
    assert choose_tile(network, 100, 90, [4], 1, 0) == 0


def test_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    network = make_network()
    monkeypatch.setattr(memory, "available_memory", lambda: 500 * MB)
    assert free_memory(network) == 400 * MB
    # a device has less
    monkeypatch.setattr(network.engine, "free_memory", lambda: 100 * MB)
    assert free_memory(network) == 80 * MB
