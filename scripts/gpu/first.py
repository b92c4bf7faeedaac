"""How long a process takes that computes once: the first, which compiles kernels and has cuDNN make
its plans, and the next, which finds them kept.

As a program it is such a process: python -m scripts.gpu.first DEVICE WORK NETWORK BATCH
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from scripts.benchmark.pictures import random_pictures, random_truths
from scripts.gpu.network import random_network
from scripts.gpu.plan import Planned, Settings
from scripts.gpu.rows import First

ROOT = Path(__file__).resolve().parents[2]
WORKS = (("inference", "resnet50", 1), ("training", "resnet50", 64))
CACHES = ("DARKNET_CACHE_DIR", "CUPY_CACHE_DIR", "CUDA_CACHE_PATH")
"""Variables that say where kernels and plans are kept: ours, cupy's, the driver's."""
LIMIT = 180.0
"""Seconds that a process may take."""


def plan(settings: Settings) -> Iterator[Planned]:
    """A row for each of the works."""
    for work, name, batch in WORKS:
        what = f"first run, {work}, {name}, {batch}"
        yield what, partial(measure, work, name, batch, settings)


def measure(work: str, name: str, batch: int, settings: Settings) -> First:
    """Raises CalledProcessError, TimeoutExpired."""
    command = ["-m", "scripts.gpu.first", settings.device, work, name, str(batch)]
    with tempfile.TemporaryDirectory(prefix="darknet-first-") as folder:
        caches = dict.fromkeys(CACHES, folder)
        compiled, kept = (seconds_of(command, caches) for _ in range(2))
    return First(work, name, batch, compiled, kept)


def seconds_of(arguments: list[str], environment: Mapping[str, str]) -> float:
    """Of a Python process in the checkout; what it prints goes to stderr. Raises
    CalledProcessError, TimeoutExpired."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=sys.stderr,
        check=True,
        timeout=LIMIT,
    )
    return time.perf_counter() - start


def main(device: str, work: str, name: str, batch: str) -> None:
    """Computes once."""
    net = random_network(name, int(batch), device)
    h, w, c = net.in_shape
    x = random_pictures(int(batch), c, h, w)
    if work == "inference":
        net.predict(x)
    else:
        net.train_step(x, random_truths(int(batch), net.outputs))


if __name__ == "__main__":
    main(*sys.argv[1:])
