from __future__ import annotations

import numpy as np
from PIL import Image

from darknet_py.images import with_colors_of


def test_as_bright_as_the_one_in_the_colours_of_the_other() -> None:
    rng = np.random.default_rng(0)
    image, source = (rng.uniform(0.35, 0.65, (9, 8, 3)).astype(np.float32) for _ in range(2))
    found = with_colors_of(image, source)
    y, cb, cr = (_channels(found)[..., i] for i in range(3))
    np.testing.assert_allclose(y, _channels(image)[..., 0], atol=1.5)
    np.testing.assert_allclose(cb, _channels(source)[..., 1], atol=1.5)
    np.testing.assert_allclose(cr, _channels(source)[..., 2], atol=1.5)
    np.testing.assert_allclose(with_colors_of(source, source), source, atol=1e-6)


def _channels(image: np.ndarray) -> np.ndarray:
    """Y, Cb and Cr, 0..255, as Pillow has them."""
    pixels = np.rint(image * 255).astype(np.uint8)
    return np.asarray(Image.fromarray(pixels).convert("YCbCr")).astype(float)


def test_within_0_and_1() -> None:
    bright, dark = np.ones((2, 2, 3), np.float32), np.zeros((2, 2, 3), np.float32)
    dark[..., 0] = 0.5
    found = with_colors_of(bright, dark)
    assert found.max() == 1
    assert found.min() >= 0


def test_a_grey_picture_is_itself() -> None:
    grey = np.random.default_rng(0).random((3, 4, 1)).astype(np.float32)
    np.testing.assert_array_equal(with_colors_of(grey, grey * 0), grey)
