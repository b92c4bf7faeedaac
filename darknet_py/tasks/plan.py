"""How a network is computed, step by step, and how long it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from darknet_py.network import Network
from darknet_py.ops.memory import check_memory

_ROUNDS = 7


@dataclass(frozen=True)
class StepTime:
    """One step: what it computes, how, and the median of its times. shape: of what it writes."""

    name: str
    shape: tuple[int, ...]
    algorithm: str
    operations: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """All steps, the device's peak in GFLOP/s, and what the maps take. whole: seconds that all take
    as one CUDA graph, or None; apart: why they are none, on a GPU."""

    steps: list[StepTime]
    peak: float
    megabytes: float
    whole: float | None
    apart: str


def measure_plan(net: Network, batch: int, work: str) -> Plan:
    """Runs each step of inference or training on its own; of a recurrent network, of so many
    sequences of time_steps rows."""
    net.initialise()
    h, w, c = net.in_shape
    rows = batch * net.settings.time_steps
    check_memory(4 * rows * net.in_shape.size, rows)
    rng = np.random.default_rng(0)
    x = rng.random((rows, c, h, w), np.float32)
    if work == "training":
        y = np.eye(net.outputs, dtype=np.float32)[rng.integers(0, net.outputs, rows)]
        found = net.times(x, y, _ROUNDS)
    else:
        found = net.times(x, rounds=_ROUNDS)
    return Plan([StepTime(*step) for step in found.steps], found.peak, *found[2:])


# How long predictions take.


@dataclass(frozen=True)
class Speed:
    """`count` predictions took so many seconds in all; operations: of one of them."""

    count: int
    seconds: float
    operations: int


def measure_speed(net: Network, count: int, batch: int = 1) -> Speed:
    """Predicts a random batch `count` times, after one time that does not count; of a recurrent
    network, so many sequences of time_steps rows."""
    net.initialise()
    h, w, c = net.in_shape
    rows = batch * net.settings.time_steps
    check_memory(4 * rows * net.in_shape.size, rows)
    x = np.random.default_rng(0).random((rows, c, h, w), np.float32)
    net.predict(x)
    start = time.perf_counter()
    for _ in range(count):
        net.predict(x)
    seconds = time.perf_counter() - start
    return Speed(count, seconds, rows * sum(layer.operations() for layer in net.layers))
