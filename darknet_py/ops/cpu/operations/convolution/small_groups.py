"""Groups that share vectors: kernels/grouped.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.compile.allocate import aligned, padded
from darknet_py.ops.cpu.compile.table import Row
from darknet_py.ops.cpu.operations.convolution.operands import Operands
from darknet_py.ops.cpu.operations.convolution.small_groups_kernel import can_group, grouped

if TYPE_CHECKING:
    from darknet_py.ops.cpu.operations.convolution.convolution import Convolution


def fits(step: Convolution) -> bool:
    """Whether a vector holds several of its groups."""
    return can_group(step.x.shape[3], step.filters, step.groups)


def scratch(step: Convolution) -> int:
    """Bytes a thread."""
    return 16 * step.chosen.block


def row(step: Convolution, operands: Operands) -> Row:
    return grouped.step(
        batch=step.y.shape[0],
        out_h=step.y.shape[1],
        out_w=step.y.shape[2],
        segments=operands.binding.integers(operands.window()),
        count=len(operands.window()),
        part=step.weights.shape[3],
        weights=operands.made("shared", lambda: pack(step.weights, operands.factors)),
        vectors=operands.vectors,
        block=step.chosen.block,
        lists=operands.binding.scratch.ctypes.data,
        **operands.start(),
        **operands.finish(),
        **operands.pitches(),
    )


def pack(weights: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
    """Of each vector of filters, for each place, as many vectors as a group has channels."""
    filters, high, wide, part = weights.shape
    full = np.zeros((padded(filters), high * wide, part), np.float32)
    full[:filters] = weights.reshape(filters, high * wide, part)
    if factors is not None:
        full *= factors.reshape(-1, 1, 1)
    out = aligned(full.size)
    out[:] = full.reshape(-1, vector_length(), high * wide, part).transpose(0, 2, 3, 1).reshape(-1)
    return out
