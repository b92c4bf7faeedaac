from __future__ import annotations

import numpy as np
import pytest

from darknet_py.errors import DarknetError
from darknet_py.tasks.weights_tools import rescale, swap_red_and_blue
from tests.tasks.weights_tools.networks import (
    CONV,
    END,
    NET,
    NORM,
    assert_same_answers,
    learned,
    pictures,
    values,
)

CROP = "[crop]\ncrop_height=8\ncrop_width=8\n"
FIRST = pytest.mark.parametrize(
    "first",
    [
        CONV.format(6),
        CONV.format(6) + NORM,
        CONV.format(6) + "stride=2\ngroups=3\n" + NORM,
        "[connected]\noutput=6\nactivation=leaky\n",
        "[connected]\noutput=6\nactivation=leaky\n" + NORM,
        "[dropout]\n[maxpool]\nsize=2\nstride=2\n[avgpool]\n[connected]\noutput=6\n",
    ],
    ids=["conv", "conv norm", "conv groups", "connected", "connected norm", "pooled"],
)


@FIRST
def test_rescale(first: str) -> None:
    net = learned(NET + first + END)
    x, before = pictures(net), values(net)
    expected = net.predict(2 * x - 1)
    assert rescale(net) == []
    assert_same_answers(net.predict(x), expected)
    changed = [not np.array_equal(a, b) for a, b in zip(values(net), before, strict=True)]
    assert sum(changed) == 2
    assert net.seen == 4321


def test_rescale_where_the_first_layer_pads() -> None:
    """Within the border the maps are equal; at the border zeros stand for black."""
    net = learned(NET + CONV.format(6) + "pad=1\n" + END)
    x = pictures(net)
    expected = net.activations(2 * x - 1)[0]
    (note,) = rescale(net)
    assert note.startswith("layer 0 pads with zeros")
    found = net.activations(x)[0]
    np.testing.assert_allclose(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], atol=1e-5)
    assert np.abs(found - expected).max() > 0.1


def test_the_note_of_a_layer_that_pads_is_right() -> None:
    text = NET + CONV.format(6) + "pad=1\n" + END
    expected = learned(text).predict(2 * pictures(learned(text)) - 1)
    standardised = learned(text.replace("[net]\n", "[net]\nmean=.5\nstd=.5\n"))
    assert_same_answers(standardised.predict(pictures(standardised)), expected)


def test_rescale_with_a_crop_that_makes_pictures_of_minus_1_to_1() -> None:
    net = learned(NET + CROP + CONV.format(6) + END)
    x = pictures(net)
    expected = net.predict(x)
    assert rescale(net) == ["add noadjust=1 to [crop], layer 0: it makes pictures -1..1"]
    other = learned(NET + CROP + "noadjust=1\n" + CONV.format(6) + END)
    for parameter, value in zip(other.parameters(), values(net), strict=True):
        parameter.value = value
    assert_same_answers(other.predict(x), expected)
    assert rescale(other) == []


@FIRST
def test_rgbgr(first: str) -> None:
    net = learned(NET + first + END)
    if "groups" in first:
        with pytest.raises(DarknetError, match="does not read red, green and blue together"):
            swap_red_and_blue(net)
        return
    x, before = pictures(net), values(net)
    expected = net.predict(x[:, ::-1])
    assert swap_red_and_blue(net) == []
    assert_same_answers(net.predict(x), expected)
    swap_red_and_blue(net)
    for found, old in zip(values(net), before, strict=True):
        np.testing.assert_array_equal(found, old)


def test_rgbgr_notes_a_mean_that_is_not_grey() -> None:
    layers = "std=.4\n" + CONV.format(6) + END
    net = learned(NET + "mean=.1,.2,.3\n" + layers)
    expected = net.predict(pictures(net)[:, ::-1])
    (note,) = swap_red_and_blue(net)
    assert note == "exchange the first and the last number of mean= in [net], too"
    other = learned(NET + "mean=.3,.2,.1\n" + layers)
    for parameter, value in zip(other.parameters(), values(net), strict=True):
        parameter.value = value
    assert_same_answers(other.predict(pictures(net)), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NET + "[avgpool]\n[softmax]\n", "no layer has weights"),
        (NET + "[upsample]\n" + CONV.format(6) + END, "layer 0 [upsample] stands between"),
        (NET + "[local]\nfilters=2\n" + END, "layer 0 [local] reads the picture: expected"),
        (
            NET + "[dropout]\n" + CONV.format(6) + "[route]\nlayers=0\n" + END,
            "layer 2 [route] reads the picture beside layer 1",
        ),
        (
            NET.replace("[net]\n", "[net]\nstd=.5\n") + CONV.format(6) + END,
            "has mean= or std= in [net]",
        ),
    ],
)
def test_rescale_that_cannot_be(text: str, message: str) -> None:
    net = learned(text)
    before = values(net)
    with pytest.raises(DarknetError) as found:
        rescale(net)
    assert str(found.value).startswith(f"my.cfg: {message}")
    for one, old in zip(values(net), before, strict=True):
        np.testing.assert_array_equal(one, old)


def test_rgbgr_of_a_grey_network() -> None:
    net = learned(NET.replace("channels=3", "channels=1") + CONV.format(6) + END)
    with pytest.raises(DarknetError, match="expected 3 channels and no groups"):
        swap_red_and_blue(net)


@pytest.mark.parametrize("key", ["xnor", "binary"])
def test_signs_cannot_make_up_for_another_range(key: str) -> None:
    net = learned(NET + CONV.format(6) + f"{key}=1\n" + END)
    before = values(net)
    with pytest.raises(
        DarknetError, match=rf"layer 0 \[convolutional\] has {key}=1: of its weights"
    ):
        rescale(net)
    for one, other in zip(values(net), before, strict=True):
        np.testing.assert_array_equal(one, other)
