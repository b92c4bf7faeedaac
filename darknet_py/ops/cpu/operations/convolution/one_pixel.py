"""A single output pixel, as of a dense layer: kernels/direct_one.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from darknet_py.ops.cpu.compile.table import Row
from darknet_py.ops.cpu.operations.convolution.direct import windows
from darknet_py.ops.cpu.operations.convolution.one_pixel_kernel import ONE_PANEL, direct_one
from darknet_py.ops.cpu.operations.convolution.operands import Operands

if TYPE_CHECKING:
    from darknet_py.ops.cpu.operations.convolution.convolution import Convolution


def fits(step: Convolution) -> bool:
    """Whether there is one picture, of one pixel, all of whose filters see all channels."""
    return (step.y.shape[0], *step.out) == (1, 1, 1) and step.groups == 1


def scratch(step: Convolution) -> int:
    """Bytes a thread."""
    return 16


def row(step: Convolution, operands: Operands) -> Row:
    return direct_one.step(
        list_=operands.binding.scratch.ctypes.data,
        vectors=operands.vectors,
        **windows(step, operands, ONE_PANEL),
        **operands.start(),
        **operands.finish(),
    )
