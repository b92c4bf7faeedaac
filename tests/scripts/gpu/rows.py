"""Rows of a report, as tests take them."""

from __future__ import annotations

from pathlib import Path

from scripts.gpu.nightmare import TASK
from scripts.gpu.plan import Settings
from scripts.gpu.rows import (
    Case,
    Compared,
    Dreamed,
    Failure,
    First,
    Loaded,
    Row,
    Suite,
)


def compared(
    network: str,
    ratio: float = 2.5,
    error: float = 1e-3,
    work: tuple[str, int] = ("inference", 1),
    precision: str = "tf32",
) -> Compared:
    times = {"contiguous": 3.0 * ratio, "channels_last": 2.0 * ratio}
    return Compared(*(work[0], network, work[1]), precision, error, 2.0, times)


ROWS: list[Row] = [
    Suite(True, "9 passed, 1 skipped in 2.00s", ["SKIPPED [1] tests/a.py:1: needs b"]),
    Case("forward", "route", "tf32", 1e-4),
    Case("forward", "crop_test", "tf32", 5e-3),
    Case("train", "connected_bn", "exact", 1e-3),
    compared("tiny"),
    compared("tiny", error=0.5, work=("dream", 1)),
    compared("resnet50", error=5e-3)._replace(peer=1e-3),
    Compared("inference", "tiny", 1, "exact", 2e-5, None, {}),
    First("training", "resnet50", 64, 61.2, 7.31),
    Loaded("tiny", 64, 20.5, 10.0, 0.2, 9.9),
    Dreamed(TASK, "vgg-conv, layer 10, random weights", 0.5),
    Failure("speed", "training, darknet19", "OutOfMemoryError: a | b"),
]


ROOT = Path(__file__).parents[3]
CPU = Settings("cpu", 0.0)
