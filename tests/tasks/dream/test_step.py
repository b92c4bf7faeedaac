from __future__ import annotations

import numpy as np
import pytest

from darknet_py.images import (
    View,
    flip_image,
    from_view,
    resize_image,
    to_view,
    total_variation,
)
from darknet_py.network.targets import StandOut
from darknet_py.tasks.dream.options import DreamOptions, octave_size
from darknet_py.tasks.dream.step import Draw, Scene, delta_at, draw, dream_step
from tests.support.dreams import make_network, make_picture

STILL = Draw(choice=0, octave=0, dx=0, dy=0, flip=False)
TARGETS = [StandOut(4, 1.0)]


def network_delta(picture: np.ndarray) -> np.ndarray:
    x = np.ascontiguousarray(picture.transpose(2, 0, 1))
    return make_network().truncated(4).delta_towards(x, TARGETS).transpose(1, 2, 0)


def test_a_step_by_the_page() -> None:
    """optimize_picture, said again: the delta, a tenth of the way to grey, normalised, a rate."""
    picture = make_picture()
    step = network_delta(picture) + 0.1 * (0.5 - picture)
    step = (step - step.mean()) / step.std()
    expected = np.clip(picture + 0.05 * step, 0, 1)
    found = dream_step(make_network().truncated(4), Scene(picture), TARGETS, STILL, DreamOptions())
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_steps_that_are_not_normalised() -> None:
    picture = make_picture()
    step = network_delta(picture) + 0.1 * (0.5 - picture)
    expected = np.clip(picture + 0.05 * step, 0, 1)
    found = dream_step(
        make_network().truncated(4), Scene(picture), TARGETS, STILL, DreamOptions(norm=False)
    )
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_mirrored_step_is_the_mirrors_step() -> None:
    picture = make_picture()
    found = delta_at(make_network().truncated(4), picture, TARGETS, View(56, 40, flip=True), 0)
    np.testing.assert_array_equal(found, flip_image(network_delta(flip_image(picture))))


def test_a_smaller_step_is_brought_back_to_size() -> None:
    picture = np.random.default_rng(0).random((41, 57, 3), np.float32)
    w, h = int(57 * 0.5625), int(41 * 0.5625)
    found = delta_at(make_network().truncated(4), picture, TARGETS, View(w, h), 0)
    assert octave_size(57, 41, 2) == (w, h)
    small = network_delta(resize_image(picture, w, h))
    np.testing.assert_allclose(found[:-1], resize_image(small, 57, 41)[:-1], atol=2e-5)


def test_no_row_comes_out_black() -> None:
    """Where resize_image's does, as the C program's: 224 rows to 168 among them."""
    picture = np.full((224, 16, 3), 0.7, np.float32)
    shown: list[np.ndarray] = []

    class Watched:
        def delta_towards(self, x: np.ndarray, _: object) -> np.ndarray:
            shown.append(x)
            return x

        def next_size(self, w: int, h: int) -> tuple[int, int]:
            return w, h

    for octave in range(5):
        view = View(*octave_size(16, 224, octave))
        delta_at(Watched(), picture, TARGETS, view, 0)  # type: ignore[arg-type]
    assert any((resize_image(picture, *octave_size(16, 224, o))[-1] < 0.01).all() for o in range(5))
    for x in shown:
        np.testing.assert_allclose(x, 0.7, atol=1e-6)


@pytest.mark.parametrize(("dx", "dy"), [(3, -5), (-8, 7)])
def test_a_moved_step_is_moved_back(dx: int, dy: int) -> None:
    """In the middle, where no pixel of the edge is seen."""
    picture = make_picture(80, 96)
    targets = [StandOut(0, limit=0.0)]
    found = delta_at(make_network().truncated(4), picture, targets, View(96, 80, dx, dy), 0)
    still = delta_at(make_network().truncated(4), picture, targets, View(96, 80), 0)
    inside = slice(12, -12), slice(12, -12)
    np.testing.assert_allclose(found[inside], still[inside], atol=1e-5)


