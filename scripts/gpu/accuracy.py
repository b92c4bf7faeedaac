"""What a device computes, against the C program's figures in tests/golden."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"
LIMITS = {"tf32": 2e-3, "exact": 1e-4}
"""The largest error, of the largest value, with products of TF32 and of whole floats."""

EXCEPTIONS = {"connected_bn": 5e-3}
"""Figures that no device of ours meets: where the C program's gradient is not the exact one."""


class Case(NamedTuple):
    """One figure: how far off, in units of the largest expected value."""

    kind: str
    name: str
    precision: str
    error: float

    @property
    def is_good(self) -> bool:
        return self.error <= EXCEPTIONS.get(self.name, LIMITS[self.precision])


def cases(device: str) -> Iterator[Case]:
    """All figures in both precisions."""
    for kind in ("forward", "train", "dream"):
        for path in sorted((GOLDEN / kind).glob("*.npz")):
            for precision in LIMITS:
                yield measure(devices.for_device(device), kind, path.stem, precision)


def measure(ops: Any, kind: str, name: str, precision: str) -> Case:
    """One figure on a device."""
    measures = {"forward": _forward, "train": _train, "dream": _dream}
    with np.load(GOLDEN / kind / f"{name}.npz") as figure:
        net = _network(figure, ops, precision)
        return Case(kind, name, precision, measures[kind](figure, net))


def _network(figure: Any, ops: Any, precision: str) -> Network:
    exact = precision == "exact"
    net = Network(parse_sections(str(figure["cfg"])), "golden.cfg", ops, exact=exact)
    with tempfile.NamedTemporaryFile(suffix=".weights") as file:
        file.write(figure["weights"].tobytes())
        file.flush()
        net.load_weights(file.name)
    return net


def _forward(figure: Any, net: Network) -> float:
    """Every layer's output, three times: from the second run on it is a CUDA graph."""
    errors = [
        _error(found, figure[f"out_{index}"])
        for _ in range(3)
        for index, found in enumerate(net.activations(figure["x"]))
    ]
    return max(errors)


def _train(figure: Any, net: Network) -> float:
    """The loss of every step: of the last ones it depends on all that was learned."""
    losses = [
        net.train_step(np.ascontiguousarray(x), np.ascontiguousarray(y))
        for x, y in zip(figure["x"], figure["y"], strict=True)
    ]
    return _error(np.array(losses), figure["loss"])


def _dream(figure: Any, net: Network) -> float:
    layer, thresh = int(figure["layer"]), float(figure["thresh"])
    found = [net.image_delta(figure["x"], layer, thresh) for _ in range(3)]
    return max(_error(each, figure["image_delta"]) for each in found)


def _error(found: np.ndarray, expected: np.ndarray) -> float:
    """A number that is none is an infinite error."""
    difference = np.abs(found.reshape(expected.shape) - expected).max(initial=0)
    largest = np.abs(expected).max(initial=0) or 1.0
    return float(difference / largest) if np.isfinite(difference) else float("inf")
