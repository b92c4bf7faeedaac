from __future__ import annotations

import pytest

from tests.support.gradients import check_layer, make_layer
from tests.support.layers import mistake

NET = "[net]\nheight=4\nwidth=5\nchannels=2\ntime_steps=3\n[crnn]\n"
PJREDDIE = "output_filters=3\nhidden_filters=4\nactivation=tanh\n"
ALEXEYAB = "output=4\nhidden=2\nsize=5\npad=1\ngroups=2\nactivation=tanh\n"


@pytest.mark.parametrize("keys", [PJREDDIE, ALEXEYAB])
@pytest.mark.parametrize("more", ["", "shortcut=1", "batch_normalize=1"])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(keys: str, more: str, train: bool) -> None:
    check_layer(NET + keys + more, train=train, n=6)


def test_the_order_of_weights() -> None:
    shapes = [parameter.shape for parameter in make_layer(NET + PJREDDIE).parameters()]
    own, state, out = (4, 3, 3, 2), (4, 3, 3, 4), (3, 3, 3, 4)
    assert shapes == [(4,), own, (4,), state, (3,), out]


def test_table() -> None:
    assert make_layer(NET + PJREDDIE).describe() == "CRNN Layer: 4 x 5 x 2 image, 3 filters"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("output_filters=0", ":7: [crnn] output_filters=0: expected a whole number of 1 or more"),
        (
            "output=2\npad=1\nstride=2",
            ":9: [crnn] stride=2 changes what the network answers, and is not computed here",
        ),
        ("output=2\npad=1\ngroups=2", ":9: [crnn] groups=2: expected a divisor of 1"),
        (
            "output=2",
            ":6: [crnn] its state is 5 x 4 x 2, its output 3 x 2 x 2: expected one width and "
            "height, as with pad=1 and an odd size",
        ),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(NET + keys) == "<text>" + message
