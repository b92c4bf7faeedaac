"""Boxes on pictures, from Python; real weights against AlexeyAB's program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import darknet_py
from darknet_py.errors import DarknetError, NotFiniteError, PictureError, ShapeError
from darknet_py.images import resize_image
from darknet_py.network import Network, load_network
from darknet_py.tasks.classify import Refused
from darknet_py.tasks.detect import Detected, Detection, detect_pictures, detections_of
from tests.support.networks import make_network

REAL = ["yolo-fastest-1.1", "yoloface-500k-v2"]
HEAD = "[net]\nwidth=16\nheight=8\nchannels=3\n[convolutional]\nfilters=14\nactivation=linear\n"
YOLO = HEAD + "[yolo]\nnum=2\nclasses=2\nanchors=4,4,8,8\n"


@pytest.fixture
def net() -> Network:
    found = make_network(YOLO)
    for parameter in found.parameters():
        parameter.value *= 3
    return found


@pytest.mark.parametrize("how", ["stretch", "letter_box"])
@pytest.mark.parametrize("model", REAL)
def test_real_weights_see_what_the_c_program_sees(test_data: Path, model: str, how: str) -> None:
    oracle = test_data.parent / "oracle/detect/detections.json"
    if not oracle.is_file():
        pytest.skip(f"needs the C program's boxes: no file {oracle}")
    pictures: dict[str, dict[str, Any]] = json.loads(oracle.read_text())[model]
    start = test_data / "detect" / model
    net = load_network(f"{start}.cfg", f"{start}.weights", device="cpu")
    assert net.settings.rules.is_alexeyab
    names = {"yolo-fastest-1.1": "data/coco.names", "yoloface-500k-v2": ["Face"]}[model]
    count = 0
    for name, wanted in pictures.items():
        for thresh in (0.25, 0.5):
            found = darknet_py.detect(
                net, test_data / name, thresh, names=names, letter_box=how == "letter_box"
            )[0]
            expected = wanted[f"{how}_thresh_{thresh}"]
            assert [each.index for each in found] == [each["class_id"] for each in expected]
            for mine, theirs in zip(found, expected, strict=True):
                assert mine.name == theirs["class"]
                assert abs(mine.probability - theirs["prob"]) < 1e-3
                sides = (theirs[key] for key in ("left_x", "top_y", "width", "height"))
                left, top, w, h = sides
                edges = left, top, left + w, top + h
                x, y, wide, high = mine.box
                np.testing.assert_allclose((x, y, x + wide, y + high), edges, atol=0.5)
                count += 1
    assert count > 3


def test_boxes_of_pictures(net: Network) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.random((h, w, 3), np.float32) for h, w in ((30, 40), (8, 16), (50, 20))]
    several = darknet_py.detect(net, pictures, 0.1, names=["cat", "dog"])
    assert len(several) == 3
    assert [darknet_py.detect(net, each, 0.1, names=["cat", "dog"])[0] for each in pictures] == (
        several
    )
    for found in several:
        assert found
        assert all(isinstance(each, Detection) for each in found)
        probabilities = [each.probability for each in found]
        assert probabilities == sorted(probabilities, reverse=True)
        assert min(probabilities) > 0.1
        assert {each.name for each in found} <= {"cat", "dog"}
    assert len(darknet_py.detect(net, pictures[0], 0.5)[0]) < len(several[0])
    assert len(darknet_py.detect(net, pictures[0], 0.1, nms=1)[0]) > len(several[0])
    (together,) = darknet_py.detect(net, [pictures[0]] * 3, 0.1, batch=3, names=["cat", "dog"])[:1]
    assert [each.index for each in together] == [each.index for each in several[0]]


def test_where_a_box_is() -> None:
    """In pixels of the picture, left and top first."""
    row = np.array([[0.5, 0.25, 0.2, 0.5, 1, 0, 0.9], [0.1, 0.1, 0.1, 0.1, 1, 0.95, 0.2]])
    first, second, third = detections_of(row, (200, 100), ["cat", "dog"], False)
    assert (first.index, first.name, first.probability) == (0, "cat", 0.95)
    assert second.name == "dog"
    np.testing.assert_allclose(second.box, (80, 0, 40, 50))
    assert third.box == first.box
    np.testing.assert_allclose(first.box, (10, 5, 20, 10))


def test_each_picture_by_itself(net: Network, tmp_path: Path) -> None:
    """A bad one stops none; the pixels are there to draw on."""
    good = tmp_path / "good.png"
    Image.fromarray(np.full((20, 30, 3), 128, np.uint8)).save(good)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    results = list(detect_pictures(net, [good, tmp_path / "bad.png", good], 0.1))
    assert [type(each) for each in results] == [Detected, Refused, Detected]
    first = results[0]
    assert isinstance(first, Detected)
    assert (first.path, first.size, first.pixels.shape) == (good, (30, 20), (20, 30, 3))
    with pytest.raises(PictureError, match=r"bad\.png"):
        darknet_py.detect(net, [good, tmp_path / "bad.png"])


def test_numbers_that_are_none(net: Network) -> None:
    x = np.full((8, 16, 3), 0.5, np.float32)
    net.layers[0].parameters()[0].value = np.full(14, 1e4, np.float32)  # exp of it: infinite
    with pytest.raises(NotFiniteError, match="gives numbers that are not finite"):
        darknet_py.detect(net, x, 0.1)
    net.layers[0].parameters()[0].data[:] = np.nan
    net.changed()
    with pytest.raises(NotFiniteError, match="weights that are not finite"):
        darknet_py.detect(net, x, 0.1)


@pytest.mark.parametrize(
    ("more", "letter_box"),
    [("", True), ("scale_x_y=1.0\n", False), ("letter_box", True)],
)
def test_letterbox_or_stretch_by_the_rules(more: str, letter_box: bool) -> None:
    text = YOLO + more
    if more == "letter_box":
        text = YOLO.replace("channels=3\n", "channels=3\nletter_box=1\n")
    net = make_network(text)
    x = np.random.default_rng(1).random((40, 16, 3), np.float32)
    asked = {flag: darknet_py.detect(net, x, 0.1, letter_box=flag) for flag in (True, False)}
    assert asked[True] != asked[False]
    assert darknet_py.detect(net, x, 0.1) == asked[letter_box]
    # stretched by 5 downwards, and not moved: the boxes of a picture of the network's own size
    small = resize_image(x, 16, 8)
    (whole,) = darknet_py.detect(net, small, 0.1, letter_box=False)
    for mine, other in zip(asked[False][0], whole, strict=True):
        left, top, w, h = other.box
        assert mine.box == pytest.approx((left, 5 * top, w, 5 * h), rel=1e-4, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresh": 1.5}, "thresh=1.5: expected 0 or more and at most 1"),
        ({"nms": -1}, "nms=-1: expected 0 or more"),
        ({"nms_kind": "x"}, "nms_kind=x: expected one of sort, "),
        ({"batch": 0}, "batch=0: expected 1 or more"),
        ({"names": ["one"]}, "names: 1 were given, and the network knows 2 classes"),
    ],
)
def test_wrong_arguments(net: Network, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DarknetError, match=message):
        darknet_py.detect(net, np.zeros((8, 16, 3), np.float32), **options)


def test_no_detector() -> None:
    net = make_network("[net]\nwidth=8\nheight=8\nchannels=3\n[avgpool]\n[softmax]\n")
    with pytest.raises(ShapeError, match="finds no boxes"):
        darknet_py.detect(net, np.zeros((8, 8, 3), np.float32))
    with pytest.raises(TypeError, match="expected a network"):
        darknet_py.detect("tiny.cfg", [])  # type: ignore[arg-type]
