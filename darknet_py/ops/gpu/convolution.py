"""Convolutions with what follows them: by cuDNN where it can, else by columns and an epilogue.

Maps are (n, h, w, c), weights (filters, size, size, c / groups), both float32 or both HALF, biases
(filters,) float32; what cuDNN does not know, as float64, goes by columns.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cupy as cp

from darknet_py.ops.array_types import Array, Shape
from darknet_py.ops.gpu import im2col
from darknet_py.ops.gpu.cudnn import (
    ADDED,
    BIASES,
    NOTHING,
    RESULT,
    WEIGHTS,
    Epilogue,
    Job,
    Plan,
    X,
    planned,
)
from darknet_py.ops.gpu.kernel import HALF, contiguous
from darknet_py.ops.gpu.pointwise import epilogue, narrow, widen
from darknet_py.ops.sizes import Stride, pair


def convolve(
    x: Array,
    weights: Array,
    biases: Array | None,
    before: str,
    added: Array | None,
    after: str,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int,
    exact: bool,
) -> Array:
    """after(before(weights * x + biases) + added), with biases and added or None."""
    x, weights = contiguous(x), contiguous(weights)
    filters, size = weights.shape[:2]
    what = Epilogue(biases is not None, before, added is not None, after)
    window = filters, size, pair(stride), padding, groups, dilation
    job = Job("forward", _is_half(x), exact, x.shape, *window, what)
    arrays = {X: x, WEIGHTS: weights}
    plan = _plan(job, x) if what.fits_a_graph else None
    if plan:
        if biases is not None:
            arrays[BIASES] = biases
        if added is not None:
            arrays[ADDED] = contiguous(added)
        return _run(plan, job, arrays)
    plan = None if what == NOTHING else _plan(job.alone(), x)
    if plan:
        y = _run(plan, job, arrays)
    else:
        y = _by_columns(im2col.conv2d, x, weights, stride, padding, groups, dilation)
    return y if what == NOTHING else epilogue(y, biases, before, added, after, y)


def convolve_input(
    delta: Array,
    weights: Array,
    shape: Shape,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int,
    exact: bool,
) -> Array:
    """The delta of an input of `shape` from that of the output."""
    delta, weights = contiguous(delta), contiguous(weights)
    filters, size = weights.shape[:2]
    window = pair(stride), padding, groups, dilation
    job = Job("input", _is_half(delta), exact, shape, filters, size, *window)
    plan = _plan(job, delta)
    if plan:
        return _run(plan, job, {X: delta, WEIGHTS: weights})
    return _by_columns(im2col.conv2d_backward_input, delta, weights, shape, *window)


def convolve_weights(
    delta: Array,
    x: Array,
    size: int,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int,
    exact: bool,
) -> Array:
    """The updates of the weights, summed over pictures."""
    delta, x = contiguous(delta), contiguous(x)
    filters = delta.shape[3]
    window = pair(stride), padding, groups, dilation
    job = Job("weights", _is_half(x), exact, x.shape, filters, size, *window)
    plan = _plan(job, x)
    if plan:
        return _run(plan, job, {X: x, WEIGHTS: delta})
    return _by_columns(im2col.conv2d_backward_weights, delta, x, size, *window)


def _is_half(x: Array) -> bool:
    return bool(x.dtype == HALF)


def _plan(job: Job, x: Array) -> Plan | None:
    return planned(job) if x.dtype in (cp.float32, HALF) else None


def _run(plan: Plan, job: Job, arrays: dict[int, Array]) -> Array:
    result = cp.empty(job.result, arrays[X].dtype)
    plan.run({**arrays, RESULT: result})
    return result


def _by_columns(function: Callable[..., Array], one: Array, other: Array, *window: Any) -> Array:
    """Products are cuBLAS's, which does not know HALF."""
    if one.dtype == HALF:
        return narrow(function(widen(one), widen(other), *window))
    return function(one, other, *window)


def conv2d(
    x: Array, weights: Array, stride: Stride, padding: int, groups: int, dilation: int = 1
) -> Array:
    """x (n, h, w, c) with weights (out_c, size, size, c/groups): (n, out_h, out_w, out_c).

    stride: or (down, right); dilation: pixels from a place of the window to the next.
    """
    nothing = None, "linear", None, "linear"
    return convolve(x, weights, *nothing, stride, padding, groups, dilation, exact=True)


def conv2d_backward_input(
    delta: Array,
    weights: Array,
    shape: Shape,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int = 1,
) -> Array:
    """The delta of an input of `shape` (n, h, w, c) from that of the output."""
    return convolve_input(delta, weights, shape, stride, padding, groups, dilation, exact=True)


def conv2d_backward_weights(
    delta: Array,
    x: Array,
    size: int,
    stride: Stride,
    padding: int,
    groups: int,
    dilation: int = 1,
) -> Array:
    """The updates of the weights (out_c, size, size, c/groups), summed over pictures."""
    return convolve_weights(delta, x, size, stride, padding, groups, dilation, exact=True)
