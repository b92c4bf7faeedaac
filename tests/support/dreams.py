"""Small networks to dream with."""

from __future__ import annotations

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network

CFG = """
[net]
height=32
width=32
channels=3

[convolutional]
filters=8
size=3
pad=1
batch_normalize=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
filters=16
size=3
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
filters=12
size=3
pad=1
activation=leaky

[dropout]

[connected]
output=5
activation=linear

[softmax]

[cost]
"""
"""Eight layers and a loss; the first six take pictures of any size."""


def make_network(text: str = CFG, seed: int = 0) -> Network:
    """With weights drawn at random."""
    network = Network(parse_sections(text, "net.cfg"), "net.cfg", devices.for_device("cpu"))
    network.initialise(seed)
    return network


def make_picture(h: int = 40, w: int = 56, seed: int = 0) -> np.ndarray:
    """Smooth patches of colour, (h, w, 3), 0.1..0.9."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.1, 0.9, (-(-h // 8), -(-w // 8), 3)).astype(np.float32)
    return coarse.repeat(8, axis=0)[:h].repeat(8, axis=1)[:, :w].copy()
