from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from darknet_py.network import Network
from darknet_py.network.split import averages, front_end, rear

Build = Callable[[str], Network]

NET = "[net]\nmean=.4\nstd=.3\nbatch=4\nwidth=8\nheight=8\nchannels=3\nlearning_rate=.1\n"
CONV = "[convolutional]\nfilters={}\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
FRONT = CONV.format(4) + "[maxpool]\nsize=2\nstride=2\n" + CONV.format(6)
FROZEN = FRONT + "stopbackward=1\n"
POINT = "[convolutional]\nfilters=3\nsize=1\nactivation=linear\n"
HEAD = POINT + "[avgpool]\n[softmax]\n[cost]\n"


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def build(layers: str) -> Network:
        path = tmp_path / "split.cfg"
        path.write_text(NET + layers)
        net = Network.from_cfg(path, "cpu")
        net.initialise(1)
        rng = np.random.default_rng(2)
        for parameter in net.parameters():
            if parameter.name.startswith("rolling"):
                parameter.value[:] = rng.uniform(0.5, 1.5, parameter.shape)
        return net

    return build


@pytest.mark.parametrize(
    ("layers", "end"),
    [
        (FROZEN + HEAD, 2),
        (FRONT + HEAD, -1),
        # what draws at random in training belongs to the rear, and what is frozen does not draw
        (FROZEN + "[dropout]\n" + HEAD, 2),
        ("[dropout]\n" + FROZEN + HEAD, 3),
        # the rear may read the front's end alone
        (FROZEN + CONV.format(6) + "[shortcut]\nfrom=-2\n" + HEAD, 2),
        (FROZEN + "[route]\nlayers=1\n" + HEAD, 3),
        (FROZEN + CONV.format(6) + "[route]\nlayers=-1,1\n" + HEAD, 1),
        (FROZEN + "[maxpool]\nsize=2\nstride=2\n" + HEAD, 3),
    ],
)
def test_where_the_front_ends(build: Build, layers: str, end: int) -> None:
    assert front_end(build(layers).layers) == end


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
def test_when_means_are_enough(build: Build, rest: str, expected: bool) -> None:
    assert averages(build(FROZEN + rest).layers, 2) is expected


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
def test_front_and_rear_predict_what_the_whole_does(build: Build, rest: str) -> None:
    net = build(FROZEN + rest)
    x = np.random.default_rng(0).random((5, 3, 8, 8), np.float32)
    found = rear(net, 2).predict(features(net, 2, x))
    np.testing.assert_allclose(found, net.predict(x), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("rest", RESTS)
def test_the_rear_learns_what_the_whole_would(build: Build, rest: str) -> None:
    whole, split = build(FROZEN + rest), build(FROZEN + rest)
    before = [parameter.value.copy() for parameter in whole.parameters()]
    part = rear(split, 2)
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
