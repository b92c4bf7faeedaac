from __future__ import annotations

import numpy as np
import pytest

from darknet_py.errors import ShapeError
from darknet_py.tasks.activations import chosen_layers, draw_layer, layer_activations
from tests.support.golden import relative_error
from tests.support.networks import CLASSIFIER, NET, SMOOTH, make_network, random_picture


def test_every_channel_of_a_layer() -> None:
    net = make_network(CLASSIFIER)
    x = random_picture(net)
    (found,) = layer_activations(net, x, [2])
    expected = net.activations(x[None])[2][0]
    assert relative_error(found.maps, expected) < 1e-6
    assert found.channels.tolist() == list(range(8))
    np.testing.assert_allclose(found.strengths, expected.mean(axis=(1, 2)), rtol=1e-4)
    assert (found.low, found.high) == (found.maps.min(), found.maps.max())
    assert found.title == "Layer 2 [convolutional]: 8 channels, 8 x 6"


def test_the_strongest_first() -> None:
    net = make_network(CLASSIFIER)
    x = random_picture(net)
    (every,), (some,) = layer_activations(net, x, [2]), layer_activations(net, x, [2], top=3)
    order = np.argsort(-every.strengths)[:3]
    assert some.channels.tolist() == order.tolist()
    np.testing.assert_array_equal(some.maps, every.maps[order])
    assert (some.of, some.low) == (8, every.low)
    assert some.title == "Layer 2 [convolutional]: the 3 strongest of 8, 8 x 6"
    assert len(layer_activations(net, x, [2], top=99)[0].maps) == 8


def test_a_few_layers_show_the_way() -> None:
    """The last of each size, without pooled maps and those of single classes."""
    assert chosen_layers(make_network(CLASSIFIER)) == [0, 2]
    assert chosen_layers(make_network(SMOOTH)) == [3, 4]
    net = make_network(CLASSIFIER)
    assert [found.layer for found in layer_activations(net, random_picture(net))] == [0, 2]


def test_pictures_of_another_size() -> None:
    net = make_network(CLASSIFIER)
    (found,) = layer_activations(net, random_picture(net.resized(w=20, h=14)), [1])
    assert found.maps.shape == (6, 7, 10)


def test_layers_without_a_map() -> None:
    net = make_network(CLASSIFIER)
    x = random_picture(net)
    with pytest.raises(ShapeError, match="there is no layer 6: expected 0 to 5"):
        layer_activations(net, x, [6])
    with pytest.raises(ShapeError, match=r"layer 4 \[avgpool\] has one pixel a channel"):
        layer_activations(net, x, [0, 4])


def test_a_sheet_of_maps() -> None:
    net = make_network(NET + "[convolutional]\nfilters=2\nactivation=relu\n[avgpool]\n[softmax]\n")
    (found,) = layer_activations(net, random_picture(net), [0])
    drawn = draw_layer(found)
    assert drawn.ndim == 3
    assert min(drawn.shape[:2]) > 90
    colors = np.unique(np.rint(drawn.reshape(-1, 3) * 255), axis=0)
    assert len(colors) > 100
