"""The networks that are compared, and how each is made ready."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from darknet_py.network import Network
from scripts.benchmark.graph import Graph, Norm
from scripts.benchmark.pictures import random_pictures
from scripts.benchmark.walk import walk

ROOT = Path(__file__).resolve().parents[2]

INFERENCE = (
    "tiny",
    "darknet",
    "darknet19",
    "extraction",
    "vgg-16",
    "resnet18",
    "resnet50",
    "alexnet",
    "strided",
    "densenet201",
    "resnext50",
    "darknet53",
    "cifar",
    "cifar_small",
)

TRAINING = {"tiny": (16, 32), "cifar_small": (128,), "resnet18": (16,)}
"""Batch sizes."""


class Dream(NamedTuple):
    """A gradient at pictures: from which layer, for how many; whether they have a photo's size."""

    layer: int
    pictures: int = 1
    full_size: bool = True


GRADIENT = {"tiny": Dream(13), "vgg-conv": Dream(12)}
"""vgg-conv's is the last of the fourth block; a dream of tiny's comes from its 13th."""

DREAMS = {"tiny": 13, "vgg-conv": 12}
"""Layers that are dreamed of, on a photo."""

FULL_SIZE = 512, 340
"""Width and height of a photo."""

CALIBRATION = 4
"""Pictures whose statistics the normalisations get."""


@dataclass(frozen=True)
class Subject:
    """A network with random weights, and the same as a graph."""

    name: str
    cfg: Path
    net: Network
    graph: Graph


def find_cfg(name: str) -> Path:
    """cfg/NAME.cfg of the checkout, or a path to one."""
    return Path(name) if name.endswith(".cfg") else ROOT / "cfg" / f"{name}.cfg"


def make_subject(
    name: str,
    *,
    batch: int = 1,
    size: tuple[int, int] | None = None,
    calibrates: bool = True,
) -> Subject:
    """batch: of a training step. size: (width, height) of the pictures if not the cfg's.

    calibrates: PyTorch is there to make the statistics of normalisations plausible. Raises
    CfgError, ShapeError, UnsupportedError.
    """
    cfg = find_cfg(name)
    with tempfile.TemporaryDirectory(prefix="darknet-bench-") as folder:
        copy = Path(folder) / cfg.name
        copy.write_text(with_batch(cfg.read_text(encoding="utf-8"), batch), encoding="utf-8")
        net = Network.from_cfg(copy, "cpu")
    net.initialise()
    if size and size != (net.in_shape.w, net.in_shape.h):
        net = net.resized(*size)
    graph = walk(net)
    if calibrates and graph.has(Norm):
        from scripts.benchmark.calibrate import calibrate

        calibrate(graph, random_pictures(CALIBRATION, *graph.shape, seed=2))
        net.changed()
    return Subject(cfg.stem, cfg, net, graph)


def with_batch(text: str, batch: int) -> str:
    """A cfg's text with batch=N and subdivisions=1 in its first section, whatever it had."""
    text = re.sub(r"(?m)^[ \t]*(batch|subdivisions)[ \t]*=.*$", "", text)
    return re.sub(
        r"(?m)^[ \t]*\[[^]\n]*\].*$",
        lambda found: f"{found[0]}\nbatch={batch}\nsubdivisions=1",
        text,
        count=1,
    )
