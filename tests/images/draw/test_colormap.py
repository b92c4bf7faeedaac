from __future__ import annotations

import numpy as np
import pytest

from darknet_py.images import color_map
from darknet_py.images.draw.colormap import INFERNO


def test_its_ends_its_middle_and_what_is_no_number() -> None:
    values = np.array([[0, 1], [0.5, np.nan]])
    colors = np.rint(color_map(values) * 255)
    assert colors.shape == (2, 2, 3)
    assert colors[0].tolist() == [list(INFERNO[0]), list(INFERNO[-1])]
    assert colors[1].tolist() == [list(INFERNO[8]), list(INFERNO[0])]
    np.testing.assert_array_equal(color_map(np.array([-3, 7])), color_map(np.array([0, 1])))


def test_it_grows_lighter_evenly_so_that_no_colour_vision_is_needed() -> None:
    """CIE lightness, from black to almost white, in steps of much the same size."""
    colors = color_map(np.linspace(0, 1, 65)).astype(np.float64)
    linear = np.where(colors > 0.04045, ((colors + 0.055) / 1.055) ** 2.4, colors / 12.92)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    lightness = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    steps = np.diff(lightness)
    assert steps.min() > 0.5
    assert steps.max() < 2.5
    assert lightness[0] < 1
    assert lightness[-1] > 95


def test_it_is_matplotlibs() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib to compare with")
    table = matplotlib.colormaps["inferno"](np.arange(256))[:, :3]
    np.testing.assert_allclose(color_map(np.linspace(0, 1, 256)), table, atol=0.026)
