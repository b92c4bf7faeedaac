"""The C program's figures in tests/golden, and networks made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network

GOLDEN = Path(__file__).parents[1] / "golden"


def golden_names(kind: str) -> list[str]:
    """The names of all figures of a kind: forward, train or dream."""
    return sorted(path.stem for path in (GOLDEN / kind).glob("*.npz"))


def load_golden(kind: str, name: str) -> dict[str, Any]:
    """The arrays of one figure, and its cfg as text."""
    with np.load(GOLDEN / kind / f"{name}.npz") as file:
        arrays = {key: file[key] for key in file.files}
    return {**arrays, "cfg": str(arrays["cfg"])}


def golden_network(figure: dict[str, Any], folder: Path) -> Network:
    """A network of a figure's cfg and weights, on the CPU."""
    path = folder / "golden.weights"
    path.write_bytes(figure["weights"].tobytes())
    network = Network(parse_sections(figure["cfg"]), "golden.cfg", devices.for_device("cpu"))
    network.load_weights(path)
    return network


def relative_error(value: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, in units of the largest expected value."""
    assert value.shape == expected.shape
    return float(np.abs(value - expected).max() / np.abs(expected).max())
