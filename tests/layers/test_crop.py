from __future__ import annotations

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.layers.base import Shape
from darknet_py.network.builder import build, build_layers
from tests.support.gradients import check_layer, forward_once, make_inputs, make_layer, ops
from tests.support.layers import mistake

NET = "[net]\nheight=7\nwidth=8\nchannels=2\n"
CROP = NET + "[crop]\ncrop_height=4\ncrop_width=5\n"


@pytest.mark.parametrize("keys", ["", "flip=1", "noadjust=1", "flip=1\nnoadjust=1\nseed=3"])
@pytest.mark.parametrize("train", [True, False])
def test_gradients(keys: str, train: bool) -> None:
    check_layer(CROP + keys, train=train)


def test_gradients_of_a_mirrored_window() -> None:
    """Of a batch whose draw mirrors, unless the first of some seeds never does."""
    for seed in range(8):
        text = CROP.replace("[crop]", f"seed={seed}\n[crop]\nflip=1")
        layer, (x,) = make_layer(text), make_inputs(text)
        if _window_of(forward_once(layer, [x], True)[0], x)[2]:
            check_layer(text)
            return
    pytest.fail("no window was mirrored")


def _window_of(y: np.ndarray, x: np.ndarray) -> tuple[int, int, bool]:
    """Where in x, and whether mirrored, the window 2 x - 1 lies."""
    _, h, w, _ = y.shape
    for flip in (False, True):
        source = x[:, :, ::-1] if flip else x
        for top in range(x.shape[1] - h + 1):
            for left in range(x.shape[2] - w + 1):
                if np.allclose(y, 2 * source[:, top : top + h, left : left + w] - 1):
                    return top, left, flip
    raise AssertionError("is no window of the input")


def test_in_inference_the_middle() -> None:
    layer, (x,) = make_layer(CROP + "flip=1"), make_inputs(CROP)
    for _ in range(3):
        y = layer.forward(x, ops, False)[0]
        np.testing.assert_allclose(y, 2 * x[:, 1:5, 1:6] - 1, rtol=1e-12)
    assert layer.state() == {"draws": 0}


def test_noadjust_leaves_the_values() -> None:
    layer, (x,) = make_layer(CROP + "noadjust=1"), make_inputs(CROP)
    np.testing.assert_array_equal(layer.forward(x, ops, False)[0], x[:, 1:5, 1:6])


def test_in_training_every_window_comes() -> None:
    layer, (x,) = make_layer(CROP + "flip=1"), make_inputs(CROP)
    windows = {_window_of(forward_once(layer, [x], True)[0], x) for _ in range(400)}
    assert windows == {(t, le, f) for t in range(4) for le in range(4) for f in (False, True)}
    assert layer.state() == {"draws": 400}


def test_without_flip_no_window_is_mirrored() -> None:
    layer, (x,) = make_layer(CROP), make_inputs(CROP)
    assert not any(_window_of(forward_once(layer, [x], True)[0], x)[2] for _ in range(30))


def test_draws_repeat_and_depend_on_the_seed() -> None:
    def draws(text: str) -> list[tuple[int, int, bool]]:
        layer, (x,) = make_layer(text), make_inputs(text)
        return [_window_of(forward_once(layer, [x], True)[0], x) for _ in range(10)]

    assert draws(CROP) == draws(CROP)
    assert draws(CROP) != draws(CROP.replace("[crop]", "seed=9\n[crop]"))


def test_resized_the_window_grows_by_its_height() -> None:
    sections = parse_sections(CROP)
    plan = build(sections, "<text>")
    (layer,) = build_layers(sections, plan.settings, Shape(14, 20, 2), plan.layers)
    assert layer.out_shape == (8, 20 * 4 // 7, 2)


def test_resized_to_nothing_is_an_error() -> None:
    sections = parse_sections(NET + "[crop]\n[avgpool]\n")
    plan = build(sections, "<text>")
    with pytest.raises(CfgError, match=r"^<text>:5: \[crop\] .*expected at least 1 x 1 x 1"):
        build_layers(sections, plan.settings, Shape(3, 3, 2), plan.layers)


def test_unused_keys_are_known() -> None:
    keys = "angle=7\nsaturation=1.5\nexposure=1.5\nshift=.2"
    assert build(parse_sections(CROP + keys), "<text>").warnings == []


def test_table() -> None:
    assert make_layer(CROP).describe() == (
        "crop                       8 x   7 x   2   ->     5 x   4 x   2"
    )


def test_mistakes_are_named() -> None:
    assert mistake(NET + "[crop]\ncrop_height=8\ncrop_width=8") == (
        "<text>:5: [crop] 8 x 8 is more than the 8 x 7 x 2 input has"
    )
    assert mistake(NET + "[crop]\ncrop_height=7\ncrop_width=9") == (
        "<text>:5: [crop] 9 x 7 is more than the 8 x 7 x 2 input has"
    )
    assert mistake(NET + "[crop]\ncrop_width=0") == (
        "<text>:6: [crop] crop_width=0: expected a whole number of 1 or more"
    )
