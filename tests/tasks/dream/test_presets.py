"""Presets find their layers and sizes in any network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import DreamError
from darknet_py.network import Network
from darknet_py.network.targets import StandOut
from darknet_py.tasks.dream.presets import PRESETS, Anatomy, anatomy, choices_of, options_of
from darknet_py.tasks.dream.step import Scene
from darknet_py.tasks.nightmare import Finished, nightmare, octaves_that_fit
from tests.support.dreams import CFG, make_network, make_picture

ROOT = Path(__file__).parents[3]
CONVOLUTION = "[convolutional]\nfilters=8\nsize=3\npad=1\nactivation=leaky\n"


def on_paper(name: str) -> Network:
    return Network.from_cfg(ROOT / f"cfg/{name}.cfg", "cpu")


@pytest.mark.parametrize(
    ("name", "fine", "deep", "jump"),
    [
        ("tiny", 12, 15, 16),
        ("vgg-conv", 12, 14, 16),
        ("vgg-16", 13, 15, 16),
        ("alexnet", 2, 4, 16),
        ("darknet19", 16, 18, 32),
        ("resnet18", 19, 20, 32),
        ("cifar", 7, 10, 4),
        ("cifar_res", 6, 8, 4),
        ("mnist", 1, 3, 4),
    ],
)
def test_where_things_are(name: str, fine: int, deep: int, jump: int) -> None:
    assert anatomy(on_paper(name)) == Anatomy(fine, deep, jump)


def test_layers_of_each() -> None:
    drawn = {
        name: [[layer for layer, _ in choice] for choice in choices_of(on_paper("tiny"), preset)]
        for name, preset in PRESETS.items()
    }
    assert drawn == {
        "creatures": [[12], [15], [15]],
        "eyes": [[12], [13], [14]],
        "ornament": [[12]],
        "class": [],
        "zoom": [[12], [15]],
    }
    (creatures,) = choices_of(on_paper("cifar_res"), PRESETS["creatures"])
    assert creatures == [(8, 1.0)]


def test_octaves_by_the_pictures_size() -> None:
    """The smallest is about as large as what the deepest maps were made to see, whatever the
    picture."""
    net, preset = on_paper("tiny"), PRESETS["eyes"]
    sizes = {side: options_of(net, preset, 2 * side, side).octaves for side in (50, 240, 800, 4000)}
    assert sizes == {50: 1, 240: 4, 800: 7, 4000: 12}
    for side, octaves in sizes.items():
        if side > 80:
            assert 80 <= side / 1.4 ** (octaves - 1) < 80 * 1.4
    assert options_of(on_paper("cifar_res"), preset, 448, 320).octaves == 7


def test_networks_of_thumbnails_draw_without_a_pyramid() -> None:
    deep, shallow = (
        options_of(on_paper(name), PRESETS["creatures"], 300, 300) for name in ("tiny", "cifar_res")
    )
    assert (deep.laplacian, shallow.laplacian) == (2, 0)
    assert replace(shallow, laplacian=2, iters=20, octaves=deep.octaves) == deep


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "class"])
@pytest.mark.parametrize("cfg", ["cifar_small", "mnist", "resnet18"])
def test_all_of_them_dream_with_any_network(name: str, cfg: str) -> None:
    net, preset = on_paper(cfg), PRESETS[name]
    choices = choices_of(net, preset)
    options = replace(options_of(net, preset, 64, 56), rounds=1, iters=1)
    net = net.truncated(max(layer for ((layer, _),) in choices))
    net.initialise(0)
    picture = make_picture(56, 64)[:, :, : net.in_shape.c]
    options = replace(options, octaves=octaves_that_fit(net, 64, 56, options))
    targets = [[StandOut(layer)] for ((layer, _),) in choices]
    *_, end = nightmare(net, Scene(picture), targets, options)
    assert isinstance(end, Finished)
    assert np.isfinite(end.picture).all()
    assert np.abs(end.picture - picture).max() > 1e-3


def test_odd_networks() -> None:
    one = make_network(f"[net]\nheight=8\nwidth=8\nchannels=3\n{CONVOLUTION}")
    assert anatomy(one) == Anatomy(0, 0, 1)
    assert choices_of(one, PRESETS["eyes"]) == [[(0, 1.0)]] * 3
    # what is as wide as there are classes is no map of classes without a softmax
    plain = make_network(CFG.split("[dropout]")[0])
    assert anatomy(plain) == anatomy(make_network()) == Anatomy(2, 4, 4)
    none = make_network("[net]\nheight=8\nwidth=8\nchannels=3\n[connected]\noutput=2\n[softmax]\n")
    with pytest.raises(DreamError) as caught:
        anatomy(none)
    assert str(caught.value) == ("net.cfg: no layer of it dreams: expected a convolutional network")
