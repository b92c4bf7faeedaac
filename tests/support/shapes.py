"""A small data set that anyone can draw: circles, crosses and squares in noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from darknet_py.network import Network
from darknet_py.tasks.events import Event

SHAPES = ("circle", "cross", "square")

CFG = """
[net]
batch=12
subdivisions=1
width=16
height=16
channels=1
min_crop=16
max_crop=18
angle=5
optimizer=adam
learning_rate=0.01
policy=poly
power=1
max_batches=100

[convolutional]
filters=8
size=5
stride=2
pad=1
activation=leaky

[convolutional]
filters=16
size=3
pad=1
activation=leaky

[dropout]
probability=.1

[convolutional]
filters=3
size=3
pad=1
activation=linear

[avgpool]

[softmax]
"""


def draw_shapes(folder: Path, count: int, seed: int = 0) -> Path:
    """`count` pictures of each shape, 16x16 and grey: folder/SHAPE/NUMBER.png."""
    rng = np.random.default_rng(seed)
    for shape in SHAPES:
        (folder / shape).mkdir(parents=True)
        for number in range(count):
            _draw(shape, rng).save(folder / shape / f"{number}.png")
    return folder


def new_net(tmp_path: Path, cfg: str = CFG) -> Network:
    """A network for them, with values always the same."""
    path = tmp_path / "shapes.cfg"
    path.write_text(cfg)
    net = Network.from_cfg(path, "cpu")
    net.initialise(1)
    return net


def of_kind(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def _draw(shape: str, rng: np.random.Generator) -> Image.Image:
    x, y, r = rng.integers(6, 10), rng.integers(6, 10), rng.integers(3, 6)
    picture = Image.fromarray(rng.integers(0, 60, (16, 16), np.uint8))
    pen = ImageDraw.Draw(picture)
    box = (int(x - r), int(y - r), int(x + r), int(y + r))
    if shape == "circle":
        pen.ellipse(box, outline=220)
    elif shape == "square":
        pen.rectangle(box, outline=220)
    else:
        pen.line(box, fill=220)
        pen.line((box[0], box[3], box[2], box[1]), fill=220)
    return picture