def test_a_mask_keeps_pixels() -> None:
    picture = make_picture()
    mask = np.zeros((40, 56, 1), np.float32)
    mask[:, 28:] = 1
    mask[:20] *= np.float32(0.5)
    found = dream_step(
        make_network().truncated(4),
        Scene(picture, mask=mask),
        TARGETS,
        STILL,
        DreamOptions(rate=0.01),
    )
    free = dream_step(
        make_network().truncated(4), Scene(picture), TARGETS, STILL, DreamOptions(rate=0.01)
    )
    np.testing.assert_array_equal(found[:, :28], picture[:, :28])
    np.testing.assert_array_equal(found[20:, 28:], free[20:, 28:])
    half = found[:20, 28:] - picture[:20, 28:]
    np.testing.assert_allclose(half, (free - picture)[:20, 28:] / 2, atol=1e-6)


def test_colours_are_kept() -> None:
    picture = make_picture()
    found = dream_step(
        make_network().truncated(4),
        Scene(picture, colors_of=picture),
        TARGETS,
        STILL,
        DreamOptions(rate=0.01),
    )
    change = found - picture
    assert np.abs(change).max() > 0.01
    np.testing.assert_allclose(change, change[:, :, :1].repeat(3, axis=2), atol=1e-6)


def test_total_variation_smooths() -> None:
    picture = np.random.default_rng(0).uniform(0.3, 0.7, (40, 56, 3)).astype(np.float32)
    rough, smooth = (
        dream_step(make_network().truncated(4), Scene(picture), TARGETS, STILL, DreamOptions(tv=tv))
        for tv in (0.0, 1.0)
    )
    assert total_variation(smooth) < 0.9 * total_variation(rough)


def test_the_laplacian_pyramid_is_used() -> None:
    picture = make_picture()
    plain, level = (
        dream_step(
            make_network().truncated(4),
            Scene(picture),
            TARGETS,
            STILL,
            DreamOptions(laplacian=levels),
        )
        for levels in (0, 3)
    )
    assert np.abs(plain - level).max() > 0.01


def test_a_picture_without_any_detail_does_not_break() -> None:
    grey = np.full((40, 56, 3), 0.5, np.float32)
    found = dream_step(
        make_network().truncated(4), Scene(grey), [StandOut(4, 1e6)], STILL, DreamOptions()
    )
    np.testing.assert_array_equal(found, grey)


def test_draws() -> None:
    rng = np.random.default_rng(0)
    draws = [draw(rng, 3, DreamOptions(octaves=4)) for _ in range(2000)]
    assert {d.choice for d in draws} == {0, 1, 2}
    assert {d.octave for d in draws} == {0, 1, 2, 3}
    assert {d.dx for d in draws} == {d.dy for d in draws} == set(range(-8, 8))
    assert 0.45 < sum(d.flip for d in draws) / 2000 < 0.55


def test_draws_from_coarse_to_fine() -> None:
    """The scale is no matter of chance, and the picture moves as far as google/deepdream's."""
    rng = np.random.default_rng(0)
    draws = [draw(rng, 3, DreamOptions(octaves=4, coarse_to_fine=True)) for _ in range(2000)]
    assert {d.octave for d in draws} == {0}
    assert {d.dx for d in draws} == {d.dy for d in draws} == set(range(-32, 32))


def test_what_is_moved_around_the_edge_comes_back() -> None:
    picture = make_picture()
    view = View(56, 40, 30, -17, wrap=True)
    x = to_view(picture, view)
    np.testing.assert_array_equal(x[:, 0, 0], picture[-17, 30])
    np.testing.assert_array_equal(from_view(x, view, 56, 40), picture)


def test_a_step_as_strong_as_any_layers() -> None:
    """From coarse to fine a delta is normalised before it is pulled to grey."""
    picture, options = make_picture(), DreamOptions(coarse_to_fine=True, rate=0.01)
    weak, strong = (
        dream_step(
            make_network().truncated(4), Scene(picture), [StandOut(4, weight=w)], STILL, options
        )
        for w in (1e-4, 1e4)
    )
    np.testing.assert_allclose(weak, strong, atol=1e-5)


def test_nothing_is_edited() -> None:
    picture = make_picture()
    before = picture.copy()
    scene = Scene(picture, picture, np.ones((40, 56, 1), np.float32))
    options = DreamOptions(laplacian=2, tv=0.5)
    dream_step(make_network().truncated(4), scene, TARGETS, Draw(0, 1, 3, 2, True), options, 64)
    np.testing.assert_array_equal(picture, before)
