"""What a device computes, against the C program's figures in tests/golden."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network
from scripts.gpu.plan import Planned, Settings
from scripts.gpu.rows import Case

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"
PRECISIONS = ("tf32", "exact")


def plan(settings: Settings) -> Iterator[Planned]:
    """All figures in both precisions."""
    ops = devices.for_device(settings.device)
    for kind, name in figures():
        for precision in PRECISIONS:
            yield f"{kind}, {name}, {precision}", partial(measure, ops, kind, name, precision)


def figures() -> list[tuple[str, str]]:
    """Kind and name of each."""
    kinds = ("forward", "train", "dream")
    return [(kind, path.stem) for kind in kinds for path in sorted((GOLDEN / kind).glob("*.npz"))]


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
        error_of(found, figure[f"out_{index}"])
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
    return error_of(np.array(losses), figure["loss"])


def _dream(figure: Any, net: Network) -> float:
    layer, thresh = int(figure["layer"]), float(figure["thresh"])
    found = [net.image_delta(figure["x"], layer, thresh) for _ in range(3)]
    return max(error_of(each, figure["image_delta"]) for each in found)


def error_of(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, in units of the largest value; infinite where one is no number."""
    difference = np.abs(found.reshape(expected.shape) - expected).max(initial=0)
    largest = np.abs(expected).max(initial=0) or 1.0
    return float(difference / largest) if np.isfinite(difference) else float("inf")
