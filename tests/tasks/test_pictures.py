"""Pictures whose sizes a network does not take as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.network import Network
from darknet_py.network.targets import StandOut
from darknet_py.tasks.classify import classify
from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.sheet import usable_layers
from darknet_py.tasks.dream.step import Scene
from darknet_py.tasks.explain import explain
from darknet_py.tasks.nightmare import Finished, check_sizes, nightmare
from darknet_py.tasks.pictures import load_picture
from tests.support.networks import make_network, random_picture

CFG = (
    "[net]\nheight=16\nwidth=16\nchannels=3\n"
    "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n"
    "[maxpool]\nsize=2\nstride=2\npadding=0\n"
    "[convolutional]\nfilters=4\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
    "[upsample]\nstride=2\n"
    "[route]\nlayers=-1,1\n"
    "[convolutional]\nfilters=3\nactivation=linear\n"
    "[avgpool]\n[softmax]\n"
)
"""As YOLO version 3: maps that are halved and doubled meet those that were not."""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def said(net: Network) -> list[str]:
    lines: list[str] = []
    net.say = lines.append
    return lines


def test_a_picture_is_stretched_to_the_next_size_and_that_is_said_once(photo: Path) -> None:
    net = make_network(CFG)
    lines = said(net)
    # the shorter side 16, the longer 22: the maps would be 11 and 12 wide
    for _ in range(2):
        picture = load_picture(net, photo, "min")
        assert picture.x.shape == (3, 16, 24)
        assert picture.frame == (0, 0, 47, 33)
    (line,) = lines
    assert line.startswith("my.cfg: does not take pictures of every size: they are stretched to")
    # what fits stays as it was, and nothing is said
    lines.clear()
    for fit in ("crop", "letterbox"):
        assert load_picture(net, photo, fit).x.shape == (3, 16, 16)
    assert not lines


def test_what_is_asked_at_its_defaults_is_answered(photo: Path) -> None:
    net = make_network(CFG)
    lines = said(net)
    (predictions,) = classify(net, [photo])
    (found,) = explain(net, photo)
    assert found.probability == pytest.approx(predictions[0].probability, rel=1e-5)
    assert found.heat.shape == (33, 47)
    assert len(lines) == 1


def test_without_a_command_line_python_warns(photo: Path) -> None:
    with pytest.warns(UserWarning, match="they are stretched to the next one that fits"):
        classify(make_network(CFG), [photo])


def test_dreams_on_pictures_of_any_size() -> None:
    net = make_network(CFG)
    picture = random_picture(net)[:, :15, :13].transpose(1, 2, 0).copy()
    options = DreamOptions(iters=6, octaves=3, seed=1)
    lines = said(net)
    check_sizes(net, 13, 15, options)
    (line,) = lines
    assert "it sees this one stretched to the next one that fits, at some scales" in line
    *_, last = nightmare(net, Scene(picture), [[StandOut(5, 0.5)]], options)
    assert isinstance(last, Finished)
    assert last.picture.shape == (15, 13, 3)
    assert np.isfinite(last.picture).all()
    assert not np.array_equal(last.picture, picture)
    assert {3, 4, 5} <= set(usable_layers(net, 13, 15))
