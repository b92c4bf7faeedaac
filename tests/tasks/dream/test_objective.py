from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from darknet_py.errors import DreamError
from darknet_py.network.targets import Guided, Score, StandOut
from darknet_py.tasks.dream.objective import (
    DreamTarget,
    can_dream,
    check_depth,
    choices,
    class_number,
    last_layer,
    targets,
)
from darknet_py.tasks.names import find_class
from tests.support.dreams import CFG, make_network, make_picture

NAMES = ["tench", "Malamute", "crane", "crane", "Eskimo dog"]


def refusal(target: DreamTarget, text: str = CFG) -> str:
    with pytest.raises(DreamError) as caught:
        choices(make_network(text), target)
    return str(caught.value)


@pytest.mark.parametrize(
    ("layer", "span", "expected"),
    [(3, 1, [3]), (3, 3, [2, 3, 4]), (3, 2, [2, 3]), (3, 4, [1, 2, 3, 4])],
)
def test_a_range_lies_around_its_layer(layer: int, span: int, expected: list[int]) -> None:
    found = choices(make_network(), DreamTarget(layer, span))
    assert found == [[(each, 1.0)] for each in expected]
    assert last_layer(found) == expected[-1]


def test_what_is_no_layer() -> None:
    assert refusal(DreamTarget(9)) == "net.cfg: there is no layer 9: expected 0 to 8"
    assert refusal(DreamTarget(layers=(((1, 1.0), (77, 0.5)),))) == (
        "net.cfg: there is no layer 77: expected 0 to 8"
    )


@pytest.mark.parametrize("kind", ["softmax", "cost"])
def test_layers_that_cannot_dream(kind: str) -> None:
    layer = {"softmax": 7, "cost": 8}[kind]
    assert not can_dream(make_network(), layer)
    assert refusal(DreamTarget(layer)) == (
        f"net.cfg: layer {layer} [{kind}] cannot dream: the last that can is 6 [connected]"
    )


def test_a_network_of_which_no_layer_can_dream() -> None:
    text = "[net]\nheight=4\nwidth=4\nchannels=3\n[softmax]\n"
    assert (
        refusal(DreamTarget(0), text) == "net.cfg: layer 0 [softmax] cannot dream: none of it can"
    )


def test_ranges_that_leave_the_network() -> None:
    assert refusal(DreamTarget(0, 3)) == (
        "net.cfg: layers -1 to 1 leave the network, whose layers are 0 to 8: take a smaller -range"
    )
    assert "layers 7 to 9 leave the network" in refusal(DreamTarget(8, 3))


def test_channels_that_are_not_there() -> None:
    assert refusal(DreamTarget(0, channels=(3, 8))) == (
        "net.cfg: layer 0 has no channel 8: expected 0 to 7"
    )


def test_a_class_is_found_by_its_name() -> None:
    network = make_network()
    target = DreamTarget(label="eskimo dog")
    found = choices(network, target)
    assert found == [[(6, 1.0)]]
    number = class_number(network, "eskimo dog", NAMES)
    assert number == class_number(network, 4, []) == 4
    assert targets(network, replace(target, label=number), found) == [[Score(6, 4)]]
    with pytest.raises(DreamError, match="there is no class 5: it has 5"):
        class_number(network, 5, [])


def test_a_network_that_is_too_deep() -> None:
    """What each layer sees is worked out exactly, which takes long for more."""
    network = make_network()
    check_depth(network)
    network.layers = network.layers * 600
    with pytest.raises(DreamError, match=r"net.cfg: has 5,400 layers: one that dreams has at most"):
        check_depth(network)


def test_a_network_without_classes() -> None:
    text = CFG.split("[softmax]")[0]
    assert refusal(DreamTarget(label="crane"), text) == (
        "net.cfg: has no [softmax] or [logistic] that knows classes: name a layer instead"
    )


@pytest.mark.parametrize(("label", "index"), [("malamute", 1), ("MALAMUTE", 1), ("3", 3)])
def test_names_and_numbers(label: str, index: int) -> None:
    assert find_class(label, NAMES) == index


def test_what_stands_out() -> None:
    target = DreamTarget(layers=(((4, 1.0), (2, 0.3)),), channels=(1,), thresh=0.5)
    network = make_network()
    assert targets(network, target, choices(network, target)) == [
        [StandOut(4, 0.5, (1,), 1.0), StandOut(2, 0.5, (1,), 0.3)]
    ]


def test_a_guides_features() -> None:
    network, guide = make_network().truncated(4), make_picture(20, 24)
    target = DreamTarget(3, 3)
    found = targets(network, target, choices(network, target), guide)
    for choice, layer in zip(found, (2, 3, 4), strict=True):
        (guided,) = choice
        assert isinstance(guided, Guided)
        (y,) = network.outputs_of(guide.transpose(2, 0, 1)[None], [layer])
        assert guided.layer == layer
        expected = y[0].transpose(1, 2, 0).reshape(-1, y.shape[1])
        np.testing.assert_array_equal(guided.features, expected)


@pytest.mark.parametrize(
    ("target", "title"),
    [
        (DreamTarget(13, 3), "13"),
        (DreamTarget(layers=(((10, 1.0), (7, 0.3)),)), "10+7"),
        (DreamTarget(layers=(((10, 1.0),), ((7, 1.0),), ((7, 1.0),))), "10+7"),
        (DreamTarget(label="Eskimo dog"), "Eskimo-dog"),
    ],
)
def test_titles(target: DreamTarget, title: str) -> None:
    assert target.title == title
