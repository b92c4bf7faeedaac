"""Small networks from a few lines of cfg, in float32 or float64."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network

CPU = devices.for_device("cpu")

FLOAT64 = SimpleNamespace(**{name: getattr(CPU, name) for name in CPU.__all__})
"""The same functions, with parameters and pictures in float64: for numerical gradients."""
FLOAT64.array = lambda host, dtype=np.float64: np.array(host, dtype=dtype, order="C")

NET = "[net]\nheight=12\nwidth=16\nchannels=3\n"

CLASSIFIER = NET + (
    "[convolutional]\nfilters=6\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
    "[maxpool]\nsize=2\nstride=2\n"
    "[convolutional]\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=5\nactivation=linear\n"
    "[avgpool]\n[softmax]\n"
)
"""Ends as Tiny Darknet does: layer 3 has the maps of the classes."""

SMOOTH = NET + (
    "[convolutional]\nfilters=6\nsize=3\npad=1\nactivation=tanh\n"
    "[convolutional]\nfilters=6\nsize=3\npad=1\nactivation=logistic\n"
    "[shortcut]\nfrom=-2\nactivation=linear\n"
    "[route]\nlayers=-1,-2\n"
    "[convolutional]\nfilters=7\nsize=3\nstride=2\npad=1\nbatch_normalize=1\nactivation=tanh\n"
    "[connected]\noutput=4\nactivation=linear\n[softmax]\n"
)
"""Has branches, no kinks, and a connected end."""

SMALL = "[net]\nheight=6\nwidth=8\nchannels=2\n"
LAYERS = (
    "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n"
    "[maxpool]\nstride=2\n"
    "[convolutional]\nfilters=3\nactivation=linear\n"
    "[avgpool]\n[softmax]\n"
)
"""A classifier behind a [net], with further keys or without."""

BRANCHED = (
    "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n"
    "[convolutional]\nfilters=4\nactivation=tanh\nbatch_normalize=1\n"
    "[route]\nlayers=-1,-2,-1\n"  # one layer twice, another once more
    "[maxpool]\nstride=2\n"
    "[convolutional]\nfilters=4\nactivation=elu\n"
    "[shortcut]\nfrom=-1\nactivation=leaky\n"  # a map added to itself
    "[upsample]\n"
    "[shortcut]\nfrom=0\n"
    "[route]\nlayers=-1,1\n"
    "[convolutional]\nfilters=3\nactivation=linear\n"
)
"""Maps are read several times, in every way there is; ends with a map of three channels."""

CONV = "[convolutional]\nfilters={}\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
FRONT = CONV.format(4) + "[maxpool]\nsize=2\nstride=2\n" + CONV.format(6)
POINT = "[convolutional]\nfilters=3\nsize=1\nactivation=linear\n"
HEAD = POINT + "[avgpool]\n[softmax]\n[cost]\n"
"""A backbone that may be frozen, and what may follow it."""


def make_network(text: str, ops: Any = CPU, seed: int = 0) -> Network:
    """Parameters drawn at random, biases and statistics too."""
    network = Network(parse_sections(text, "my.cfg"), "my.cfg", ops)
    network.initialise(seed)
    rng = np.random.default_rng(seed + 1)
    for parameter in network.parameters():
        more: Any = 0.0
        if parameter.name == "biases":
            more = rng.normal(size=parameter.shape)
        elif parameter.name.startswith("rolling"):
            more = rng.uniform(0, 0.3, parameter.shape)
        parameter.value = ops.array(ops.to_host(parameter.value) + more)
    return network


def random_picture(network: Network, seed: int = 2) -> np.ndarray:
    """(c, h, w) float32, 0..1."""
    picture: np.ndarray = pictures(network, 1, seed)[0]
    return picture


def pictures(network: Network, n: int | None = None, seed: int = 2) -> np.ndarray:
    """(n, c, h, w) float32, 0..1; a batch of the cfg unless n is said."""
    h, w, c = network.in_shape
    count = network.settings.batch if n is None else n
    return np.random.default_rng(seed).random((count, c, h, w)).astype(np.float32)


def truths(network: Network, seed: int = 3) -> np.ndarray:
    """(batch, outputs): one 1 in each row."""
    labels = np.random.default_rng(seed).integers(network.outputs, size=network.settings.batch)
    return np.eye(network.outputs, dtype=np.float32)[labels]


def values(network: Network) -> list[np.ndarray]:
    """Copies of all parameters' values."""
    return [parameter.value.copy() for parameter in network.parameters()]
