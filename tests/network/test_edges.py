from __future__ import annotations

import numpy as np
import pytest

from darknet_py.errors import ShapeError
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
