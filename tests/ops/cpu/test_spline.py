from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.ops.cpu.spline import control_count, spline_surface

sizes = st.integers(1, 12)
spacings = st.floats(0.5, 30)


def controls(h: int, w: int, spacing: float, seed: int = 5) -> np.ndarray:
    shape = (2, control_count(h, spacing), control_count(w, spacing))
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def cubic(t: float) -> float:
    """The cubic B-spline around 0."""
    t = abs(t)
    return max(2 - t, 0) ** 3 / 6 - 4 * max(1 - t, 0) ** 3 / 6


@given(sizes, sizes, spacings)
def test_the_sum_of_all_splines_written_out(h: int, w: int, spacing: float) -> None:
    control = controls(h, w, spacing)
    _, rows, columns = control.shape
    down = [[cubic(y / spacing - (row - 1)) for row in range(rows)] for y in range(h)]
    across = [[cubic(x / spacing - (column - 1)) for column in range(columns)] for x in range(w)]
    expected = np.array(down) @ control.astype(float) @ np.array(across).T
    surface = spline_surface(control, spacing, w, h)
    assert surface.dtype == np.float32
    np.testing.assert_allclose(surface, expected, atol=1e-5)


@given(sizes, sizes, spacings)
def test_equal_controls_make_a_plane(h: int, w: int, spacing: float) -> None:
    control = np.full_like(controls(h, w, spacing), 3)
    np.testing.assert_allclose(spline_surface(control, spacing, w, h), 3, rtol=1e-6)


def test_it_is_smooth() -> None:
    surface = spline_surface(controls(1, 400, 40), 40, 400, 1)[0, 0]
    assert abs(np.diff(surface, n=2)).max() < 5 / 40**2
