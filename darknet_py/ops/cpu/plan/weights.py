"""Weights in the order in which kernels read them, made once and shared by all programs."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import numpy as np

from darknet_py.ops.cpu.kernels.tile import PANEL
from darknet_py.ops.cpu.kernels.transforms import WINOGRAD
from darknet_py.ops.cpu.native.host import vector_length
from darknet_py.ops.cpu.plan.memory import aligned, padded

_AHEAD = 4096
"""Floats after the last that kernels may ask for ahead of time."""


class Weights:
    """Packed arrays by what they were made of; `clear` when parameters have changed."""

    def __init__(self) -> None:
        self._packed: dict[Hashable, np.ndarray] = {}
        self._sources: list[object] = []

    def clear(self) -> None:
        self._packed.clear()
        self._sources.clear()

    def get(self, source: np.ndarray, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The array for a source and a key, made if it is not there."""
        full_key = id(source), key
        if full_key not in self._packed:
            self._packed[full_key] = make()
            self._sources.append(source)  # an id is unique as long as its owner lives
        return self._packed[full_key]


def folded(
    weights: np.ndarray,
    biases: np.ndarray | None,
    norm: tuple[np.ndarray, np.ndarray, np.ndarray] | None,
    epsilon: float,
) -> tuple[np.ndarray | None, np.ndarray]:
    """A factor for each filter (None: 1), and the biases, of weights with batch normalisation.

    norm: scales, mean, variance.
    """
    filters = weights.shape[0]
    shift = np.zeros(filters, np.float64) if biases is None else biases.astype(np.float64)
    if norm is None:
        return None, shift.astype(np.float32)
    scales, mean, variance = (x.astype(np.float64) for x in norm)
    factor = scales / (np.sqrt(variance) + epsilon)
    return factor, (shift - mean * factor).astype(np.float32)


def pad_biases(biases: np.ndarray) -> np.ndarray:
    """With zeros for the filters that fill the last vector."""
    out = aligned(padded(len(biases)))
    out[: len(biases)] = biases
    return out


def pack_direct(weights: np.ndarray, groups: int, panel: int = PANEL) -> np.ndarray:
    """(filters, size, size, c / groups) for kernels/direct.py: panels of (size size c, filters)."""
    filters = weights.shape[0]
    matrix = weights.reshape(groups, filters // groups, -1)
    return _packed([_panels(group.T, panel) for group in matrix])


def pack_winograd(weights: np.ndarray, m: int, c: int) -> np.ndarray:
    """(filters, 3, 3, channels) for kernels/winograd.py, with zeros up to c channels."""
    filters, _, _, channels = weights.shape
    g = WINOGRAD[m].g.astype(np.float32)
    # two steps, and in float32: the whole of vgg's weights in a moment
    half = np.tensordot(weights, g, (2, 1))  # (filters, y, channels, b)
    both = np.tensordot(half, g, (1, 1))  # (filters, channels, b, a)
    matrices = np.zeros(((m + 2) ** 2, c, filters), np.float32)
    matrices[:, :channels] = both.transpose(3, 2, 1, 0).reshape(-1, channels, filters)
    parts = []
    for first, last in _panel_ranges(filters, PANEL):
        part = np.zeros((len(matrices), c, last - first), np.float32)
        part[:, :, : max(min(filters, last) - first, 0)] = matrices[:, :, first:last]
        parts.append(part)
    return _packed(parts)


def _panel_ranges(filters: int, panel: int) -> list[tuple[int, int]]:
    """First and last filter of each panel, then of each single vector that is left."""
    vectors = padded(filters) // vector_length()
    full = vectors // panel * panel
    ends = [*range(0, full + 1, panel), *range(full + 1, vectors + 1)]
    return [
        (a * vector_length(), b * vector_length()) for a, b in zip(ends, ends[1:], strict=False)
    ]


def _panels(matrix: np.ndarray, panel: int) -> np.ndarray:
    """(numbers, filters) in panels, each (numbers, filters of a panel)."""
    numbers, filters = matrix.shape
    out = np.zeros(numbers * padded(filters), np.float32)
    for first, last in _panel_ranges(filters, panel):
        part = out[numbers * first : numbers * last].reshape(numbers, last - first)
        part[:, : min(filters, last) - first] = matrix[:, first:last]
    return out


def _packed(parts: list[np.ndarray]) -> np.ndarray:
    out = aligned(sum(part.size for part in parts) + _AHEAD)
    at = 0
    for part in parts:
        out[at : at + part.size] = part.reshape(-1)
        at += part.size
    return out
