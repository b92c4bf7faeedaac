"""What the tests of fine-tuning share: a small network, and one trained on shapes."""

from __future__ import annotations

from pathlib import Path

from darknet_py.network import Network

CFG = """\
[net]
batch=12
width=16
height=16
channels=1
min_crop=16
max_crop=18
angle=5
learning_rate=.1
policy=steps
steps=10,20
scales=.1,.1
max_batches=30

[convolutional]
batch_normalize=1
filters=8
size=5
stride=2
pad=1
activation=leaky
learning_rate=2

[convolutional]
batch_normalize=1
filters=16
size=3
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
batch_normalize=1
filters=16
size=3
pad=1
activation=leaky

[convolutional]
filters=7
size=1
activation=linear

[avgpool]

[softmax]

[cost]
"""
HEAD = 4
"""The layer with the outputs."""


def write_net(folder: Path, cfg: str = CFG, seed: int = 3) -> tuple[Path, Path]:
    """base.cfg and base.weights, drawn by a seed."""
    path = folder / "base.cfg"
    path.write_text(cfg)
    net = Network.from_cfg(path, "cpu")
    net.initialise(seed)
    net.save_weights(folder / "base.weights")
    return path, folder / "base.weights"


def open_net(path: Path) -> Network:
    return Network.from_cfg(path, "cpu")
