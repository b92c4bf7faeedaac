"""Networks that have learned something: no statistics, scales or biases are what they begin as."""

from __future__ import annotations

import numpy as np

from darknet_py.network import Network
from tests.support.networks import make_network

NET = "[net]\nheight=10\nwidth=12\nchannels=3\n"
CONV = "[convolutional]\nfilters={}\nsize=3\nactivation=leaky\n"
NORM = "batch_normalize=1\n"
END = "[connected]\noutput=5\nactivation=linear\n[softmax]\n"

NORMED = (
    NET
    + CONV.format(6)
    + NORM
    + "[maxpool]\nstride=2\n[convolutional]\nfilters=8\nactivation=linear\n[batchnorm]\n"
    + "[convolutional]\ngroups=2\nfilters=4\nsize=3\nactivation=relu\n"
    + NORM
    + "[connected]\noutput=7\nactivation=tanh\n"
    + NORM
    + END
)
"""Norms in convolutions, with and without groups, and in a connected layer; one by itself."""

RECURRENT = (
    "[net]\ninputs=6\ntime_steps=2\n[rnn]\noutput=5\nactivation=tanh\nbatch_normalize=1\n"
    "[gru]\noutput=4\nbatch_normalize=1\n[lstm]\noutput=4\nbatch_normalize=1\n" + END
)


def learned(text: str, seed: int = 0) -> Network:
    net = make_network(text, seed=seed)
    rng = np.random.default_rng(seed + 7)
    for parameter in net.parameters():
        if parameter.name == "scales":
            parameter.value *= rng.uniform(0.3, 2, parameter.shape).astype(np.float32)
        elif parameter.name == "rolling_variance":
            parameter.value *= rng.uniform(0.01, 5, parameter.shape).astype(np.float32)
    net.seen = 4321
    net.changed()
    return net


def pictures(net: Network, n: int = 4) -> np.ndarray:
    """(n, c, h, w), 0..1, each of a colour of its own."""
    h, w, c = net.in_shape
    rng = np.random.default_rng(3)
    return rng.random((n, c, h, w), np.float32) * rng.random((n, c, 1, 1), np.float32)


def values(net: Network) -> list[np.ndarray]:
    return [parameter.value.copy() for parameter in net.parameters()]


def assert_same_answers(found: np.ndarray, expected: np.ndarray) -> None:
    """But for rounding; and the answers are no constants."""
    assert np.ptp(expected, axis=0).max() > 0.01
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)
