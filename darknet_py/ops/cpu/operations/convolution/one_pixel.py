"""Direct convolution to a single output pixel, as of a dense layer: each weight is read once."""

from __future__ import annotations

import numpy as np

from darknet_py.ops.cpu.codegen.emit import store_i64
from darknet_py.ops.cpu.codegen.epilogue import at_filters
from darknet_py.ops.cpu.codegen.indexing import panel_at, panels_of, part_of
from darknet_py.ops.cpu.codegen.kernel import Epilogue, PackedWeights, TensorView, kernel
from darknet_py.ops.cpu.codegen.tile import AHEAD, VECTOR
from darknet_py.ops.cpu.compile.step import Row
from darknet_py.ops.cpu.operations.convolution.direct import make_tile, windows
from darknet_py.ops.cpu.operations.convolution.spec import ConvolutionSpec, Operands

ONE_PANEL = 8
"""Vectors of filters in a panel: one pixel leaves registers for more than other tiles have."""

_wide, _narrow = make_tile(1, ONE_PANEL), make_tile(1, 1)


def dense_reference(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """x (inputs,), weights (outputs, inputs) -> (outputs,)."""
    y = np.zeros(len(weights), x.dtype)
    for f, row in enumerate(weights):
        for number, weight in zip(x, row, strict=True):
            y[f] += number * weight
    return y


@kernel
def one_pixel(
    thread: int,
    threads: int,
    x: TensorView,
    y: TensorView,
    window: PackedWeights,
    epilogue: Epilogue,
    vectors: int,
    lists: int,
) -> None:
    """window.weights: panels of eight vectors of filters, then single ones; lists: scratch, 16
    bytes a thread. The rest as direct's."""
    segments, count, length, weights = window
    lists += thread * 16
    store_i64(lists, x.address)
    store_i64(lists + 8, y.address)
    full, panels = panels_of(vectors, ONE_PANEL)
    first, last = part_of(thread, threads, panels, 1)
    for number in range(first, last):
        vector, width = panel_at(number, full, ONE_PANEL)
        shift = vector * VECTOR
        mine = weights + count * length * shift
        numbers = (lists, 0), (lists + 8, shift), (segments, count, length, mine)
        finish = at_filters(epilogue, shift)
        if width == ONE_PANEL:
            _wide(*numbers, (mine + AHEAD, ONE_PANEL * VECTOR), *finish)
        else:
            _narrow(*numbers, (mine + AHEAD, VECTOR), *finish)


def fits(spec: ConvolutionSpec) -> bool:
    """Whether there is one picture, of one pixel, all of whose filters see all channels."""
    return (spec.y.shape[0], *spec.out) == (1, 1, 1) and spec.groups == 1


def scratch(spec: ConvolutionSpec) -> int:
    """Bytes a thread."""
    return 16


def row(spec: ConvolutionSpec, operands: Operands) -> Row:
    return one_pixel.step(
        x=operands.windows,
        y=operands.y,
        window=windows(spec, operands, ONE_PANEL),
        epilogue=operands.epilogue(),
        vectors=operands.vectors,
        lists=operands.binding.scratch.ctypes.data,
    )
