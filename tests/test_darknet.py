"""The module that mirrors the C program's python/darknet.py."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import darknet_py
from darknet_py.darknet import Metadata, classify, load_image, load_meta, load_net

ROOT = Path(__file__).parents[1]
SHIP = ROOT / "data/samples/ship.png"


def test_a_script_of_the_c_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # what comes with the program is found from anywhere
    net = load_net(b"cfg/cifar_res.cfg", b"data/cifar.weights", 0)
    meta = load_meta(b"cfg/cifar.data")
    r = classify(net, meta, load_image(os.fsencode(SHIP), 0, 0))
    assert meta.classes == 10
    assert [name for name, _ in r[:1]] == ["ship"]
    assert sorted(name for name, _ in r) == sorted(meta.names)
    assert sum(probability for _, probability in r) == pytest.approx(1)
    (expected,) = darknet_py.classify(net, SHIP, 10, meta.names, fit="letterbox")
    assert r == [(each.name, each.probability) for each in expected]
    assert classify(net, meta, str(SHIP)) == r


def test_clear() -> None:
    cfg, weights = ROOT / "cfg/cifar_res.cfg", ROOT / "data/cifar.weights"
    assert load_net(cfg, weights).seen > 0
    assert load_net(cfg, weights, 1).seen == 0


def test_meta_without_names(tmp_path: Path) -> None:
    (tmp_path / "x.data").write_text("classes = 3\n")
    assert load_meta(tmp_path / "x.data") == Metadata(3, ["0", "1", "2"])


def test_image_of_a_size() -> None:
    assert load_image(SHIP).shape == (128, 128, 3)
    assert load_image(SHIP, 8, 6).shape == (6, 8, 3)
    assert load_image(SHIP).dtype == np.float32


@pytest.mark.parametrize("name", [b"nothing.cfg", "nothing.cfg"])
def test_what_is_not_there(name: str | bytes) -> None:
    with pytest.raises(darknet_py.DarknetError, match=r"nothing\.cfg"):
        load_net(name)


def test_detect(tmp_path: Path) -> None:
    """Centres and sizes, as the C program's python gives them."""
    import darknet_py
    from darknet_py.darknet import detect

    cfg = tmp_path / "my.cfg"
    cfg.write_text(
        "[net]\nwidth=16\nheight=8\nchannels=3\n[convolutional]\nfilters=14\nactivation=linear\n"
        "[yolo]\nnum=2\nclasses=2\nanchors=4,4,8,8\n"
    )
    (tmp_path / "my.names").write_text("cat\ndog\n")
    (tmp_path / "my.data").write_text("classes=2\nnames=my.names\n")
    net, meta = load_net(str(cfg).encode()), load_meta(str(tmp_path / "my.data").encode())
    picture = load_image(b"data/samples/ship.png")
    found = detect(net, meta, picture, thresh=0.1, nms=0.4)
    assert found == detect(net, meta, b"data/samples/ship.png", 0.1, 0.5, 0.4)
    (wanted,) = darknet_py.detect(net, picture, 0.1, 0.4, nms_kind="obj")
    assert len(detect(net, meta, picture, 0.1, nms=0)) > len(found)
    assert wanted
    for (name, probability, (x, y, w, h)), other in zip(found, wanted, strict=True):
        left, top, *size = other.box
        assert (name, probability, [w, h]) == (other.name, other.probability, size)
        assert (x - w / 2, y - h / 2) == pytest.approx((left, top))
