"""The dream of the nightmare page: vgg-conv's on scream.jpg, ten steps."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

from darknet_py.images import load_image, save_image
from darknet_py.network import Network, load_network
from darknet_py.tasks.dream.estimate import DreamMemory, free_memory
from darknet_py.tasks.dream.objective import DreamTarget, choices, targets
from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.step import Image, Scene
from darknet_py.tasks.nightmare import Finished, nightmare
from scripts.benchmark.networks import find_cfg
from scripts.benchmark.pictures import random_pictures
from scripts.gpu.first import seconds_of
from scripts.gpu.plan import Planned, Settings
from scripts.gpu.rows import Dreamed

NETWORK, LAYER, PICTURE = "vgg-conv", 10, "scream.jpg"
SIZE = 352, 448
"""Width and height of the picture."""
TASK, COMMAND = "the task, in a warm process", "the command, as a process"
ROOT = Path(__file__).resolve().parents[2]


def plan(settings: Settings) -> Iterator[Planned]:
    """The task, then the command, for which it has made what is kept on disk."""
    with tempfile.TemporaryDirectory(prefix="darknet-nightmare-") as folder:
        dream = prepare(NETWORK, LAYER, PICTURE, Path(folder))
        yield TASK, partial(task, dream, settings)
        yield COMMAND, partial(command, dream, settings)


class Dream(NamedTuple):
    """What is dreamed, of which layer. about: the same, in words."""

    cfg: Path
    weights: Path
    picture: Path
    layer: int
    about: str


def prepare(network: str, layer: int, picture: str, folder: Path) -> Dream:
    """With the published weights and the picture where they are at hand, else random ones, which
    take as long."""
    cfg = find_cfg(network)
    weights, source = find_data(f"{cfg.stem}.weights"), find_data(picture)
    about = f"{cfg.stem}, layer {layer}, {picture}, {DreamOptions().iters} steps"
    if weights is None:
        weights = folder / f"{cfg.stem}.weights"
        load_network(cfg, device="cpu").save_weights(weights)
        about += ", random weights"
    if source is None:
        source = folder / "random.png"
        x = random_pictures(1, 3, SIZE[1], SIZE[0])
        save_image(np.ascontiguousarray(x[0].transpose(1, 2, 0)), source)
        about += f", random picture of {SIZE[0]} x {SIZE[1]}"
    return Dream(cfg, weights, source, layer, about)


def find_data(name: str) -> Path | None:
    """In $DARKNET_TEST_DATA, or in ../shared/data or shared/data of the checkout."""
    named = os.environ.get("DARKNET_TEST_DATA")
    shared = [top / "shared" / "data" for top in (ROOT.parent, ROOT)]
    folders = [Path(named)] if named else shared
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def task(dream: Dream, settings: Settings) -> Dreamed:
    """The median of three or more dreams, after two that compile and capture."""
    run = ready(dream, settings.device)
    for _ in range(2):
        run()
    seconds: list[float] = []
    while sum(seconds) < settings.seconds or len(seconds) < 3:
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return Dreamed(TASK, dream.about, median(seconds))


def ready(dream: Dream, device: str) -> Callable[[], Image]:
    """What dreams once, as the command does it with its defaults, and gives the picture."""
    net = Network.from_cfg(dream.cfg, device).truncated(dream.layer)
    net.load_weights(dream.weights)
    picture, options = load_image(dream.picture), DreamOptions()
    target = DreamTarget(dream.layer)
    found = choices(net, target)
    wanted = targets(net, target, found)
    h, w, _ = picture.shape
    tile = DreamMemory(net, w, h, wanted, options).choose_tile(free_memory(net))

    def run() -> Image:
        *_, end = nightmare(net, Scene(picture), wanted, options, tile)
        assert isinstance(end, Finished)
        return end.picture

    return run


def command(dream: Dream, settings: Settings) -> Dreamed:
    """darknet nightmare, with the defaults. Raises CalledProcessError, TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="darknet-nightmare-") as folder:
        files = [str(path) for path in (dream.cfg, dream.weights, dream.picture)]
        where = ["--device", settings.device, "-o", str(Path(folder) / "dream.png")]
        arguments = ["-m", "darknet_py", "nightmare", *where, *files, str(dream.layer)]
        return Dreamed(COMMAND, dream.about, seconds_of(arguments, {}))
