from __future__ import annotations

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import ShapeError
from darknet_py.network import Network
from darknet_py.network.derived import averages, backbone_end, head
from tests.support.networks import (
    CONV,
    CPU,
    FRONT,
    HEAD,
    LAYERS,
    POINT,
    SMALL,
    make_network,
    pictures,
    truths,
    values,
)


def test_pictures_of_other_sizes_are_predicted_by_a_resized_network() -> None:
    network = make_network(SMALL + LAYERS)
    larger = network.resized(w=11, h=9)
    assert larger.in_shape == (9, 11, 2)
    assert network.in_shape == (6, 8, 2)
    x = pictures(larger, 3)
    np.testing.assert_array_equal(network.predict(x), larger.predict(x))
    assert network.activations(x)[0].shape == (3, 4, 9, 11)
    assert network.image_delta(x[0], 0, 0).shape == (2, 9, 11)
    with pytest.raises(ShapeError):
        larger.train_step(pictures(network, 1), truths(network))


def test_a_resized_network_computes_what_a_cfg_of_that_size_does() -> None:
    network = make_network(SMALL + LAYERS)
    other = make_network(SMALL.replace("6", "9").replace("8", "11") + LAYERS, seed=5)
    for theirs, own in zip(other.parameters(), network.parameters(), strict=True):
        theirs.value = own.value
    x = pictures(other, 2)
    np.testing.assert_array_equal(network.predict(x), other.predict(x))


def test_resized_networks_share_parameters() -> None:
    network = make_network(SMALL + "learning_rate=1\n" + LAYERS)
    larger = network.resized(w=11, h=9)
    for own, theirs in zip(network.parameters(), larger.parameters(), strict=True):
        assert own.value is theirs.value
    before = values(network)
    larger.train_step(pictures(larger), truths(larger))
    for own, theirs, old in zip(network.parameters(), larger.parameters(), before, strict=True):
        assert own.value is theirs.value
        assert not np.array_equal(own.value, old)


def test_a_resized_network_is_let_go() -> None:
    network = make_network(SMALL + LAYERS)
    gone = weakref.ref(network.resized(w=11, h=9))
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ("[convolutional]\nfilters=2\n[connected]\noutput=3\n", "layer 1 [connected]"),
        ("[local]\nfilters=2\nsize=3\n", "layer 0 [local]"),
    ],
)
@pytest.mark.parametrize(("w", "h"), [(9, 7), (6, 8), (16, 3), (4, 12)])
def test_weights_that_depend_on_the_size_are_named(layers: str, named: str, w: int, h: int) -> None:
    network = make_network(SMALL + layers)
    with pytest.raises(ShapeError) as caught:
        network.predict(np.zeros((1, 2, h, w), np.float32))
    message = str(caught.value)
    assert message.startswith(f"my.cfg: {named} only takes a map of 8 x 6 x 2, and a picture of")
    assert f"a picture of {w} x {h} gives {w} x {h} x 2" in message


def test_a_picture_that_is_too_small_is_named() -> None:
    network = make_network(SMALL + "[convolutional]\nsize=5\n")
    with pytest.raises(ShapeError) as caught:
        network.predict(np.zeros((1, 2, 4, 9), np.float32))
    assert str(caught.value) == (
        "my.cfg:5: [convolutional] a 9 x 4 x 2 input gives a 5 x 0 x 1 output: expected at least "
        "1 x 1 x 1 (with a picture of 9 x 4)"
    )


def test_up_to_a_layer(tmp_path: Path) -> None:
    """What comes after needs no memory, and does not mind the picture's size."""
    text = SMALL + LAYERS.replace("[avgpool]", "[connected]\noutput=3\n")
    whole, path = make_network(text), tmp_path / "some.weights"
    whole.save_weights(path)
    net = Network(parse_sections(text, "my.cfg"), "my.cfg", CPU)
    part = net.truncated(2)
    part.load_weights(path)
    assert [layer.kind for layer in part.layers] == ["convolutional", "maxpool", "convolutional"]
    assert all(p.value is None for p in net.layers[3].parameters())
    x = pictures(whole, 1)
    np.testing.assert_array_equal(part.image_delta(x, 2, 0.5), whole.image_delta(x, 2, 0.5))
    large = np.random.default_rng(0).random((1, 2, 20, 33), np.float32)
    assert part.image_delta(large, 2, 0.5).shape == large.shape
    with pytest.raises(ShapeError):
        whole.image_delta(large, 2, 0.5)


def test_up_to_no_layer() -> None:
    with pytest.raises(ShapeError) as caught:
        make_network(SMALL + LAYERS).truncated(5)
    assert str(caught.value) == "my.cfg: there is no layer 5: expected 0 to 4"


# The head

NET = "[net]\nmean=.4\nstd=.3\nbatch=4\nwidth=8\nheight=8\nchannels=3\nlearning_rate=.1\n"
FROZEN = FRONT + "stopbackward=1\n"


def features(net: Network, last: int, x: np.ndarray) -> np.ndarray:
    found = net.output(x, last)
    return found.mean(axis=(2, 3)) if averages(net.layers, last) else found


RESTS = [
    HEAD,
    HEAD.replace("linear", "leaky"),
    CONV.format(6) + "[shortcut]\nfrom=-2\n" + HEAD,
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n",
]


