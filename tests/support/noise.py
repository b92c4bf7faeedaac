"""A data set that is learnt within a few batches: three classes of noise around a colour each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"cat": (200, 40, 40), "dog": (40, 200, 40), "fox": (40, 40, 200)}

CFG = """
[net]
batch=8
width=16
height=16
channels=3
max_crop=16
min_crop=16
learning_rate=.05
max_batches=20

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky

[convolutional]
filters=3
size=1
activation=linear

[avgpool]

[softmax]
"""


def draw_noise(folder: Path, count: int = 10) -> Path:
    """`count` pictures of each class, 20x20: folder/CLASS/NUMBER.png."""
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            values = np.array(colour) + rng.integers(-40, 41, (20, 20, 3))
            picture = Image.fromarray(values.clip(0, 255).astype(np.uint8))
            picture.save(folder / name / f"{number}.png")
    return folder
