"""Weights in the order in which kernels read them: made once, or at each run of a program."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from darknet_py.ops.cpu.kernels import few, pack
from darknet_py.ops.cpu.kernels.tile import PANEL
from darknet_py.ops.cpu.native.host import vector_length
from darknet_py.ops.cpu.plan.memory import aligned, padded

_AHEAD = 4096
"""Floats after the last that kernels may ask for ahead of time."""


class Weights:
    """Packed arrays by what they were made of; `clear` when parameters have changed."""

    def __init__(self) -> None:
        self._packed: dict[Hashable, np.ndarray] = {}
        self._sources: list[Sequence[np.ndarray]] = []

    def clear(self) -> None:
        self._packed.clear()
        self._sources.clear()

    def get(
        self, sources: Sequence[np.ndarray], key: Hashable, make: Callable[[], np.ndarray]
    ) -> np.ndarray:
        """The array for sources and a key, made if it is not there."""
        full_key = tuple((source.ctypes.data, source.shape) for source in sources), key
        if full_key not in self._packed:
            self._packed[full_key] = make()
            self._sources.append(sources)  # an address is unique as long as its owner lives
        return self._packed[full_key]


@dataclass(frozen=True)
class Packing:
    """How kernels want the weights (filters, rows, columns, channels) of a convolution.

    m: Winograd's tiles, 0 for direct; c: channels with those that pad; panel: vectors of filters in
    a panel of a direct convolution; backward: for the convolution that carries deltas to the input,
    whose filters are these weights' channels (c: then of the delta's map).
    """

    m: int
    c: int
    panel: int = PANEL
    backward: bool = False

    def floats(self, weights: np.ndarray) -> int:
        """Room for the packed weights."""
        filters, high, wide, channels = weights.shape
        places = int((self.m + high - 1) ** 2 if self.m else high * wide)
        return places * self.c * padded(channels if self.backward else filters) + _AHEAD

    def row(self, weights: np.ndarray, packed: int, factors: int) -> list[int]:
        """A row that packs. packed: an address; factors: of a float a filter (padded), or 0."""
        filters, high, wide, channels = weights.shape
        arguments = {
            "weights": weights.ctypes.data,
            "packed": packed,
            "filters": filters,
            "c": channels,
            "factors": factors,
            "filters_padded" if self.backward else "c_padded": self.c,
        }
        if self.m:
            kernels = pack.PACK_WINOGRAD_BACKWARD if self.backward else pack.PACK_WINOGRAD
            return kernels[self.m, high].step(**arguments)
        kernel = pack.pack_direct_backward if self.backward else pack.pack_direct
        return kernel.step(taps=high * wide, panel=self.panel, **arguments)


def biases_row(biases: np.ndarray, out: np.ndarray) -> list[int]:
    """A row that copies biases (filters,) to whole vectors."""
    return pack.pack_direct.step(
        weights=biases.ctypes.data,
        packed=out.ctypes.data,
        filters=len(biases),
        taps=1,
        c=1,
        c_padded=1,
        panel=1,
        factors=0,
    )


def folded(
    weights: np.ndarray,
    biases: np.ndarray | None,
    norm: tuple[np.ndarray, np.ndarray, np.ndarray] | None,
    epsilon: float,
) -> tuple[np.ndarray | None, np.ndarray]:
    """A factor for each filter (None: 1) and the biases, of weights with batch normalisation.

    norm: scales, mean, variance. Both in whole vectors.
    """
    filters = weights.shape[0]
    shift = np.zeros(filters, np.float64) if biases is None else biases.astype(np.float64)
    if norm is None:
        return None, pad(shift)
    scales, mean, variance = (x.astype(np.float64) for x in norm)
    factor = scales / (np.sqrt(variance) + epsilon)
    return pad(factor), pad(shift - mean * factor)


def pad(values: np.ndarray) -> np.ndarray:
    """As float32, with zeros up to whole vectors."""
    out = aligned(padded(len(values)))
    out[: len(values)] = values
    return out


def merge(groups: int, filters: int) -> int:
    """Groups that are computed as one, so that their filters fill whole vectors; 0 for cannot."""
    each = filters // groups
    for together in range(1, groups + 1):
        if groups % together == 0 and together * each % vector_length() == 0:
            return together
    return 1 if groups == 1 else 0


def pack_groups(
    weights: np.ndarray, factors: np.ndarray | None, groups: int, merged: int
) -> np.ndarray:
    """For a direct convolution in groups, `merged` of them as one: zeros where a filter does not
    see a channel."""
    filters, high, wide, part = weights.shape
    each, together = filters // groups, filters // groups * merged
    full = np.zeros((filters, high * wide, merged, part), np.float32)
    scaled = weights if factors is None else weights * factors[:filters].reshape(-1, 1, 1, 1)
    for f in range(filters):
        full[f, :, f // each % merged] = scaled[f].reshape(high * wide, part)
    out = aligned(full.size + _AHEAD)
    at = 0
    for matrix in full.reshape(groups // merged, together, -1):
        for first, last in _panel_ranges(together):
            piece = matrix[first:last].T
            out[at : at + piece.size] = piece.reshape(-1)
            at += piece.size
    return out


def pack_shared(weights: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    """For a convolution whose groups share vectors: see kernels/grouped.py."""
    filters, high, wide, part = weights.shape
    full = np.zeros((padded(filters), high * wide, part), np.float32)
    full[:filters] = weights.reshape(filters, high * wide, part)
    if factors is not None:
        full *= factors.reshape(-1, 1, 1)
    out = aligned(full.size)
    out[:] = full.reshape(-1, vector_length(), high * wide, part).transpose(0, 2, 3, 1).reshape(-1)
    return out


def pack_few(weights: np.ndarray, factors: np.ndarray | None, backward: bool) -> np.ndarray:
    """For a convolution of few filters: see kernels/few.py."""
    scaled = weights
    if factors is not None:
        scaled = weights * factors[: len(weights)].reshape(-1, 1, 1, 1)
    if backward:
        scaled = scaled[:, ::-1, ::-1].transpose(3, 1, 2, 0)
    filters, high, wide, c = scaled.shape
    each, panels = few.places_per_panel(filters), few.panels_for(filters, high * wide)
    out = np.zeros((panels, padded(c), PANEL * vector_length()), np.float32)
    for place in range(high * wide):
        panel, slot = divmod(place, each)
        matrix = scaled[:, place // wide, place % wide].T
        out[panel, :c, slot * filters : (slot + 1) * filters] = matrix
    packed = aligned(out.size + _AHEAD)
    packed[: out.size] = out.reshape(-1)
    return packed


def _panel_ranges(filters: int) -> list[tuple[int, int]]:
    """First and last filter of each panel, then of each single vector that is left."""
    vectors = filters // vector_length()
    full = vectors // PANEL * PANEL
    ends = [*range(0, full + 1, PANEL), *range(full + 1, vectors + 1)]
    return [(a * vector_length(), b * vector_length()) for a, b in pairwise(ends)]
