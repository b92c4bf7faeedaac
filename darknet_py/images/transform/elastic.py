"""Pixels that wander in smooth waves."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from darknet_py.ops.cpu.spline import control_count, spline_surface

# Of a cubic B-spline with knots 1 apart: its own standard deviation, and the variance of the sum
# of its copies times normal numbers, on average over all places (once for each direction).
_SIGMA = math.sqrt(1 / 3)
_VARIANCE = 151 / 315


def draw_displacement(
    rng: np.random.Generator, pixels: float, sigma: float, w: int, h: int
) -> npt.NDArray[np.float32]:
    """A random field (2, h, w): how far each pixel's source moves, across and down, in pixels.

    Normal numbers with the standard deviation `pixels`, as smooth as noise that a Gaussian of
    `sigma` pixels has blurred; a spline through few numbers, so that a large sigma costs no more.
    """
    spacing = sigma / _SIGMA
    shape = (2, control_count(h, spacing), control_count(w, spacing))
    control = rng.standard_normal(shape, np.float32)
    control *= np.float32(pixels / _VARIANCE)
    field: npt.NDArray[np.float32] = spline_surface(control, spacing, w, h)
    return field
