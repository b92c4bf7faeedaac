from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

LRN = "[net]\nheight=3\nwidth=4\nchannels=7\n[normalization]\n"


@pytest.mark.parametrize(
    "keys", ["", "alpha=.5", "size=3\nalpha=1\nbeta=.5\nkappa=2", "size=4\nalpha=1", "size=99"]
)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(keys: str, train: bool) -> None:
    check_layer(LRN + keys, train=train)


@pytest.mark.parametrize("size", [1, 2, 5, 6, 20])
def test_each_channel_is_divided_by_those_around(size: int) -> None:
    text = f"{LRN}size={size}\nalpha=.5\nbeta=.75\nkappa=2"
    layer, (x,) = make_layer(text), make_inputs(text)
    expected = np.empty_like(x)
    for k in range(7):
        around = x[..., max(k - (size - 1) // 2, 0) : k + size // 2 + 1]
        total = (around**2).sum(axis=-1)
        expected[..., k] = x[..., k] / (2 + 0.5 * total) ** 0.75
    np.testing.assert_allclose(layer.forward(x, ops, False)[0], expected, rtol=1e-12)


def test_table() -> None:
    layer = make_layer(LRN.replace("[normalization]", "[lrn]"))
    assert layer.describe() == "normalization              4 x   3 x   7   ->     4 x   3 x   7"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("size=0", "size=0: expected a whole number of 1 or more"),
        ("alpha=-1", "alpha=-1: expected a number of 0 or more"),
        ("beta=inf", "beta=inf: expected a number"),
        ("kappa=0", "kappa=0: expected a number of 1e-09 or more"),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(LRN + keys) == f"<text>:6: [normalization] {message}"
