"""None"""

from __future__ import annotations

import pytest

from darknet_py.errors import DarknetError
from darknet_py.network import Network
from darknet_py.tasks.initialization import layers_to_draw
from tests.support.networks import CLASSIFIER, NET, make_network


@pytest.fixture(scope="module")
def net() -> Network:
    """Layers 0, 2 and 3 have weights, of 0 to 5."""
    return make_network(CLASSIFIER)


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("0", [0]),
        ("3,0", [0, 3]),
        ("last", [3]),
        ("last,3,2", [2, 3]),
        ("0-2", [0, 2]),
        ("2-999", [2, 3]),
        ("0-1,3-3", [0, 3]),
    ],
)
def test_layers(text: str, layers: list[int], net: Network) -> None:
    assert layers_to_draw(net, text) == layers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1", "layer 1 [maxpool] has no weights: those that have are 0, 2, 3"),
        ("4-5", "layer 4 [avgpool] has no weights: those that have are 0, 2, 3"),
        ("3-2", "ends before it begins"),
        ("6", "there is no layer 6: the last is 5"),
        ("7-9", "there is no layer 7: the last is 5"),
    ],
)
def test_layers_that_cannot_be(text: str, message: str, net: Network) -> None:
    with pytest.raises(DarknetError) as found:
        layers_to_draw(net, text)
    assert str(found.value) == f"--reinit {text}: {message}"


def test_a_frozen_layer_would_learn_nothing() -> None:
    frozen = make_network(CLASSIFIER.replace("[maxpool]\n", "stopbackward=1\n[maxpool]\n"))
    assert layers_to_draw(frozen, "2") == [2]
    with pytest.raises(DarknetError, match=r"layer 0 is frozen \(stopbackward\)"):
        layers_to_draw(frozen, "0-2")


def test_a_network_without_weights() -> None:
    with pytest.raises(DarknetError, match="no weights: those that have are none"):
        layers_to_draw(make_network(NET + "[avgpool]\n[softmax]\n"), "last")
