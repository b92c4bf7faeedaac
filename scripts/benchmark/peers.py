"""The others: which packages they need, and which of them are here."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scripts.benchmark.graph import Graph

Call = Callable[[], np.ndarray]
Build = Callable[[Graph, np.ndarray], Call]
"""From a folded graph and pictures (n, c, h, w): what runs it, and gives its output."""

Peer = Any
"""A module with `start(threads)`, and `SETTINGS`: names and their Build."""

PACKAGES = {
    "onnxruntime": ("onnxruntime", "onnx"),
    "torch": ("torch",),
    "opencv": ("cv2", "onnx"),
}
"""What must be there to import the module PEER_peer."""

DISTRIBUTIONS = ("onnxruntime", "torch", "opencv-python-headless", "onnx")
"""Names that pip knows, whose versions are worth saying."""


class PeerError(Exception):
    """A peer cannot run a network: one line."""


def missing_packages(peer: str) -> list[str]:
    return [name for name in PACKAGES[peer] if importlib.util.find_spec(name) is None]


def load_peers(names: Sequence[str], threads: int, say: Callable[[str], None]) -> dict[str, Peer]:
    """Those that are here, ready to use so many threads; of the others it says what is missing."""
    peers = {}
    for name in names:
        if missing := missing_packages(name):
            say(
                f"{name} is left out, since {' and '.join(missing)} cannot be imported: "
                ".venv/bin/pip install -e '.[bench]' in the checkout"
            )
            continue
        peers[name] = importlib.import_module(f"scripts.benchmark.{name}_peer")
        peers[name].start(threads)
    return peers
