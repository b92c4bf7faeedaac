"""Profiling: a call's name, its number of operations, and its time by the device's events."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import cupy as cp
import numpy as np

from darknet_py.ops.execution import joined_name
from darknet_py.ops.gpu.convolution import convolve
from darknet_py.ops.gpu.kernel import HALF
from darknet_py.ops.graph import Node

_REPEATS = 10
"""Of a call between two events, so that its launch is not what is measured."""
_SIZE = 4096
"""Of the matrices whose product is the peak."""
_PEAK_ROUNDS = 5


def seconds_of(work: Callable[[], Any], stream: Any, rounds: int) -> float:
    """The median of the seconds that what `work` launches on the current stream takes."""
    found = []
    for _ in range(rounds):
        begin, end = cp.cuda.Event(), cp.cuda.Event()
        begin.record(stream)
        work()
        end.record(stream)
        end.synchronize()
        found.append(cp.cuda.get_elapsed_time(begin, end) / 1e3)
    return float(np.median(found))


def seconds_of_call(work: Callable[[], Any], stream: Any, rounds: int, captured: bool) -> float:
    """The same of one call. captured: a graph may hold it, and then does, as a device waits longer
    for the host to launch a small kernel than it takes."""

    def repeated() -> None:
        for _ in range(_REPEATS):
            work()

    work()  # takes the memory, which must not be taken while a stream captures
    graph = _graph(repeated, stream) if captured else None
    launched = repeated if graph is None else lambda: graph.launch(stream)
    return seconds_of(launched, stream, rounds) / _REPEATS


def _graph(work: Callable[[], Any], stream: Any) -> Any:
    """None where the driver, or cupy, refuses."""
    stream.begin_capture()
    try:
        work()
        return stream.end_capture()
    except RuntimeError:
        with suppress(RuntimeError):
            stream.end_capture()
        return None


@cache
def peak(device: int, exact: bool, half: bool) -> float:
    """GFLOP/s of a large product in this precision, on the device in use, which has this number.

    By the library that computes convolutions, whose products are TF32 where cupy's are not: cuDNN,
    or cuBLAS without it.
    """
    kind = HALF if half else cp.float32
    x = cp.zeros((1, _SIZE, 1, _SIZE), kind)
    weights = cp.zeros((_SIZE, 1, 1, _SIZE), kind)

    def multiply() -> None:
        convolve(x, weights, None, "linear", None, "linear", 1, 0, 1, 1, exact)

    multiply()
    seconds = seconds_of(multiply, cp.cuda.get_current_stream(), _PEAK_ROUNDS)
    return float(2 * _SIZE**3 / seconds / 1e9)


def step_name(call: Node) -> str:
    """As a plan of the CPU names it, where it has such a step."""
    if call.name not in ("convolve", "convolve_all"):
        return call.name
    weights = call.arguments[1]
    before, added, after = call.arguments[3:6]
    window = "dense" if call.name == "convolve_all" else f"{weights.shape[1]}x{weights.shape[1]}"
    stride = f"/{call.arguments[6]}" if call.name == "convolve" else ""
    sum_ = "" if added is None else "shortcut"
    return joined_name(f"{window}{stride} {weights.shape[0]}", before, sum_, after)


def operation_count(call: Node) -> int:
    """Multiplications and additions of a convolution, as if computed directly; 0 of all others."""
    if not call.name.startswith("convolve"):
        return 0
    one, other, y = call.arguments[0].shape, call.arguments[1].shape, call.result.shape
    weights: tuple[int, ...] = other
    if call.name.endswith("_weights"):
        weights, y = y, one
    elif call.name.endswith("_input"):
        y = one
    return 2 * math.prod(weights) * (math.prod(y) // weights[0])
