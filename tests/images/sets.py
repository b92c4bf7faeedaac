"""What the tests of datasets share: folders of small pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.images.dataset.dataset import Dataset

PLAIN = Augmentation(
    min_crop=8,
    max_crop=8,
    angle=0,
    aspect=1,
    hue=0,
    saturation=1,
    exposure=1,
    flip=False,
    center=False,
)
"""Nothing but where the window lies."""

EVERYTHING = Augmentation(
    min_crop=7,
    max_crop=12,
    angle=20,
    aspect=0.7,
    hue=0.1,
    saturation=0.7,
    exposure=1.4,
    flip=True,
    center=False,
    shear=10,
    elastic=0.5,
    elastic_sigma=2,
    pca=0.2,
    erase=0.5,
    mixup=0.5,
    cutmix=1,
    shift=2,
)
"""Every key at once."""


def make_picture(path: Path, w: int = 9, h: int = 7, seed: int = 0) -> Path:
    """A file of random pixels, of the kind that its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng((seed, w, h)).integers(0, 256, (h, w, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def make_folder(root: Path, counts: Mapping[str, int]) -> Path:
    """Folders of PNGs of different sizes, as many in each as `counts` says."""
    for number, (name, count) in enumerate(counts.items()):
        (root / name).mkdir(parents=True)
        for index in range(count):
            size = 7 + index % 4, 9 + index % 3
            make_picture(root / name / f"{index:03}.png", *size, seed=1000 * number + index)
    return root


def make_dataset(root: Path, count: int = 10) -> Dataset:
    """Pictures of three classes in turn."""
    names = ("cat", "dog", "eel")
    paths = [make_picture(root / f"{i:03}.png", 7 + i % 4, 9 + i % 3, i) for i in range(count)]
    return Dataset(names, paths, [(index % 3,) for index in range(count)])
