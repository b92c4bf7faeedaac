from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import check_loss, warnings

COST = "[net]\ninputs=6\n[cost]\n"
MAP = "[net]\nheight=2\nwidth=3\nchannels=2\n[cost]\n"

SHARES = {"sse": 0.5, "L1": 1, "smooth": 0.5, "masked": 0.5}
"""How much of the negative gradient the delta is: the C program leaves out the 2 of d^2."""


@pytest.mark.parametrize("text", [COST, MAP])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(text: str, train: bool) -> None:
    check_layer(text, train=train)


@pytest.mark.parametrize("error", SHARES)
@pytest.mark.parametrize("net", [COST, MAP])
def test_the_losss_delta_is_its_gradient(error: str, net: str) -> None:
    size = make_layer(net).in_shape.size
    truth = 2 * np.random.default_rng(4).normal(size=(3, size))
    check_loss(f"{net}type={error}", truth, SHARES[error])


def test_scale_is_of_the_delta_alone() -> None:
    truth = np.random.default_rng(4).normal(size=(3, 6))
    assert check_loss(COST + "scale=3", truth, 1.5) == check_loss(COST, truth, 0.5)


@pytest.mark.parametrize(
    ("error", "loss", "deltas"),
    [
        ("sse", 0.25 + 4 + 9, [0.5, -2, 0, 3]),
        ("L1", 0.5 + 2 + 3, [1, -1, 0, 1]),
        # 2|d| - 1 beyond 1; the C program has the wrong sign there
        ("smooth", 0.25 + 3 + 5, [0.5, -1, 0, 1]),
        ("masked", 0.25 + 4 + 9, [0.5, -2, 0, 3]),
    ],
)
def test_errors(error: str, loss: float, deltas: list[float]) -> None:
    layer = make_layer(f"[net]\ninputs=4\n[cost]\ntype={error}")
    y = np.array([1, 1, 1, 1.0]).reshape(1, 1, 1, 4)
    truth = np.array([1.5, -1, 1, 4]).reshape(1, 1, 1, 4)
    found, delta = layer.loss(y, truth, ops)
    assert found == loss
    assert delta.reshape(-1).tolist() == deltas


def test_masked_leaves_out_what_is_unknown() -> None:
    layer = make_layer("[net]\ninputs=3\n[cost]\ntype=masked")
    y, truth = (np.array(v).reshape(1, 1, 1, 3) for v in ([1.0, 1, 1], [-1234.0, 3, 1]))
    loss, delta = layer.loss(y, truth, ops)
    assert loss == 4
    assert delta.reshape(-1).tolist() == [0, 2, 0]
    assert make_layer(COST).loss(y, truth, ops)[0] > 1e6


def test_the_input_is_handed_on() -> None:
    (x,) = make_inputs(MAP)
    np.testing.assert_array_equal(make_layer(MAP).forward(x, ops, True)[0], x)


def test_a_vector_stays_one() -> None:
    assert make_layer(COST).is_vector
    assert not make_layer(MAP).is_vector


def test_table() -> None:
    assert make_layer(MAP).describe() == "cost                                             12"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("type=wgan", "type=wgan is not computed here: expected one of sse, L1, smooth, masked"),
        ("scale=inf", "scale=inf: expected a number"),
    ],
)
def test_what_cannot_be_trained_does_not_stop_inference(keys: str, message: str) -> None:
    assert warnings(COST + keys) == [f"<text>:4: [cost] {message}: it cannot be trained"]


def test_an_unknown_type_is_sse() -> None:
    assert warnings(COST + "type=SSE") == [
        "<text>:4: [cost] type=SSE is unknown and read as sse: expected one of L1, masked, smooth, "
        "sse"
    ]
