from __future__ import annotations

import numpy as np
import pytest

from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake

NET = (
    "[net]\nheight=4\nwidth=5\nchannels=2\n"
    "[convolutional]\nfilters=3\n"
    "[convolutional]\nfilters=4\n"
    "[maxpool]\nstride=2\n"
    "[route]\n"
)


@pytest.mark.parametrize("layers", ["-1", "0", "-2,0", "1, 0, 1"])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(layers: str, train: bool) -> None:
    check_layer(f"{NET}layers={layers}", train=train)


def test_maps_side_by_side() -> None:
    text = NET + "layers=-2,0"
    layer = make_layer(text)
    first, second = make_inputs(text)
    assert layer.inputs == (1, 0)
    assert layer.out_shape == (4, 5, 7)
    y = layer.forward(first, second, ops, False)[0]
    np.testing.assert_array_equal(y[..., :4], first)
    np.testing.assert_array_equal(y[..., 4:], second)


@pytest.mark.parametrize("keys", ["layers=-2\ngroups=2", "layers=1,1,1\ngroups=4\ngroup_id=3"])
def test_gradients_of_groups(keys: str) -> None:
    check_layer(NET + keys)


def test_groups_are_parts_of_each_map() -> None:
    net = NET.replace("filters=3", "filters=6")
    text = net + "layers=-2,0\ngroups=2\ngroup_id=1"
    layer = make_layer(text)
    first, second = make_inputs(text)
    assert layer.out_shape == (4, 5, 5)
    y = layer.forward(first, second, ops, False)[0]
    np.testing.assert_array_equal(y[..., :2], first[..., 2:])
    np.testing.assert_array_equal(y[..., 2:], second[..., 3:])


def test_table() -> None:
    assert make_layer(NET + "layers=-2,0").describe() == "route  1 0"
    assert make_layer(NET + "layers=-2\ngroups=2\ngroup_id=1").describe() == "route  1  1/2"


@pytest.mark.parametrize(
    ("layers", "inputs"),
    [("-2, 0", (1, 0)), ("-2,0,", (1, 0, 0)), ("-2,x0", (1, 0)), ("0 # the first, -1", (0, 2))],
)
def test_a_list_is_read_as_the_c_program_does(layers: str, inputs: tuple[int, ...]) -> None:
    text = f"{NET.replace('stride=2', 'stride=1')}layers={layers}"
    assert make_layer(text).inputs == inputs


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("", ":11: [route] layers= is missing: expected layer numbers, as in layers=-1,8"),
        ("layers=3", ":12: [route] layers=3: there is no such layer before layer 3"),
        ("layers=-4", ":12: [route] layers=-4: there is no such layer before layer 3"),
        ("layers=0,99", ":12: [route] layers=99: there is no such layer before layer 3"),
        ("layers=0 3", ":12: [route] layers=3: there is no such layer before layer 3"),
        ("groups=2", ":11: [route] layers= is missing: expected layer numbers, as in layers=-1,8"),
        (
            "layers=0\ngroups=2",
            ":13: [route] groups=2: expected a divisor of the channels of layer 0, which are 3",
        ),
        ("layers=1\ngroups=0", ":13: [route] groups=0: expected a whole number of 1 or more"),
        (
            "layers=1\ngroups=2\ngroup_id=2",
            ":14: [route] group_id=2: expected a whole number from 0 to 1",
        ),
        ("layers=1\ngroup_id=-1", ":13: [route] group_id=-1: expected a whole number from 0 to 0"),
        (
            "layers=0,2",
            ":12: [route] layer 2 gives 3 x 2 x 4, layer 0 5 x 4 x 3: "
            "expected one width and height",
        ),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(NET + keys) == "<text>" + message
