"""How far an answer is from the truth."""

from __future__ import annotations

import numpy as np


def relative_error(found: np.ndarray, truth: np.ndarray) -> float:
    """The largest difference, relative to the largest value."""
    if found.size != truth.size:
        raise ValueError(f"{found.shape} cannot be compared with {truth.shape}")
    largest = float(np.abs(truth).max())
    difference = float(np.abs(found.reshape(truth.shape).astype(np.float64) - truth).max())
    return difference / largest if largest else difference
