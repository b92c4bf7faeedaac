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


def make_network(text: str, ops: Any = CPU, seed: int = 0) -> Network:
    """Parameters drawn at random, biases and statistics too."""
    network = Network(parse_sections(text, "my.cfg"), "my.cfg", ops)
    network.initialise(seed)
    rng = np.random.default_rng(seed + 1)
    for parameter in network.parameters():
        if parameter.name == "biases":
            parameter.value += rng.normal(size=parameter.shape)
        elif parameter.name.startswith("rolling"):
            parameter.value += rng.uniform(0, 0.3, parameter.shape)
    return network


def random_picture(network: Network, seed: int = 2) -> np.ndarray:
    """(c, h, w) float32, 0..1."""
    h, w, c = network.in_shape
    return np.random.default_rng(seed).random((c, h, w), np.float32)
