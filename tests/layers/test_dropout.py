from __future__ import annotations

import numpy as np
import pytest

from darknet_py.layers.base import Wanted
from tests.support.gradients import check_layer, forward_once, make_inputs, make_layer, ops
from tests.support.layers import warnings

DROPOUT = "[net]\nheight=5\nwidth=6\nchannels=4\n[dropout]\n"


@pytest.mark.parametrize("probability", [0, 0.25, 0.9])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(probability: float, train: bool) -> None:
    check_layer(f"{DROPOUT}probability={probability}", train=train)


def test_in_inference_nothing_is_left_out() -> None:
    layer, (x,) = make_layer(DROPOUT), make_inputs(DROPOUT)
    np.testing.assert_array_equal(layer.forward(x, ops, False)[0], x)
    assert layer.state() == {"draws": 0}


def test_in_training_values_are_left_out_or_raised() -> None:
    layer = make_layer("[net]\nheight=50\nwidth=60\nchannels=4\n[dropout]\nprobability=.25")
    y = forward_once(layer, [np.ones((2, 50, 60, 4))], True)[0]
    assert set(np.unique(y)) == {0, 1 / 0.75}
    for part in (y, y[0], y[1], y[..., 0], y[:, ::2]):
        assert (part == 0).mean() == pytest.approx(0.25, abs=0.02)


def test_float32_stays_float32() -> None:
    layer = make_layer(DROPOUT)
    assert forward_once(layer, [np.ones((1, 5, 6, 4), np.float32)], True)[0].dtype == np.float32


def test_every_mask_is_another_and_all_repeat() -> None:
    def masks(layer_text: str) -> list[np.ndarray]:
        layer = make_layer(layer_text)
        return [forward_once(layer, [np.ones((2, 5, 6, 4))], True)[0] for _ in range(3)]

    first, again = masks(DROPOUT), masks(DROPOUT)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0][0], first[0][1])
    after_another_layer = masks(DROPOUT.replace("[dropout]", "[dropout]\n[dropout]"))
    assert not np.array_equal(first, after_another_layer)
    with_a_seed = masks(DROPOUT.replace("[dropout]", "seed=1000\n[dropout]"))
    assert not np.array_equal(first, with_a_seed)


def test_backward_leaves_out_what_forward_left_out() -> None:
    layer = make_layer(DROPOUT)
    x = np.ones((2, 5, 6, 4))
    y, saved = forward_once(layer, [x], True)
    assert (
        layer.backward(x, saved, ops, Wanted(input_deltas=True, updates=True))[0].tolist()
        == y.tolist()
    )


def test_table() -> None:
    assert make_layer(DROPOUT).describe() == "dropout       p = 0.50                120  ->   120"


@pytest.mark.parametrize("probability", ["1", "-.1", "nan"])
def test_what_cannot_be_trained_does_not_stop_inference(probability: str) -> None:
    assert warnings(f"{DROPOUT}probability={probability}") == [
        f"<text>:6: [dropout] probability={probability}: expected a number from 0 to 0.999: it "
        "cannot be trained"
    ]