@pytest.mark.parametrize("rest", RESTS)
def test_backbone_and_head_predict_what_the_whole_does(rest: str) -> None:
    net = make_network(NET + FROZEN + rest)
    x = np.random.default_rng(0).random((5, 3, 8, 8), np.float32)
    found = head(net, 2).predict(features(net, 2, x))
    np.testing.assert_allclose(found, net.predict(x), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("rest", RESTS)
def test_the_head_learns_what_the_whole_would(rest: str) -> None:
    whole, split = make_network(NET + FROZEN + rest), make_network(NET + FROZEN + rest)
    before = [parameter.value.copy() for parameter in whole.parameters()]
    part = head(split, 2)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.random((4, 3, 8, 8), np.float32)
        y = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 4)]
        loss = whole.train_step(x, y)
        assert part.train_step(features(split, 2, x), y) == pytest.approx(loss, rel=1e-4)
    split.changed()
    assert (part.seen, split.seen) == (whole.seen, 0)
    for index, (layer, other) in enumerate(zip(whole.layers, split.layers, strict=True)):
        for one, two in zip(layer.parameters(), other.parameters(), strict=True):
            start = before.pop(0)
            np.testing.assert_allclose(two.value, one.value, rtol=1e-4, atol=1e-5)
            # a frozen layer is equal byte for byte, and what learns has learned
            assert (one.value.tobytes() == start.tobytes()) is (index <= 2)
            assert (two.value.tobytes() == start.tobytes()) is (index <= 2)
    x = rng.random((2, 3, 8, 8), np.float32)
    np.testing.assert_allclose(split.predict(x), whole.predict(x), rtol=1e-3, atol=1e-4)


# The next size that fits

MEETING = (
    "[net]\nheight=32\nwidth=32\nchannels=2\n"
    "[convolutional]\nfilters=4\nsize=3\nstride=2\npad=1\n"
    "[convolutional]\nfilters=4\nsize=3\nstride=2\npad=1\n"
    "[convolutional]\nfilters=4\nsize=3\nstride=2\npad=1\n"
    "[upsample]\n[upsample]\n[route]\nlayers=-1,0\n"
)


@pytest.mark.parametrize(
    ("wished", "expected"),
    [((32, 32), (32, 32)), ((33, 64), (39, 64)), ((57, 25), (63, 31)), ((1, 1), (7, 7))],
)
def test_the_next_size_at_which_maps_meet(
    wished: tuple[int, int], expected: tuple[int, int]
) -> None:
    """Each side by itself: no smaller one would do."""
    net = make_network(MEETING)
    assert net.next_size(*wished) == expected
    w, h = expected
    net.resized(w, h)
    for smaller in [(k, h) for k in range(wished[0], w)] + [(w, k) for k in range(wished[1], h)]:
        with pytest.raises(ShapeError):
            net.resized(*smaller)


def test_sizes_smaller_than_a_window() -> None:
    net = make_network(
        "[net]\nheight=40\nwidth=40\nchannels=1\n[convolutional]\nsize=21\n[avgpool]\n"
    )
    assert net.next_size(3, 30) == (21, 30)
    assert net.next_size(21, 1) == (21, 21)


def test_a_network_of_one_size_has_no_next_one() -> None:
    net = make_network(
        "[net]\nheight=9\nwidth=8\nchannels=1\n[maxpool]\nstride=2\n[connected]\noutput=3\n"
    )
    assert net.next_size(8, 9) == (8, 9)
    assert net.next_size(7, 9) == (7, 9), "pooling makes the same map of it"
    assert net.next_size(5, 9) == (7, 9)
    with pytest.raises(ShapeError, match="only takes a map of 4 x 5 x 1, and a picture of 10 x 9"):
        net.next_size(10, 9)


def test_part_of_a_network_takes_more_sizes() -> None:
    net = make_network(MEETING)
    assert net.next_size(33, 33) == (39, 39)
    assert net.truncated(4).next_size(33, 33) == (33, 33)
    assert net.next_size(33, 33) == (39, 39)


# Where a backbone ends, and whether means are enough behind it


@pytest.mark.parametrize(
    ("layers", "end"),
    [
        (FROZEN + HEAD, 2),
        (FRONT + HEAD, -1),
        # what draws at random in training belongs to the head, and what is frozen does not draw
        (FROZEN + "[dropout]\n" + HEAD, 2),
        ("[dropout]\n" + FROZEN + HEAD, 3),
        # the head may read the backbone's end alone
        (FROZEN + CONV.format(6) + "[shortcut]\nfrom=-2\n" + HEAD, 2),
        (FROZEN + "[route]\nlayers=1\n" + HEAD, 3),
        (FROZEN + CONV.format(6) + "[route]\nlayers=-1,1\n" + HEAD, 1),
        (FROZEN + "[maxpool]\nsize=2\nstride=2\n" + HEAD, 3),
    ],
)
def test_where_the_backbone_ends(layers: str, end: int) -> None:
    assert backbone_end(make_network(NET + layers).layers) == end


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (HEAD, True),
        ("[avgpool]\n" + POINT + "[softmax]\n", True),
        (HEAD.replace("linear", "leaky"), False),
        (HEAD.replace("size=1", "size=1\nstride=2"), False),
        (HEAD.replace("size=1", "size=1\npadding=1"), False),
        (HEAD.replace("size=1", "size=1\nbatch_normalize=1"), False),
        (HEAD.replace("size=1", "size=3\npad=1"), False),
        (POINT + "[softmax]\n", False),
        (POINT + "[avgpool]\n[route]\nlayers=-2\n[softmax]\n", False),
        (POINT + "[avgpool]\n[route]\nlayers=-3\n[softmax]\n", False),
    ],
)
def test_when_means_are_enough(rest: str, expected: bool) -> None:
    assert averages(make_network(NET + FROZEN + rest).layers, 2) is expected
