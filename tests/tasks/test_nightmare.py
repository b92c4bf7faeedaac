from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

import darknet_py
from darknet_py.errors import DreamError, ShapeError
from darknet_py.images import crop_image, load_image, resize_image, rotate_image
from darknet_py.network import Network
from darknet_py.network.targets import StandOut, Target
from darknet_py.tasks.dream.options import DreamOptions
from darknet_py.tasks.dream.step import Image, Scene
from darknet_py.tasks.nightmare import Finished, Stepped, check_sizes, nightmare, reconstruct
from tests.support.dreams import CFG, make_network, make_picture

ROOT = Path(__file__).parents[2]
CHOICES: list[list[Target]] = [[StandOut(3)], [StandOut(4)]]


def rounds(
    options: DreamOptions, scene: Scene | None = None, network: Network | None = None
) -> list[Image]:
    scene = scene or Scene(make_picture())
    events = nightmare(network or make_network().truncated(4), scene, CHOICES, options)
    return [event.picture for event in events if isinstance(event, Finished)]


def strength(network: Network, picture: np.ndarray, layer: int) -> float:
    """The mean of what stands out of a layer."""
    (y,) = network.outputs_of(np.ascontiguousarray(picture.transpose(2, 0, 1))[None], [layer])
    return float(y[y > y.mean() + y.std()].mean())


def test_events() -> None:
    options = DreamOptions(rounds=2, iters=3)
    events = list(nightmare(make_network().truncated(4), Scene(make_picture()), CHOICES, options))
    steps = [Stepped(number, i) for number in range(2) for i in range(3)]
    assert [e for e in events if isinstance(e, Stepped)] == steps
    assert [isinstance(e, Finished) for e in events] == [False, False, False, True] * 2
    for event in events:
        if isinstance(event, Finished):
            assert event.picture.shape == (40, 56, 3)
            assert 0 <= event.picture.min() < event.picture.max() <= 1


def test_a_seed_makes_a_dream() -> None:
    one, again, other = (rounds(DreamOptions(seed=seed, iters=4))[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01


def test_later_rounds_go_on() -> None:
    """Without zoom, two rounds of three are one of six."""
    two, one = rounds(DreamOptions(rounds=2, iters=3)), rounds(DreamOptions(iters=6))
    np.testing.assert_array_equal(two[1], one[0])


def test_zoom_and_turn_between_rounds() -> None:
    """The second round's first look, with a rate of 0, is the page's crop and resize."""
    picture = make_picture(50, 70)
    options = DreamOptions(rounds=2, iters=1, rate=0.0, zoom=0.9, rotate=0.1)
    first, second = rounds(options, Scene(picture))
    np.testing.assert_array_equal(first, picture)
    turned = rotate_image(picture, 0.1)
    part = crop_image(turned, int(70 * (1 - 0.9) / 2), int(50 * (1 - 0.9) / 2), 63, 45)
    np.testing.assert_array_equal(second, resize_image(part, 70, 50))


def test_kept_colours_are_zoomed_too() -> None:
    picture = make_picture(50, 70)
    options = DreamOptions(rounds=2, iters=1, rate=0.0, zoom=0.8)
    _, second = rounds(options, Scene(picture, colors_of=picture))
    _, plain = rounds(options, Scene(picture))
    np.testing.assert_allclose(second, plain, atol=1e-6)


@pytest.mark.parametrize("octaves", [1, 4])
def test_what_stands_out_grows_round_by_round(octaves: int) -> None:
    """With the network and the clouds that come with the program."""
    network = darknet_py.load_network(
        ROOT / "cfg/cifar_res.cfg", ROOT / "data/cifar.weights", "cpu"
    )
    picture = load_image(ROOT / "data/clouds.png")[:160, :200]
    options = DreamOptions(rounds=4, iters=5, rate=0.02, octaves=octaves)
    events = nightmare(network, Scene(picture), [[StandOut(8)]], options)
    pictures = [picture, *(e.picture for e in events if isinstance(e, Finished))]
    curve = [strength(network, each, 8) for each in pictures]
    assert all(after > before for before, after in itertools.pairwise(curve))
    assert curve[-1] > 1.5 * curve[0]


def test_a_reconstruction_comes_nearer() -> None:
    network, source = make_network().truncated(4), make_picture(32, 48)
    (wanted,) = network.outputs_of(source.transpose(2, 0, 1)[None], [2])

    def distance(picture: np.ndarray) -> float:
        x = np.ascontiguousarray(picture.transpose(2, 0, 1))[None]
        return float(np.square(network.outputs_of(x, [2])[0] - wanted).mean())

    options = DreamOptions(rounds=4, iters=15, rate=0.02, smooth_rate=0.0)
    found = [e.picture for e in reconstruct(network, source, 2, options) if isinstance(e, Finished)]
    distances = [distance(picture) for picture in found]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.2 * distances[0]
    assert np.abs(found[-1] - source).mean() < np.abs(found[0] - source).mean()


def test_pictures_that_are_too_small() -> None:
    network = make_network(CFG.replace("pad=1", "pad=0")).truncated(4)
    check_sizes(network, 40, 56, DreamOptions(octaves=2))
    with pytest.raises(DreamError) as caught:
        check_sizes(network, 40, 30, DreamOptions(octaves=4))
    message = str(caught.value)
    assert message.startswith(
        "a picture of 40 x 30 is too small for 4 octaves, the smallest of which is 16 x 12: take "
        "-octaves 3 ("
    )
    assert "\n" not in message
    check_sizes(network, 40, 30, DreamOptions(octaves=3))
    with pytest.raises(ShapeError, match="with a picture of 4 x 4"):
        check_sizes(network, 4, 4, DreamOptions())


def test_a_network_that_takes_one_size_takes_one_octave() -> None:
    check_sizes(make_network(), 32, 32, DreamOptions(octaves=1))
    with pytest.raises(DreamError, match=r"take -octaves 1 \(net.cfg: layer 6 \[connected\] only"):
        check_sizes(make_network(), 32, 32, DreamOptions(octaves=2))
