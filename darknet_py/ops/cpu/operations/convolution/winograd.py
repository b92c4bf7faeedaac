"""Winograd's transforms: kernels/winograd.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from darknet_py.ops.cpu.compile.allocate import padded
from darknet_py.ops.cpu.compile.table import Row
from darknet_py.ops.cpu.operations.convolution.operands import Operands
from darknet_py.ops.cpu.operations.convolution.packing import Packing
from darknet_py.ops.cpu.operations.convolution.winograd_kernel import KERNELS, scratch_size

if TYPE_CHECKING:
    from darknet_py.ops.cpu.operations.convolution.convolution import Convolution


def scratch(step: Convolution) -> int:
    """Bytes a thread."""
    return scratch_size(step.chosen.m, step.window[0], step.chosen.block, padded(step.x.shape[3]))


def row(step: Convolution, operands: Operands) -> Row:
    m = step.chosen.m
    c = padded(step.x.shape[3])
    return KERNELS[m, step.window[0]].step(
        batch=step.x.shape[0],
        out_h=step.out[0],
        out_w=step.out[1],
        c=c,
        weights=operands.packed(Packing(m, c, backward=step.backward)),
        vectors=operands.vectors,
        block=step.chosen.block,
        scratch=operands.binding.scratch.ctypes.data,
        scratch_size=scratch(step),
        split_filters=int(step.chosen.split_filters),
        pooled=int(step.pooled),
        **operands.start(),
        **operands.finish(),
        **operands.pitches(),
    )
