"""The functions of `darknet_py` with arguments that mean nothing, or not what they seem to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import darknet_py
from darknet_py.errors import DarknetError
from darknet_py.network import Network
from tests.support.networks import make_network, pictures

TEXT = (
    "[net]\nheight=6\nwidth=8\nchannels=3\n"
    "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
    "[convolutional]\nfilters=3\nactivation=linear\n[avgpool]\n[softmax]\n"
)
NAMES = ["cat", "dog", "owl"]

Node = Callable[[Network, np.ndarray], Any]
"""Of a network and an array (h, w, 3)."""


@pytest.fixture
def net() -> Network:
    return make_network(TEXT)


@pytest.fixture
def picture(net: Network) -> np.ndarray:
    found: np.ndarray = pictures(net, 1)[0].transpose(1, 2, 0)
    return found


NOTHING: list[tuple[Node, str]] = [
    (lambda net, x: darknet_py.classify(net, x, top=0), "top=0: expected 1 or more"),
    (lambda net, x: darknet_py.classify(net, x, top=-1), "top=-1: expected 1 or more"),
    (lambda net, x: darknet_py.classify(net, x, batch=0), "batch=0: expected 1 or more"),
    (
        lambda net, x: darknet_py.classify(net, x, names=[1, 2, 3]),  # type: ignore[list-item]
        "names: expected words, found a int",
    ),
    (lambda net, x: darknet_py.classify(net, np.ma.masked_less(x, 0.5)), "is a masked array"),
    (lambda net, x: darknet_py.classify(net, [np.ma.masked_less(x, 0.5)]), "is a masked array"),
    (lambda net, x: darknet_py.explain(net, np.ma.masked_less(x, 0.5)), "is a masked array"),
    (lambda net, x: darknet_py.explain(net, x, method="x"), "method=x: expected one of gradcam, "),
    (lambda net, x: darknet_py.explain(net, x, top=0), "top=0: expected 1 or more"),
    (
        lambda net, x: darknet_py.explain(net, x, method="integrated", steps=0),
        "steps=0: expected 1 or more",
    ),
    (
        lambda net, x: darknet_py.layer_activations(net, x.transpose(2, 0, 1), top=0),
        "top=0: expected 1 or more",
    ),
    (
        lambda net, x: darknet_py.layer_activations(net, x.tolist()),
        "expected an array of floats, found a list",
    ),
    (darknet_py.layer_activations, r"expected pictures of shape \(n, 3, 8, 3\)"),
    (
        lambda net, x: darknet_py.maximize_activation(net, 0, []),
        "expected at least one channel of layer 0",
    ),
    (
        lambda net, x: darknet_py.maximize_activation(net, 0, [4]),
        "layer 0 has no channel 4: expected 0 to 3",
    ),
    (
        lambda net, x: darknet_py.maximize_activation(net, 0, [0], size=0),
        "takes no picture of 0 x 0",
    ),
]


@pytest.mark.parametrize(("call", "message"), NOTHING)
def test_what_means_nothing(call: Node, message: str, net: Network, picture: np.ndarray) -> None:
    with pytest.raises(DarknetError, match=message) as caught:
        call(net, picture)
    assert "\n" not in str(caught.value)


def test_one_class_by_its_name(net: Network, picture: np.ndarray) -> None:
    """A word is no list of letters."""
    (found,) = darknet_py.explain(net, picture, "dog", names=NAMES)
    assert found.index == 1
    with pytest.raises(DarknetError, match="there is no class 'go'"):
        darknet_py.explain(net, picture, "go", names=NAMES)


def test_classes_by_numbers_of_numpy(net: Network, picture: np.ndarray) -> None:
    found = darknet_py.explain(net, picture, list(np.array([2, 0])), names=NAMES)
    assert [each.index for each in found] == [2, 0]
    with pytest.raises(TypeError):
        darknet_py.explain(net, picture, [1.0])  # type: ignore[list-item]
