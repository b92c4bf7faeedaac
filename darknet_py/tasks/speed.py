"""How long predictions take."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from darknet_py.network import Network
from darknet_py.ops.memory import check_memory


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
