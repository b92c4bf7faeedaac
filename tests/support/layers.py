"""What the tests of layers share beside the gradients: mistakes in a cfg, and losses."""

from __future__ import annotations

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.network.builder import build
from tests.support.gradients import STEP, make_inputs, make_layer, ops


def mistake(text: str) -> str:
    """What the CfgError says that a cfg's last section raises: one line."""
    with pytest.raises(CfgError) as caught:
        make_layer(text)
    message = str(caught.value)
    assert message.splitlines() == [message]
    return message


def warnings(text: str) -> list[str]:
    """What building a cfg of this text warns of."""
    return build(parse_sections(text), "<text>").warnings


def check_loss(text: str, truth: np.ndarray, share: float = 1) -> float:
    """Asserts that the delta of the last layer's input is -share times the loss's gradient.

    `truth` (n, c, h, w), as the outside has it, or anything of as many values. Returns the loss.
    """
    layer, (x,) = make_layer(text), make_inputs(text, len(truth))
    h, w, c = layer.out_shape
    truth = ops.to_hwc(truth.reshape(-1, c, h, w))
    before = x.copy(), truth.copy()

    def loss() -> float:
        return float(ops.batch_loss(layer.loss(layer.forward(x, ops, True)[0], truth, ops)[0]))

    total, delta = layer.loss(layer.forward(x, ops, True)[0], truth, ops)
    np.testing.assert_array_equal(x, before[0], "the input was edited")
    np.testing.assert_array_equal(truth, before[1], "the truth was edited")
    assert delta.shape == x.shape
    numerical = np.empty(x.size)
    flat = x.reshape(-1)
    for i in range(x.size):
        value = flat[i]
        flat[i] = value + STEP
        above = loss()
        flat[i] = value - STEP
        numerical[i] = (above - loss()) / (2 * STEP)
        flat[i] = value
    np.testing.assert_allclose(delta.reshape(-1), -share * numerical, rtol=1e-6, atol=1e-7)
    assert total.shape == (len(x), 1, 1, 1)
    return float(total.sum())
