"""Tiny Darknet on the C program's dog."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import darknet_py
from darknet_py.network import Network
from darknet_py.tasks.explain import explain
from darknet_py.tasks.explain.figures import Box, share_within

ROOT = Path(__file__).parents[3]
DOG = Box(128, 225, 313, 540)
"""Of 768 x 576 pixels: 13 % of the picture."""


@pytest.fixture(scope="module")
def tiny(test_data: Path) -> Network:
    return darknet_py.load_network(ROOT / "cfg/tiny.cfg", test_data / "tiny.weights", "cpu")


@pytest.mark.parametrize(
    ("method", "least"),
    [("gradcam", 0.5), ("gradcam++", 0.5), ("occlusion", 0.5), ("saliency", 0.25)],
)
def test_it_looks_at_the_dog(tiny: Network, test_data: Path, method: str, least: float) -> None:
    (found,) = explain(tiny, test_data / "dog.jpg", ["malamute"], method)
    assert found.heat.shape == (576, 768)
    assert share_within(np.ones_like(found.heat), DOG) == pytest.approx(0.13, abs=0.005)
    assert share_within(found.heat, DOG) >= least


def test_integrated_gradients_sum_to_the_rise(tiny: Network, test_data: Path) -> None:
    (found,) = explain(tiny, test_data / "dog.jpg", ["malamute"], "integrated")
    assert found.parts is not None
    assert found.rise is not None
    black = np.zeros_like(found.picture.x)
    scores = tiny.output(np.stack([found.picture.x, black]), 20).reshape(2, -1)[:, found.index]
    assert found.rise == pytest.approx(float(scores[0] - scores[1]), rel=1e-5)
    assert float(found.parts.sum()) == pytest.approx(found.rise, rel=0.01)
    assert share_within(found.heat, DOG) > 0.2
