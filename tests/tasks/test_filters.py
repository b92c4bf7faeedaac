"""The filters of a network: their weights, and what activates them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import darknet_py
from darknet_py.errors import ShapeError
from darknet_py.tasks.filters import blur, first_filters, maximize_activation
from tests.support.networks import CLASSIFIER, NET, make_network


def test_the_first_convolutions_weights_as_pictures() -> None:
    net = make_network(CLASSIFIER)
    found = first_filters(net)
    assert (found.layer, found.weights.shape) == (0, (6, 3, 3, 3))
    # (filters, size, size, c) within
    inside = net.layers[0].parameters()[-1].value
    np.testing.assert_array_equal(found.weights[4, 2, 1, 0], inside[4, 1, 0, 2])
    for picture, weights in zip(found.pictures(), inside, strict=True):
        assert (picture.min(), picture.max()) == (0, 1)
        expected = (weights - weights.min()) / (weights.max() - weights.min())
        np.testing.assert_allclose(picture, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("channels", "shape"), [(1, (3, 3, 1)), (2, (3, 6, 1)), (5, (3, 15, 1))])
def test_filters_of_other_channels(channels: int, shape: tuple[int, ...]) -> None:
    net = make_network(
        f"[net]\nheight=9\nwidth=9\nchannels={channels}\n[conv]\nfilters=2\nsize=3\n"
    )
    assert [picture.shape for picture in first_filters(net).pictures()] == [shape] * 2


def test_a_filter_that_is_all_one_is_black() -> None:
    net = make_network("[net]\nheight=9\nwidth=9\nchannels=1\n[conv]\nsize=3\n")
    net.layers[0].parameters()[-1].value[...] = 7
    assert not first_filters(net).pictures()[0].any()


def test_no_convolution() -> None:
    with pytest.raises(ShapeError, match=r"has no \[convolutional\] layer"):
        first_filters(make_network("[net]\ninputs=5\n[connected]\noutput=3\n"))


def test_a_point_becomes_a_gaussian() -> None:
    x = np.zeros((1, 1, 21, 21), np.float32)
    x[0, 0, 10, 10] = 1
    soft = blur(x, 1.5)
    assert soft.dtype == np.float32
    assert abs(soft.sum() - 1) < 1e-6
    places = np.arange(21) - 10
    for axis in (2, 3):
        profile = soft.sum(axis=axis)[0, 0]
        deviation = np.sqrt((profile * places**2).sum())
        assert abs(deviation - 1.5) < 0.02
    np.testing.assert_allclose(soft, soft.transpose(0, 1, 3, 2))


def test_edges_join_and_channels_keep_their_sums() -> None:
    x = np.random.default_rng(0).random((2, 3, 6, 8)).astype(np.float64)
    soft = blur(x, 0.8)
    np.testing.assert_allclose(soft.sum(axis=(2, 3)), x.sum(axis=(2, 3)))
    np.testing.assert_allclose(np.roll(soft, 3, axis=3), blur(np.roll(x, 3, axis=3), 0.8))
    assert blur(x, 0) is x


ROOT = Path(__file__).parents[2]


def test_it_finds_what_a_filter_of_known_wants_wants() -> None:
    """A filter that likes red and dislikes blue gets red without blue."""
    net = make_network(NET + "[convolutional]\nfilters=2\nactivation=linear\n")
    biases, weights = net.parameters()
    biases.value[...] = 0
    weights.value[...] = np.array([[1, 0, -1], [-1, 0, 1]])[:, None, None]
    net.changed()
    found = maximize_activation(net, 0, [0, 1])
    np.testing.assert_allclose(found.pictures[0, 0], 1)
    np.testing.assert_allclose(found.pictures[0, 2], 0)
    np.testing.assert_allclose(found.pictures[1, 0], 0)
    assert abs(found.pictures[:, 1].mean() - 0.5) < 0.05
    np.testing.assert_allclose(found.after, [1, 1], rtol=1e-5)
    assert np.abs(found.before).max() < 0.1


def test_the_same_seed_gives_the_same_pictures_and_another_others() -> None:
    net = make_network(CLASSIFIER)
    one, same, other = (
        maximize_activation(net, 2, [1, 3], steps=5, seed=seed) for seed in (4, 4, 5)
    )
    np.testing.assert_array_equal(one.pictures, same.pictures)
    assert not np.array_equal(one.pictures, other.pictures)
    assert one.pictures.shape == (2, 3, 12, 16)
    assert one.pictures.min() >= 0
    assert one.pictures.max() <= 1


def test_several_at_once_are_each_as_if_first() -> None:
    """More than a batch: what the noise is does not matter for how many there are."""
    net = make_network(CLASSIFIER)
    many = maximize_activation(net, 2, [5] * 9, steps=3)
    first = maximize_activation(net, 2, [5], steps=3)
    np.testing.assert_allclose(many.pictures[0], first.pictures[0], atol=1e-4)
    assert many.before.shape == many.after.shape == (9,)
    assert (many.after > many.before).all()


def test_means_are_of_the_channels_maps() -> None:
    net = make_network(CLASSIFIER)
    found = maximize_activation(net, 2, [7, 0], steps=3)
    maps = net.activations(found.pictures)[2]
    np.testing.assert_allclose(found.after, [maps[0, 7].mean(), maps[1, 0].mean()], rtol=1e-4)


def test_sizes() -> None:
    net = make_network(CLASSIFIER)
    assert maximize_activation(net, 0, [0], size=20, steps=1).pictures.shape == (1, 3, 20, 20)
    large = make_network(CLASSIFIER.replace("height=12\nwidth=16", "height=200\nwidth=160"))
    assert maximize_activation(large, 0, [0], steps=1).pictures.shape == (1, 3, 128, 128)
    fixed = CLASSIFIER.replace("height=12\nwidth=16", "height=130\nwidth=130").replace(
        "[avgpool]", "[connected]\noutput=5"
    )
    assert maximize_activation(make_network(fixed), 0, [0], steps=1).pictures.shape == (
        1,
        3,
        130,
        130,
    )
    with pytest.raises(ShapeError, match="only takes a map"):
        maximize_activation(make_network(fixed), 0, [0], size=64)


def test_layers_and_channels_that_are_none() -> None:
    net = make_network(CLASSIFIER)
    with pytest.raises(ShapeError, match="there is no layer 6: expected 0 to 5"):
        maximize_activation(net, 6, [0])
    with pytest.raises(ShapeError, match="layer 2 has no channel 8: expected 0 to 7"):
        maximize_activation(net, 2, [0, 8])


def test_tiny_layer_7_at_least_tenfold(test_data: Path) -> None:
    """Over the channel's mean activation for noise, which is below 0 for most."""
    net = darknet_py.load_network(ROOT / "cfg/tiny.cfg", test_data / "tiny.weights", "cpu")
    found = maximize_activation(net, 7, range(8))
    assert (found.after >= 10 * np.abs(found.before)).all()
    assert found.after.min() > 1
