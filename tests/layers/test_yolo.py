from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.layers.yolo import Yolo
from darknet_py.network import Network
from tests.support.golden import golden_network, load_golden, relative_error
from tests.support.gradients import check_layer, make_layer

KEYS = "num=4\nmask=1,3\nclasses=3\n"

ops = devices.for_device("cpu")


def cfg(keys: str, channels: int = 16) -> str:
    return f"[net]\nwidth=3\nheight=2\nchannels={channels}\n[yolo]\n{keys}"


def test_forward_is_the_c_programs(tmp_path: Path) -> None:
    figure = load_golden("forward", "yolo")
    network = golden_network(figure, tmp_path)
    assert network.warnings == []
    y = network.activations(figure["x"])[1]
    assert relative_error(y, figure["out_1"]) < 1e-6


def test_all_but_width_and_height_are_probabilities() -> None:
    layer = make_layer(cfg(KEYS))
    x = 5 * np.random.default_rng(0).normal(size=(2, 2, 3, 16))
    y = layer.forward(x, ops, False)[0].reshape(2, 2, 3, 2, 8)
    boxes = x.reshape(y.shape)
    np.testing.assert_array_equal(y[..., 2:4], boxes[..., 2:4])
    others = [0, 1, 4, 5, 6, 7]
    np.testing.assert_allclose(y[..., others], 1 / (1 + np.exp(-boxes[..., others])))
    assert ((y[..., others] >= 0) & (y[..., others] <= 1)).all()


@pytest.mark.parametrize("train", [False, True])
def test_gradients_are_exact(train: bool) -> None:
    check_layer(cfg(KEYS), train=train)


def test_a_picture_of_another_size() -> None:
    network = Network(
        parse_sections(
            "[net]\nwidth=6\nheight=4\nchannels=3\n[convolutional]\nfilters=12\n"
            "[yolo]\nnum=2\nclasses=1\n"
        ),
        "my.cfg",
        ops,
    )
    network.initialise()
    assert network.activations(np.zeros((1, 3, 5, 7), np.float32))[1].shape == (1, 12, 5, 7)


def test_published_keys_are_known() -> None:
    keys = """
        mask = 1,3
        anchors = 10,14,  23,27,  37,58,  81,82.5
        classes=3
        num=4
        jitter=.3
        ignore_thresh = .7
        truth_thresh = 1
        random=1
        max=90
        map=data/coco.map
    """
    network = Network(parse_sections(cfg(keys)), "my.cfg", ops, strict=True)
    (layer,) = network.layers
    assert isinstance(layer, Yolo)
    assert layer.mask == [1, 3]
    assert layer.anchors == [10, 14, 23, 27, 37, 58, 81, 82.5]
    assert layer.out_shape == layer.in_shape == (2, 3, 16)
    assert not layer.is_vector
    assert layer.describe() == "yolo"


def test_without_a_mask_all_boxes_are_this_layers() -> None:
    layer = make_layer(cfg("num=2\nclasses=3\n"))
    assert isinstance(layer, Yolo)
    assert layer.mask == [0, 1]


@pytest.mark.parametrize(
    ("keys", "line", "expected"),
    [
        (
            "num=4\nmask=1\nclasses=3",
            5,
            "does not fit a 3 x 2 x 16 input: 1 boxes and classes=3 need "
            "boxes x (4 + 1 + classes) = 8 channels",
        ),
        ("num=4\nmask=1,4\nclasses=3", 7, "mask: expected numbers from 0 to 3, as num=4"),
        ("num=4\nmask=-1,2\nclasses=3", 7, "mask: expected numbers from 0 to 3, as num=4"),
        ("num=2000000000", 6, "num=2000000000: expected a whole number from 1 to 1024"),
        ("num=2\nclasses=3\nscale_x_y=-1", 8, "scale_x_y=-1: expected a number of 0 or more"),
    ],
)
def test_errors_say_where(keys: str, line: int, expected: str) -> None:
    with pytest.raises(CfgError) as error:
        Network(parse_sections(cfg(keys), "my.cfg"), "my.cfg", ops)
    assert str(error.value) == f"my.cfg:{line}: [yolo] {expected}"


def test_training_says_that_there_is_no_loss() -> None:
    network = Network(parse_sections(cfg(KEYS)), "my.cfg", ops)
    network.initialise()
    x = np.zeros((1, 16, 2, 3), np.float32)
    with pytest.raises(CfgError, match="no loss to train on"):
        network.train_step(x, x.reshape(1, -1))
