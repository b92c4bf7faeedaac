from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from darknet_py.errors import NotFiniteError, ShapeError
from darknet_py.network import Network
from tests.support.networks import LAYERS, SMALL, make_network, pictures


@pytest.mark.parametrize("shape", [(1, 3, 6, 8), (2, 6, 8), (6, 8), (1, 95), (), (1, 1, 2, 6, 8)])
def test_pictures_of_another_shape_are_an_error(shape: tuple[int, ...]) -> None:
    network = make_network(SMALL + LAYERS)
    for run in (network.predict, network.activations):
        with pytest.raises(ShapeError) as caught:
            run(np.zeros(shape, np.float32))
        assert str(caught.value) == (
            f"my.cfg: expected pictures of shape (n, 2, 6, 8), found {shape}"
        )


def test_vectors_of_another_length_are_an_error() -> None:
    network = make_network("[net]\ninputs=5\n[softmax]\n")
    with pytest.raises(ShapeError) as caught:
        network.predict(np.zeros((1, 6), np.float32))
    assert str(caught.value) == "my.cfg: expected pictures of shape (n, 5), found (1, 6)"


@pytest.mark.parametrize("layer", [-1, 5, 1000])
def test_a_dream_of_no_layer_is_an_error(layer: int) -> None:
    network = make_network(SMALL + LAYERS)
    with pytest.raises(ShapeError) as caught:
        network.image_delta(pictures(network, 1), layer, 0)
    assert str(caught.value) == f"my.cfg: there is no layer {layer}: expected 0 to 4"


def _train(net: Network, x: np.ndarray) -> object:
    return net.train_step(x, np.eye(3, dtype=np.float32)[:1])


WAYS: list[Callable[[Network, np.ndarray], object]] = [
    lambda net, x: net.predict(x),
    lambda net, x: net.activations(x),
    lambda net, x: net.output(x, 1),
    lambda net, x: net.image_delta(x, 2, 0.0),
    _train,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.bool_])
def test_bytes_are_no_pictures(
    way: Callable[[Network, np.ndarray], object], kind: type[np.generic]
) -> None:
    """They would be taken for 0..1, and answered with confidence."""
    network = make_network(SMALL + LAYERS)
    x = np.ones((1, 2, 6, 8), kind)
    with pytest.raises(ShapeError) as caught:
        way(network, x)
    assert str(caught.value) == (
        f"my.cfg: expected floats, pictures from 0 to 1, found {x.dtype}: of bytes, "
        "x.astype(numpy.float32) / 255"
    )
    with pytest.raises(ShapeError):
        network.carry_back(x, np.ones((1, 3), np.float32), 3, [-1])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_picture_with_what_is_no_number(
    way: Callable[[Network, np.ndarray], object], value: float
) -> None:
    """Some layers would pass over it in silence."""
    network = make_network(SMALL + LAYERS)
    x = pictures(network, 1)
    x[0, 1, 2, 3] = value
    with pytest.raises(NotFiniteError, match="was given numbers that are not finite"):
        way(network, x)


def test_pictures_far_beyond_the_range_bring_a_warning() -> None:
    for channels, is_said in ((3, True), (2, False)):
        network = make_network(SMALL.replace("channels=2", f"channels={channels}") + LAYERS)
        x = pictures(network, 1)
        network.predict(3 * x - 1)  # normalised by whoever asks
        if is_said:
            with pytest.warns(UserWarning, match="values up to 25.* divide by 255"):
                network.predict(255 * x)
        else:  # maps, which may be anything
            network.predict(255 * x)


def test_other_floats_are_taken() -> None:
    network = make_network(SMALL + LAYERS)
    x = pictures(network, 1)
    for kind in (np.float64, np.float16):
        np.testing.assert_allclose(network.predict(x.astype(kind)), network.predict(x), atol=1e-3)
