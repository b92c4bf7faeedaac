"""Tiny Darknet: what its page prints for dog.jpg, from its author's weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.images import fit_image, load_image
from darknet_py.network import Network, load_network

CFG = Path(__file__).parents[2] / "cfg" / "tiny.cfg"
PAGE = {
    14: 0.167168,  # malamute
    148: 0.065828,  # Eskimo dog
    252: 0.063020,  # dogsled
    155: 0.051153,  # standard schnauzer
    2: 0.037506,  # Siberian husky
}


@pytest.fixture(scope="module")
def tiny(test_data: Path) -> Network:
    return load_network(CFG, test_data / "tiny.weights", "cpu")


def test_probabilities_are_those_of_its_page(tiny: Network, test_data: Path) -> None:
    h, w, _ = tiny.in_shape
    picture = fit_image(load_image(test_data / "dog.png"), w, h, "min")
    assert picture.shape == (224, 298, 3)
    (probabilities,) = tiny.predict(picture.transpose(2, 0, 1)[None])
    assert np.argsort(-probabilities)[:5].tolist() == list(PAGE)
    for index, expected in PAGE.items():
        assert probabilities[index] == pytest.approx(expected, abs=2e-6)


def test_what_it_was_trained_on(tiny: Network) -> None:
    assert tiny.seen == 204_800_000
    assert tiny.batch_num == 1_600_000
    assert tiny.outputs == 1000
