"""Whether training on a GPU waits for pictures: steps on a folder of JPEGs, decoded and augmented
by the loader's threads, beside the same steps on a batch that is in memory."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Iterator
from functools import partial
from itertools import repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from darknet_py.images import Batch, Dataset, Loader, encode_jpeg, resize_image
from darknet_py.tasks.checkpoint import start
from darknet_py.tasks.run import Options, Run
from darknet_py.tasks.train import train_batch
from scripts.benchmark.pictures import random_pictures
from scripts.gpu.network import random_network
from scripts.gpu.plan import Planned, Settings
from scripts.gpu.rows import Loaded

NETWORKS = ("tiny", "resnet18")
BATCH = 64
PICTURES = 1024
SIDE = 256
_DISTINCT = 16
_DETAILS = 192
"""Pixels of a side before a picture is enlarged: its file is then as large as a photo's."""
_LEAST = 3
"""Steps at least that are measured, whatever they take."""


def plan(settings: Settings) -> Iterator[Planned]:
    """A row for each network."""
    for name in NETWORKS:
        yield f"loader, {name}, {BATCH}", partial(loaded, name, BATCH, PICTURES, settings)


def loaded(name: str, batch: int, pictures: int, settings: Settings) -> Loaded:
    """Means, as one long wait in many steps is a wait.

    No picture is kept decoded, so that all steps are as those of the first epoch, or of a set that
    memory does not hold.
    """
    net = random_network(name, batch, settings.device)
    h, w, c = net.in_shape
    with tempfile.TemporaryDirectory(prefix="darknet-loader-") as folder:
        data = make_set(Path(folder), pictures, net.outputs)
        loader = Loader(data, w, h, c, batch, net.settings.augmentation, memory=0)
        options = Options(backup=Path(folder), name="none")
        run = Run(net, loader, len(data), None, options, start(net, options))
        ready = repeat(loader.batch(0))
        _steps(run, ready, 0)  # compiles what is missing
        before = _steps(run, ready, settings.seconds / 2)
        batches = loader.batches()
        _steps(run, batches, 0)  # as many as the loader makes ahead
        waited = loader.waited
        steps, seconds = _steps(run, batches, settings.seconds)
        waited = loader.waited - waited
        batches.close()
        after = _steps(run, ready, settings.seconds / 2)
        size = sum(path.stat().st_size for path in data.paths) / len(data)
    memory = (before[1] + after[1]) / (before[0] + after[0])
    return Loaded(
        name, batch, size / 1e3, 1e3 * seconds / steps, 1e3 * waited / steps, 1e3 * memory
    )


def make_set(folder: Path, pictures: int, classes: int) -> Dataset:
    """JPEGs of SIDE x SIDE pixels, as large as photos are, a few of them again and again."""
    files = [encode_jpeg(_picture(seed), SIDE) for seed in range(_DISTINCT)]
    paths = [folder / f"{number}.jpg" for number in range(pictures)]
    for number, path in enumerate(paths):
        path.write_bytes(files[number % _DISTINCT])
    names = tuple(map(str, range(classes)))
    return Dataset(names, paths, [(number % classes,) for number in range(pictures)])


def _picture(seed: int) -> npt.NDArray[np.float32]:
    (x,) = random_pictures(1, 3, _DETAILS, _DETAILS, seed)
    return resize_image(np.ascontiguousarray(x.transpose(1, 2, 0)), SIDE, SIDE)


def _steps(run: Run, batches: Iterator[Batch], seconds: float) -> tuple[int, float]:
    """How many steps, as darknet train does them, took how many seconds."""
    begin, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - begin) < seconds or count < _LEAST:
        deque(train_batch(run, next(batches)), maxlen=0)
        count += 1
    return count, elapsed
