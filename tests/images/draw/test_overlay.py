from __future__ import annotations

import numpy as np
import pytest

from darknet_py.images import color_map, draw_heat, draw_maps, draw_overlay, shown_size
from tests.images.paint import check_picture
from tests.images.pictures import noise

SPOT = np.zeros((5, 5), np.float32)
SPOT[2, 2] = 3


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((32, 32), (320, 320)),
        ((28, 20), (308, 220)),
        ((500, 300), (500, 300)),
        ((2048, 1024), (1024, 512)),
        ((4000, 1), (1024, 1)),
    ],
)
def test_small_pictures_are_enlarged_and_large_ones_shrunk(
    size: tuple[int, int], shown: tuple[int, int]
) -> None:
    assert shown_size(*size) == shown
    w, h = size
    check_picture(draw_heat(SPOT, w, h), shown[1], shown[0])
    if h > 1:
        check_picture(draw_overlay(noise(h, w), SPOT), shown[1], shown[0])


def test_the_map_alone() -> None:
    drawn = draw_heat(SPOT, 400, 400)
    np.testing.assert_allclose(drawn[200, 200], color_map(np.array(1.0)), atol=0.03)
    np.testing.assert_allclose(drawn[20, 20], color_map(np.array(0.0)), atol=1e-6)
    np.testing.assert_array_equal(
        draw_heat(np.zeros((5, 5)), 40, 40)[0, 0], color_map(np.zeros(()))
    )
    np.testing.assert_array_equal(draw_heat(-SPOT, 400, 400), draw_heat(0 * SPOT, 400, 400))


def test_the_units_of_heat_do_not_matter() -> None:
    image = noise(40, 40)
    np.testing.assert_allclose(
        draw_overlay(image, SPOT), draw_overlay(image, SPOT * 1000), atol=1e-5
    )


def test_a_line_says_without_colour_what_is_hot() -> None:
    image = np.full((400, 400, 3), 0.5, np.float32)
    plain, lined = draw_overlay(image, SPOT, outline=False), draw_overlay(image, SPOT)
    changed = (plain != lined).any(axis=2)
    assert 100 < changed.sum() < 0.05 * changed.size
    assert set(np.unique(lined[changed])) == {np.float32(0.1), np.float32(1)}
    middle = changed[200]
    assert middle[:200].any()
    assert middle[200:].any()
    assert not middle[195:205].any()


def test_the_picture_below_is_seen_in_grey() -> None:
    image = np.zeros((64, 64, 3), np.float32)
    image[:, 32:] = [1, 0, 0]
    drawn = draw_overlay(image, np.zeros((4, 4)), outline=False)
    dark, red = drawn[10, 10], drawn[10, -10]
    assert red.mean() > dark.mean() + 0.1
    assert np.ptp(red) < 0.02
    grey = draw_overlay(image[:, :, :1], np.zeros((4, 4)))
    assert grey.shape == drawn.shape


def test_maps_in_one_scale() -> None:
    maps = np.stack([np.full((40, 40), value, np.float32) for value in (-1, 0, 5, 10)])
    sheet = draw_maps(maps, list("abcd"), "Maps")
    for share in (0, 0.5, 1):
        wanted = np.rint(color_map(np.array(share)) * 255)
        assert (np.rint(sheet * 255) == wanted).all(axis=2).sum() >= 1600
    check_picture(
        draw_maps(np.zeros((1, 3, 3)), ["x"]), *draw_maps(np.ones((1, 3, 3)), ["x"]).shape[:2]
    )
