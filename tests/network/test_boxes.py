"""Boxes of detectors, and which of them stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import darknet_py
from darknet_py.errors import DarknetError, ShapeError
from darknet_py.images.boxes import KINDS, suppress
from tests.support.golden import golden_names, golden_network, load_golden
from tests.support.networks import make_network, pictures

WITH_BOXES = [name for name in golden_names("detect") if "boxes_raw" in load_golden("detect", name)]


def largest_error(found: np.ndarray, expected: np.ndarray, in_pixels: np.ndarray | None) -> float:
    """Of boxes relative to the picture, or in its pixels."""
    assert found.shape == expected.shape
    error = np.abs(found - expected)
    if in_pixels is not None:
        error[:, :4] /= np.array([*in_pixels, *in_pixels])
    return float(error.max())


@pytest.mark.parametrize("name", WITH_BOXES)
def test_boxes_are_the_c_programs(name: str, tmp_path: Path) -> None:
    figure = load_golden("detect", name)
    net = golden_network(figure, tmp_path)
    assert net.settings.rules.program == str(figure["program"])
    picture = tuple(figure["picture"].tolist())
    thresh, nms = float(figure["thresh"]), float(figure["nms"])
    boxes = net.boxes(figure["x"], thresh, picture, bool(figure["letter_box"]))
    in_pixels = figure["picture"] if net.layers[-1].kind == "detection" else None
    assert largest_error(boxes, figure["boxes_raw"], in_pixels) < 1e-4
    kinds = [kind for kind in KINDS if f"boxes_nms_{kind}" in figure]
    assert len(kinds) >= 2
    for kind in kinds:
        beta = getattr(net.layers[-1], "beta_nms", 0.6)
        found = darknet_py.suppress(boxes, kind, nms, beta)
        assert largest_error(found, figure[f"boxes_nms_{kind}"], in_pixels) < 1e-4
        assert ((found == 0) == (figure[f"boxes_nms_{kind}"] == 0)).all()


def reference(boxes: np.ndarray, kind: str, limit: float, beta: float) -> np.ndarray:
    """Box by box, in float64."""
    found = boxes.copy()
    columns = [4] if kind == "obj" else list(range(5, boxes.shape[1]))
    for column in columns:
        takes = [
            i
            for i in range(len(boxes))
            if boxes[i, 4] != 0 and (kind == "obj" or boxes[i, column] > 0)
        ]
        takes.sort(key=lambda i: -boxes[i, column])
        for place, one in enumerate(takes):
            if found[one, column] == 0:
                continue
            for other in takes[place + 1 :]:
                if overlap(boxes[one], boxes[other], kind, beta) > limit:
                    found[other, 4 if kind == "obj" else column] = 0
                    if kind == "obj":
                        found[other, 4:] = 0
    return found


def overlap(one: np.ndarray, other: np.ndarray, kind: str, beta: float) -> float:
    (ax, ay, aw, ah), (bx, by, bw, bh) = one[:4].tolist(), other[:4].tolist()
    w = min(ax + aw / 2, bx + bw / 2) - max(ax - aw / 2, bx - bw / 2)
    h = min(ay + ah / 2, by + bh / 2) - max(ay - ah / 2, by - bh / 2)
    both = w * h if w > 0 and h > 0 else 0
    iou = both / (aw * ah + bw * bh - both) if both else 0
    if kind not in ("greedynms", "diounms"):
        return float(iou)
    wide = max(ax + aw / 2, bx + bw / 2) - min(ax - aw / 2, bx - bw / 2)
    high = max(ay + ah / 2, by + bh / 2) - min(ay - ah / 2, by - bh / 2)
    far, across = (ax - bx) ** 2 + (ay - by) ** 2, wide**2 + high**2
    exponent = 0.6 if kind == "greedynms" else beta
    return float(iou - (far / across) ** exponent) if across else float(iou)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(8))
def test_suppression_is_that_of_a_plain_loop(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, classes = int(rng.integers(0, 40)), int(rng.integers(1, 4))
    boxes = rng.random((n, 5 + classes)) * [1, 1, 0.6, 0.6, *[1] * (1 + classes)]
    boxes[:, 4:] = np.round(boxes[:, 4:], 1)  # equal ones, and zeros
    boxes[:, 4] *= rng.random(n) < 0.8
    before = boxes.copy()
    found = suppress(boxes, kind, 0.3, 0.8)
    np.testing.assert_array_equal(boxes, before)
    np.testing.assert_array_equal(found, reference(boxes, kind, 0.3, 0.8))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e-45])
def test_numbers_that_are_none_or_huge(kind: str, value: float) -> None:
    """No warning, which would be an error here, and what is sound is suppressed as ever."""
    good = np.array([[0.5, 0.5, 0.2, 0.2, 1, 0.9], [0.5, 0.5, 0.2, 0.2, 1, 0.8]], np.float32)
    for column in range(6):
        bad = good[:1].copy()
        bad[0, column] = value
        found = suppress(np.concatenate([good, bad]), kind, 0.45)
        assert found.shape == (3, 6)
        if column < 4:
            assert (found[0, 5] > 0) or (found[2, 5] > 0)


def test_ten_thousand_boxes() -> None:
    rng = np.random.default_rng(0)
    boxes = rng.random((10_000, 85)).astype(np.float32)
    boxes[:, 2:4] *= 0.05
    boxes[:, 5:] *= rng.random((10_000, 80)) < 0.02
    found = suppress(boxes, "sort", 0.45)
    assert 0 < np.count_nonzero(found[:, 5:]) < np.count_nonzero(boxes[:, 5:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 6)), "best", 0.4), "kind=best: expected one of sort, obj, "),
        ((np.zeros((2, 6)), "sort", np.nan), "threshold=nan: expected a finite number"),
        (
            (np.zeros((2, 4)), "sort", 0.4),
            r"of floats, found float64 \(2, 4\)",
        ),
        ((np.zeros(6), "sort", 0.4), r"of floats, found float64 \(6,\)"),
    ],
)
def test_wrong_arguments(arguments: tuple[np.ndarray, str, float], message: str) -> None:
    with pytest.raises(DarknetError, match=message):
        suppress(*arguments)


HEAD = "[net]\nwidth=12\nheight=8\nchannels=3\n[convolutional]\nfilters=14\nactivation=linear\n"


@pytest.mark.parametrize("kind", ["yolo", "region"])
@pytest.mark.parametrize("scale", [0, 1, 1e30])
def test_heads_of_any_numbers(kind: str, scale: float) -> None:
    net = make_network(HEAD + f"[{kind}]\nnum=2\nclasses=2\n")
    for parameter in net.parameters():
        parameter.value = np.full(parameter.shape, scale, np.float32)
    boxes = net.boxes(pictures(net, 1), 0.1, (40, 30))
    assert boxes.shape == (len(boxes), 7)


def test_letterbox_or_not() -> None:
    net = make_network(HEAD + "[yolo]\nnum=2\nclasses=2\n")
    x = pictures(net, 1)
    whole, boxed = net.boxes(x, 0, (24, 16)), net.boxes(x, 0, (40, 16))
    np.testing.assert_array_equal(whole, net.boxes(x, 0, (12, 8)))
    np.testing.assert_allclose(boxed[:, 0], whole[:, 0])  # grey above and below: 4 of 8 rows
    np.testing.assert_allclose(boxed[:, 1], (whole[:, 1] - 0.25) / 0.5, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(boxed[:, 3], whole[:, 3] * 2)
    by_other = make_network(HEAD + "[yolo]\nnum=2\nclasses=2\nscale_x_y=1\n")
    assert by_other.settings.rules.is_alexeyab
    found = by_other.boxes(x, 0, (40, 16))
    np.testing.assert_array_equal(found, by_other.boxes(x, 0, (12, 8)))
    assert not np.array_equal(found, by_other.boxes(x, 0, (40, 16), letter_box=True))


def test_what_has_no_boxes() -> None:
    net = make_network("[net]\nwidth=8\nheight=8\nchannels=3\n[avgpool]\n[softmax]\n")
    with pytest.raises(ShapeError, match=r"finds no boxes: expected a .yolo., .region. or"):
        net.boxes(pictures(net, 1), 0.5)
    net = make_network(HEAD + "[yolo]\nnum=2\nclasses=2\n")
    with pytest.raises(ShapeError, match=r"expected one picture \(1, c, h, w\), found \(2, "):
        net.boxes(pictures(net, 2), 0.5)
