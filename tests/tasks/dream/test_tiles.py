"""Tiles give the whole picture's delta."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.network.targets import Guided, Score, StandOut, Target
from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.step import Draw, Scene, dream_step
from darknet_py.tasks.dream.tiles import exact_tile, spans, tile_size, tiled_delta
from tests.support.dreams import CFG, make_network, make_picture

GUIDE = Guided(4, np.random.default_rng(1).random((9, 12), np.float32))


@given(
    step=st.sampled_from([1, 2, 8]),
    tile_steps=st.integers(8, 40),
    length=st.integers(1, 2400),
    margin=st.integers(1, 20),
    fade=st.integers(1, 8),
)
def test_tiles_cover_each_pixel_once(
    step: int, tile_steps: int, length: int, margin: int, fade: int
) -> None:
    tile = step * tile_steps
    margin = min(margin, (tile - 2 * step) // 3)
    fade = min(fade, margin)
    weights, owners = np.zeros(length), np.zeros(length, int)
    found = spans(length, tile, step, margin, fade)
    for span in found:
        assert span.start % step == 0
        assert span.length == tile or span.start + span.length == length
        assert span.length <= tile
        here = slice(span.start, span.start + span.length)
        weights[here] += span.weights
        owners[span.start + span.first : span.start + span.last] += 1
        assert span.first == 0 or span.first >= margin
        assert span.last == span.length or span.length - span.last >= margin
    np.testing.assert_allclose(weights, 1, atol=1e-6)
    assert (owners == 1).all()


@pytest.mark.parametrize(
    "targets",
    [
        [StandOut(4, 1.0)],
        [StandOut(0, 1.0)],
        [StandOut(4, 0.5, (3, 7)), StandOut(1, 1.0, weight=0.2)],
        [GUIDE],
    ],
    ids=["late", "early", "several", "guide"],
)
@pytest.mark.parametrize("size", [(200, 264), (64, 200)])
def test_no_seams(targets: list[Target], size: tuple[int, int]) -> None:
    """Twelve tiles or so, with thresholds of the whole, are the whole up to rounding."""
    network = make_network().truncated(4)
    x = np.random.default_rng(0).random((3, *size), np.float32)
    x *= np.linspace(0, 1, size[1], dtype=np.float32)  # dark at the left: tiles differ
    whole = network.delta_towards(x, targets)
    found = tiled_delta(network, x, targets, 96)
    assert _error(found, whole) < 1e-4


def test_thresholds_of_each_tile_would_be_seen() -> None:
    """What the test above would find without the limit of the whole."""
    network = make_network().truncated(4)
    x = np.random.default_rng(0).random((3, 96, 192), np.float32)
    x *= np.linspace(0, 1, 192, dtype=np.float32)
    whole = network.delta_towards(x, [StandOut(4)])
    halves = [
        network.delta_towards(np.ascontiguousarray(x[:, :, part]), [StandOut(4)])
        for part in (slice(0, 96), slice(96, 192))
    ]
    assert _error(np.concatenate(halves, axis=2), whole) > 0.05


@pytest.mark.parametrize("size", [(131, 203), (97, 300), (257, 90)])
def test_sides_that_are_no_whole_steps(size: tuple[int, int]) -> None:
    """The last tiles end where the picture does: their limit and their edge are the whole's."""
    network = make_network().truncated(4)
    x = np.random.default_rng(0).random((3, *size), np.float32)
    found = tiled_delta(network, x, [StandOut(4)], 96)
    assert found.shape == x.shape
    assert _error(found, network.delta_towards(x, [StandOut(4)])) < 1e-4


@pytest.mark.parametrize("drawn", [Draw(0, 0, 0, 0, False), Draw(0, 1, 5, -8, True)])
@pytest.mark.parametrize("coarse_to_fine", [False, True])
def test_a_step_in_tiles_is_the_step(drawn: Draw, coarse_to_fine: bool) -> None:
    """From the size on that is said to do, and not from a smaller one. (Of many steps that is not
    so: what rounding changes, each step magnifies, as it does with a picture changed by 1e-7.)"""
    network, targets = make_network().truncated(4), [StandOut(4)]
    tile = exact_tile(network, targets, 343)
    assert exact_tile(network, targets, 80) == 80  # of a picture of so many pixels there is none
    assert tile_size(network, targets, tile) == tile < 110
    scene = Scene(np.random.default_rng(0).uniform(0.2, 0.8, (205, 343, 3)).astype(np.float32))
    options = DreamOptions(coarse_to_fine=coarse_to_fine)
    whole, exact, small = (
        dream_step(network, scene, targets, drawn, options, size) for size in (0, tile, 64)
    )
    assert _error(exact - scene.picture, whole - scene.picture) < 1e-4
    assert _error(small - scene.picture, whole - scene.picture) > 1e-3


def test_a_picture_within_a_tile_is_a_whole() -> None:
    network = make_network().truncated(4)
    x = np.random.default_rng(0).random((3, 60, 90), np.float32)
    np.testing.assert_array_equal(
        tiled_delta(network, x, [StandOut(4)], 96), network.delta_towards(x, [StandOut(4)])
    )


def test_a_score_of_every_tile() -> None:
    """A mean over the picture, whatever the tiles' sizes."""
    text = CFG.replace("[connected]\noutput=5\nactivation=linear", "[avgpool]")
    network = make_network(text).truncated(6)
    x = np.random.default_rng(0).random((3, 100, 210), np.float32)
    whole = network.delta_towards(x, [Score(6, 5)])
    found = tiled_delta(network, x, [Score(6, 5)], 96)
    assert _error(found, whole) < 1e-4


def test_a_network_that_sees_further_than_a_tile_fades() -> None:
    text = CFG.replace("size=3\npad=1", "size=21\npad=1")
    network = make_network(text).truncated(4)
    x = np.random.default_rng(0).random((3, 64, 256), np.float32)
    found = tiled_delta(network, x, [StandOut(4)], 64)
    whole = network.delta_towards(x, [StandOut(4)])
    assert _correlation(found, whole) > 0.6
    steps = np.abs(np.diff(found, axis=2)).mean(axis=(0, 1))
    assert steps.max() < 2.5 * np.median(steps)  # no column where one tile ends


def test_sizes_of_tiles() -> None:
    network = make_network().truncated(4)
    wanted: Sequence[Target] = [StandOut(4)]
    assert tile_size(network, wanted, 99) == 96
    assert tile_size(network, wanted, 1) == 64


def test_the_picture_is_left_alone() -> None:
    network = make_network().truncated(4)
    x = np.ascontiguousarray(make_picture(70, 90).transpose(2, 0, 1))
    before = x.copy()
    tiled_delta(network, x, [StandOut(4)], 64)
    np.testing.assert_array_equal(x, before)


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
