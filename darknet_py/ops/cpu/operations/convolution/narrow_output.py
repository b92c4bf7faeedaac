"""Few filters, as of a delta of the picture: kernels/few.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.tile import PANEL
from darknet_py.ops.cpu.compile.allocate import aligned, padded
from darknet_py.ops.cpu.compile.table import Row
from darknet_py.ops.cpu.operations.convolution.narrow_output_kernel import (
    can_be_few,
    few,
    offsets_for,
    panels_for,
    places_per_panel,
    row_bytes,
)
from darknet_py.ops.cpu.operations.convolution.operands import Operands
from darknet_py.ops.cpu.operations.convolution.packing import AHEAD

if TYPE_CHECKING:
    from darknet_py.ops.cpu.operations.convolution.convolution import Convolution


def fits(step: Convolution) -> bool:
    """Whether the filters are so few, and with nothing fused, that the kernel can do it."""
    fused = step.added, step.added_after, step.gate
    is_bare = not any(one is not None for one in fused) and step.activation == "linear"
    is_small = can_be_few(step.filters, *step.window, step.stride, step.groups)
    return is_small and is_bare and not step.pooled and not step.changing and step.out != (1, 1)


def scratch(step: Convolution) -> int:
    """Bytes a thread."""
    return step.window[0] * row_bytes(_panels(step))


def row(step: Convolution, operands: Operands) -> Row:
    high, wide = step.window
    return few.step(
        batch=step.x.shape[0],
        out_h=step.out[0],
        out_w=step.out[1],
        high=high,
        wide=wide,
        c=padded(step.x.shape[3]),
        weights=operands.made(
            ("few", step.backward), lambda: pack(step.weights, operands.factors, step.backward)
        ),
        panels=_panels(step),
        offsets=operands.binding.integers(offsets_for(high, wide, step.filters)),
        mask=operands.binding.floats(np.arange(vector_length()) < step.filters),
        scratch=operands.binding.scratch.ctypes.data,
        row_size=row_bytes(_panels(step)),
        **operands.start(),
        **operands.pitches(),
    )


def _panels(step: Convolution) -> int:
    high, wide = step.window
    return panels_for(step.filters, high * wide)


def pack(weights: np.ndarray, factors: np.ndarray | None, backward: bool) -> np.ndarray:
    """A matrix (c, filters of some places) for each panel."""
    scaled = weights
    if factors is not None:
        scaled = weights * factors[: len(weights)].reshape(-1, 1, 1, 1)
    if backward:
        scaled = scaled[:, ::-1, ::-1].transpose(3, 1, 2, 0)
    filters, high, wide, c = scaled.shape
    each, panels = places_per_panel(filters), panels_for(filters, high * wide)
    out = np.zeros((panels, padded(c), PANEL * vector_length()), np.float32)
    for place in range(high * wide):
        panel, slot = divmod(place, each)
        matrix = scaled[:, place // wide, place % wide].T
        out[panel, :c, slot * filters : (slot + 1) * filters] = matrix
    packed = aligned(out.size + AHEAD)
    packed[: out.size] = out.reshape(-1)
    return packed
