"""Windows of any size, stride and groups: kernels/direct.py."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.tile import PANEL
from darknet_py.ops.cpu.compile.allocate import FLOAT, aligned, padded
from darknet_py.ops.cpu.compile.table import Row
from darknet_py.ops.cpu.operations.convolution.direct_kernel import direct, direct_pooled
from darknet_py.ops.cpu.operations.convolution.operands import Operands
from darknet_py.ops.cpu.operations.convolution.packing import AHEAD, Packing

if TYPE_CHECKING:
    from darknet_py.ops.cpu.operations.convolution.convolution import Convolution


def scratch(step: Convolution) -> int:
    """Bytes a thread."""
    return 64 * step.chosen.block


def row(step: Convolution, operands: Operands) -> Row:
    merged = merge(step.groups, step.filters)
    groups = step.groups // merged
    channels = step.x.shape[3] // groups
    if step.groups == 1:
        numbers = windows(step, operands, PANEL)
    else:
        packed = operands.made(
            "groups", lambda: pack(step.weights, operands.factors, step.groups, merged)
        )
        numbers = {"weights": packed, **operands.segments(channels)}
    kernel = direct_pooled if step.pooled else direct
    return kernel.step(
        batch=step.y.shape[0],
        out_h=step.y.shape[1],
        out_w=step.y.shape[2],
        groups=groups,
        group_vectors=operands.vectors // groups,
        x_group=FLOAT * channels,
        block=step.chosen.block,
        lists=operands.binding.scratch.ctypes.data,
        split_filters=int(step.chosen.split_filters),
        **numbers,
        **operands.start(),
        **operands.finish(),
        **operands.pitches(),
    )


def windows(step: Convolution, operands: Operands, panel: int) -> dict[str, int]:
    """Where the numbers of a window of all channels lie, and the weights, `panel` vectors of
    filters in a panel."""
    length = step.x.shape[3]
    if operands.x.pixel == FLOAT * padded(length):
        length = padded(length)
    packing = Packing(0, length, panel, step.backward)
    return {"weights": operands.packed(packing), **operands.segments(length)}


def merge(groups: int, filters: int) -> int:
    """Groups that are computed as one, so that their filters fill whole vectors; 0 for cannot."""
    each = filters // groups
    for together in range(1, groups + 1):
        if groups % together == 0 and together * each % vector_length() == 0:
            return together
    return 1 if groups == 1 else 0


def pack(weights: np.ndarray, factors: np.ndarray | None, groups: int, merged: int) -> np.ndarray:
    """Of groups, `merged` of them as one: zeros where a filter does not see a channel."""
    filters, high, wide, part = weights.shape
    each, together = filters // groups, filters // groups * merged
    full = np.zeros((filters, high * wide, merged, part), np.float32)
    scaled = weights if factors is None else weights * factors[:filters].reshape(-1, 1, 1, 1)
    for f in range(filters):
        full[f, :, f // each % merged] = scaled[f].reshape(high * wide, part)
    out = aligned(full.size + AHEAD)
    at = 0
    for matrix in full.reshape(groups // merged, together, -1):
        for first, last in _panel_ranges(together):
            piece = matrix[first:last].T
            out[at : at + piece.size] = piece.reshape(-1)
            at += piece.size
    return out


def _panel_ranges(filters: int) -> list[tuple[int, int]]:
    """First and last filter of each panel, then of each single vector that is left."""
    vectors = filters // vector_length()
    full = vectors // PANEL * PANEL
    ends = [*range(0, full + 1, PANEL), *range(full + 1, vectors + 1)]
    return [(a * vector_length(), b * vector_length()) for a, b in pairwise(ends)]
