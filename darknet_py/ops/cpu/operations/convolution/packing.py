"""Weights in the order in which kernels read them: made once, or at each run of a program."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.tile import PANEL
from darknet_py.ops.cpu.compile.allocate import aligned, padded
from darknet_py.ops.cpu.operations.convolution import packing_kernel as pack
from darknet_py.ops.normalize import deviation

AHEAD = 4096
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
        return places * self.c * padded(channels if self.backward else filters) + AHEAD

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
    factor = scales / (deviation(variance) + epsilon)
    return pad(factor), pad(shift - mean * factor)


def pad(values: np.ndarray) -> np.ndarray:
    """As float32, with zeros up to whole vectors."""
    out = aligned(padded(len(values)))
    out[: len(values)] = values
    return out
