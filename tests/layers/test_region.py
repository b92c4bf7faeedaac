from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.layers.region import Region
from darknet_py.network import Network
from tests.support.golden import golden_network, load_golden, relative_error
from tests.support.gradients import check_layer, make_layer

ops = devices.for_device("cpu")


def cfg(keys: str, channels: int) -> str:
    return f"[net]\nwidth=3\nheight=2\nchannels={channels}\n[region]\n{keys}"


def boxes(keys: str, num: int, entries: int) -> tuple[np.ndarray, np.ndarray]:
    """A layer's input and output as (n, h, w, num, entries), spread out widely."""
    layer = make_layer(cfg(keys, num * entries))
    x = 5 * np.random.default_rng(0).normal(size=(2, 2, 3, num * entries))
    shape = (2, 2, 3, num, entries)
    return x.reshape(shape), layer.forward(x, ops, False)[0].reshape(shape)


def logistic(x: np.ndarray) -> np.ndarray:
    y: np.ndarray = 1 / (1 + np.exp(-x))
    return y


def softmax(x: np.ndarray) -> np.ndarray:
    y: np.ndarray = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
    return y


def test_forward_is_the_c_programs(tmp_path: Path) -> None:
    figure = load_golden("forward", "region")
    network = golden_network(figure, tmp_path)
    assert network.warnings == []
    y = network.activations(figure["x"])[1]
    assert relative_error(y, figure["out_1"]) < 1e-6


def test_entries_without_softmax() -> None:
    x, y = boxes("num=2\nclasses=3\n", 2, 8)
    np.testing.assert_allclose(y[..., :2], logistic(x[..., :2]))
    np.testing.assert_array_equal(y[..., 2:4], x[..., 2:4])
    np.testing.assert_allclose(y[..., 4:], logistic(x[..., 4:]))


def test_classes_with_softmax_sum_to_1() -> None:
    x, y = boxes("num=2\nclasses=3\nsoftmax=1\n", 2, 8)
    np.testing.assert_allclose(y[..., 4], logistic(x[..., 4]))
    np.testing.assert_allclose(y[..., 5:], softmax(x[..., 5:]))
    np.testing.assert_allclose(y[..., 5:].sum(axis=-1), 1)
    probabilities = y[..., [0, 1, 4, 5, 6, 7]]
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_background_is_a_class_of_its_own() -> None:
    x, y = boxes("num=2\nclasses=3\nsoftmax=1\nbackground=1\n", 2, 8)
    np.testing.assert_allclose(y[..., 4:], softmax(x[..., 4:]))
    x, y = boxes("num=2\nclasses=3\nbackground=1\n", 2, 8)
    np.testing.assert_array_equal(y[..., 4], x[..., 4])
    np.testing.assert_allclose(y[..., 5:], logistic(x[..., 5:]))


def test_more_coordinates_are_left_alone() -> None:
    x, y = boxes("num=2\nclasses=3\ncoords=6\nsoftmax=1\n", 2, 10)
    np.testing.assert_array_equal(y[..., 2:6], x[..., 2:6])
    np.testing.assert_allclose(y[..., 6], logistic(x[..., 6]))
    np.testing.assert_allclose(y[..., 7:], softmax(x[..., 7:]))


@pytest.mark.parametrize("background", [0, 1])
@pytest.mark.parametrize("softmax", [0, 1])
@pytest.mark.parametrize("coords", [4, 6])
def test_gradients_are_exact(coords: int, softmax: int, background: int) -> None:
    keys = f"num=2\nclasses=3\ncoords={coords}\nsoftmax={softmax}\nbackground={background}\n"
    check_layer(cfg(keys, 2 * (coords + 4)))


def test_a_picture_of_another_size() -> None:
    network = Network(
        parse_sections(
            "[net]\nwidth=6\nheight=4\nchannels=3\n[convolutional]\nfilters=12\n"
            "[region]\nnum=2\nclasses=1\n"
        ),
        "my.cfg",
        ops,
    )
    network.initialise()
    assert network.activations(np.zeros((1, 3, 5, 7), np.float32))[1].shape == (1, 12, 5, 7)


def test_published_keys_are_known() -> None:
    keys = """
        anchors = 1.08,1.19,  3.42,4.41
        num=2
        classes=3
        coords=4
        softmax=1
        jitter=.2
        bias_match=1
        rescore=1
        object_scale=5
        noobject_scale=1
        class_scale=1
        coord_scale=1
        mask_scale=1
        absolute=1
        thresh = .6
        random=1
        log=1
        sqrt=1
        max=30
        classfix=1
        background=0
        map=data/coco.map
    """
    network = Network(parse_sections(cfg(keys, 16)), "my.cfg", ops, strict=True)
    (layer,) = network.layers
    assert isinstance(layer, Region)
    assert layer.anchors == [1.08, 1.19, 3.42, 4.41]
    assert layer.out_shape == layer.in_shape == (2, 3, 16)
    assert not layer.is_vector
    assert layer.describe() == "detection"


@pytest.mark.parametrize(
    ("keys", "line", "expected"),
    [
        (
            "classes=3",
            5,
            "does not fit a 3 x 2 x 16 input: num=1, coords=4 and classes=3 need "
            "num x (coords + 1 + classes) = 8 channels",
        ),
        (
            "num=2\nclasses=3\ntree=9k.tree",
            8,
            "tree=9k.tree: no such file",
        ),
        ("coords=3", 6, "coords=3: expected a whole number of 4 or more"),
    ],
)
def test_errors_say_where(keys: str, line: int, expected: str) -> None:
    with pytest.raises(CfgError) as error:
        Network(parse_sections(cfg(keys, 16), "my.cfg"), "my.cfg", ops)
    assert str(error.value) == f"my.cfg:{line}: [region] {expected}"


@pytest.mark.parametrize(
    ("text", "anchors"),
    [
        ("1,2,3,4,5", [1, 2, 3, 4]),
        ("1,2,3", [1, 2, 3, 0.5]),
        ("1,2,3,4,", [1, 2, 3, 4]),
        ("1, 2,3,4#5, 6", [1, 2, 3, 4]),
        ("1,,x,4", [1, 0, 0, 4]),
    ],
)
def test_anchors_of_another_number(text: str, anchors: list[float]) -> None:
    keys = f"num=2\nclasses=3\nanchors={text}\n"
    network = Network(parse_sections(cfg(keys, 16), "my.cfg"), "my.cfg", ops)
    assert network.layers[0].anchors == anchors  # type: ignore[attr-defined]
    assert network.warnings
    assert all(line.startswith("my.cfg:8: [region] anchors") for line in network.warnings)


def test_training_says_that_there_is_no_loss() -> None:
    network = Network(parse_sections(cfg("num=2\nclasses=3\n", 16)), "my.cfg", ops)
    network.initialise()
    x = np.zeros((1, 16, 2, 3), np.float32)
    with pytest.raises(CfgError, match="no loss to train on"):
        network.train_step(x, x.reshape(1, -1))
