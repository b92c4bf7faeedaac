"""Tiny Darknet's own weights through the tools."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from darknet_py.network import Network, load_network
from darknet_py.tasks.weights_tools import denormalize, normalize, oneoff, reset

CFG = Path(__file__).parents[3] / "cfg" / "tiny.cfg"


def test_tiny_answers_the_same(test_data: Path) -> None:
    def tiny() -> Network:
        return load_network(CFG, test_data / "tiny.weights", "cpu")

    x = np.random.default_rng(0).random((1, 3, 96, 96), np.float32)
    expected = tiny().predict(x)
    plain = denormalize(tiny())
    again = tiny()
    reset(again)
    fitted = tiny()
    assert oneoff(fitted, test_data / "tiny.weights").kept == 1000
    for net in (plain, normalize(plain), again, fitted):
        np.testing.assert_allclose(net.predict(x), expected, rtol=1e-4, atol=1e-6)
    assert expected.max() > 0.01
