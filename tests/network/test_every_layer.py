"""Every kind of layer that the README names, trained as users train it, in random settings.

The compiled program against the plain functions in float64; weights and state go to disk and back,
and copies learn on as it does.
"""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from darknet_py.network import Network
from darknet_py.network.state import read_state, save_state
from tests.support.networks import FLOAT64, make_network

ACTIVATIONS = ["leaky", "linear", "logistic", "tanh", "relu", "elu", "selu", "loggy", "hardtan"]
"""Those with no steps, at which rounding would decide."""

Keys = dict[str, object]


class Draw:
    """Choices for one network; `h`, `w`, `c`: of the map that the layer reads."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.h, self.w = (int(self.rng.integers(3, 10)) for _ in range(2))
        self.c = int(self.rng.choice([1, 2, 3, 4, 8, 17]))

    def one(self, *values: object) -> object:
        return values[int(self.rng.integers(len(values)))]

    def number(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    @property
    def activation(self) -> object:
        return self.one(*ACTIVATIONS)

    @property
    def window(self) -> Keys:
        """One that fits into the map."""
        self.h, self.w = max(self.h, 5), max(self.w, 5)
        return {
            "size": self.one(1, 2, 3, 3, 5),
            "stride": self.one(1, 1, 2, 3),
            "pad": self.one(0, 1),
        }


def convolutional(draw: Draw) -> Keys:
    draw.c, groups = int(draw.one(4, 8, 16)), draw.one(1, 1, 2, 4)  # type: ignore[call-overload]
    keys: Keys = {"filters": draw.one(4, 8, 20), "groups": groups, **draw.window}
    keys |= {"xnor": draw.one(0, 0, 1), "binary": draw.one(0, 0, 1)}
    return {**keys, "batch_normalize": draw.one(0, 1), "activation": draw.activation}


def local(draw: Draw) -> Keys:
    return {"filters": draw.number(1, 9), **draw.window, "activation": draw.activation}


def connected(draw: Draw) -> Keys:
    keys: Keys = {"output": draw.number(1, 20), "batch_normalize": draw.one(0, 1)}
    return {**keys, "activation": draw.activation}


def maxpool(draw: Draw) -> Keys:
    return {"size": draw.one(1, 2, 2, 3), "stride": draw.one(1, 2, 2, 3)}


def dropout(draw: Draw) -> Keys:
    return {"probability": draw.one(0.2, 0.5)}


def crop(draw: Draw) -> Keys:
    size: Keys = {"crop_height": draw.number(2, draw.h), "crop_width": draw.number(2, draw.w)}
    return {**size, "flip": draw.one(0, 1), "noadjust": draw.one(0, 1)}


def activation(draw: Draw) -> Keys:
    return {"activation": draw.activation}


def upsample(draw: Draw) -> Keys:
    stride = draw.one(1, 2, 3, -1, -2)
    if stride == -2:
        draw.h, draw.w = 2 * draw.number(1, 4), 2 * draw.number(1, 4)
    return {"stride": stride, "scale": draw.one(1, 0.5)}


def reorg(draw: Draw) -> Keys:
    draw.h, draw.w, draw.c = 2 * draw.number(1, 4), 2 * draw.number(1, 4), 4 * draw.number(1, 3)
    return {"stride": 2, "reverse": draw.one(0, 1)}


def normalization(draw: Draw) -> Keys:
    return {"size": draw.number(1, 6), "alpha": draw.one(1e-4, 0.1), "kappa": draw.one(1, 2)}


def softmax(draw: Draw) -> Keys:
    draw.c = 2 * draw.number(1, 5)
    keys: Keys = {"groups": draw.one(1, 2), "temperature": draw.one(1, 2)}
    return {**keys, "spatial": draw.one(0, 1), "noloss": draw.one(0, 1)}


def cost(draw: Draw) -> Keys:
    return {"type": draw.one("sse", "L1", "smooth", "masked"), "scale": draw.one(1, 0.5)}


def recurrent(draw: Draw) -> Keys:
    return {"output": draw.number(1, 12), "batch_normalize": draw.one(0, 1)}


def rnn(draw: Draw) -> Keys:
    return {**recurrent(draw), "activation": draw.activation, "shortcut": draw.one(0, 1)}


def route(draw: Draw) -> Keys:
    return {"layers": draw.one("-1", "-1,-2", "-2,-1,-2")}


def shortcut(draw: Draw) -> Keys:
    keys: Keys = {"from": draw.one(-1, -2), "activation": draw.activation}
    return {**keys, "alpha": draw.one(1, 0.5), "beta": draw.one(1, 2)}


def nothing(_: Draw) -> Keys:
    return {}


def region(draw: Draw) -> Keys:
    draw.c = 2 * (4 + 1 + 3)
    return {"num": 2, "classes": 3, "softmax": draw.one(0, 1), "background": draw.one(0, 1)}


def yolo(draw: Draw) -> Keys:
    draw.c = 2 * (4 + 1 + 3)
    return {"num": 3, "mask": "0,2", "classes": 3}


KINDS: dict[str, Callable[[Draw], Keys]] = {
    "activation": activation,
    "avgpool": nothing,
    "batchnorm": nothing,
    "connected": connected,
    "convolutional": convolutional,
    "cost": cost,
    "crop": crop,
    "dropout": dropout,
    "gru": recurrent,
    "l2norm": nothing,
    "local": local,
    "logistic": nothing,
    "lstm": recurrent,
    "maxpool": maxpool,
    "normalization": normalization,
    "region": region,
    "reorg": reorg,
    "rnn": rnn,
    "route": route,
    "shortcut": shortcut,
    "softmax": softmax,
    "upsample": upsample,
    "yolo": yolo,
}
"""Keys of a section, at random; they may choose the shape of the layer's input."""


def network_text(kind: str, seed: int) -> str:
    """The layer after two convolutions of one shape, with an end of some kind; or as the end."""
    draw = Draw(seed)
    keys = KINDS[kind](draw)
    net: Keys = {
        "height": draw.h,
        "width": draw.w,
        "channels": draw.one(1, 3),
        "batch": 8,
        "subdivisions": draw.one(1, 2),
        "learning_rate": 0.003,
        "momentum": 0.9,
        "decay": 0.001,
        "optimizer": draw.one("sgd", "sgd", "adam", "rmsprop"),
        "eps": 1e-3,
        "time_steps": draw.one(1, 3) if kind in ("rnn", "gru", "lstm") else 1,
    }
    front: Keys = {"filters": draw.c, "size": 3, "pad": 1, "activation": "tanh"}
    first = {**front, "batch_normalize": draw.one(0, 1)}
    text = section("net", net) + section("convolutional", first)
    text += section("convolutional", {**front, "size": 1}) + section(kind, keys)
    ends = {
        "softmax": section("softmax", {}),
        "logistic": section("logistic", {}),
        "cost": section("cost", {}),
    }
    if kind in ends and (kind != "softmax" or not keys["noloss"]) and draw.one(0, 1):
        return text
    last = section("connected", {"output": 3, "activation": "linear"})
    return text + last + str(draw.one(*ends.values()))


def section(kind: str, keys: Keys) -> str:
    return f"[{kind}]\n" + "".join(f"{key}={value}\n" for key, value in keys.items())


def batches(net: Network, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(5)
    h, w, c = net.in_shape
    rows = net.settings.batch * net.settings.time_steps
    found = []
    for _ in range(count):
        labels = rng.integers(net.outputs, size=rows)
        x = rng.random((rows, c, h, w)).astype(np.float32)
        found.append((x, np.eye(net.outputs, dtype=np.float32)[labels]))
    return found


def test_all_kinds_of_the_readme_are_here() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (listed,) = re.findall(r"^Layers: (.*?)\n\n", readme, re.DOTALL | re.MULTILINE)
    assert sorted(KINDS) == sorted(set(re.findall(r"`\[(\w+)\]`", listed)))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", KINDS)
def test_training(kind: str, seed: int, tmp_path: Path) -> None:
    text = network_text(kind, seed)
    net, exact = make_network(text), make_network(text, FLOAT64)
    for parameter in exact.parameters():
        parameter.value = parameter.value.astype(np.float64)
    start = [parameter.value.copy() for parameter in net.parameters()]
    given = batches(net, 4)
    for x, y in given[:3]:
        net.predict(x)  # what is made of parameters for it is forgotten when they move
        assert net.train_step(x, y) == pytest.approx(exact.train_step(x, y), rel=1e-3), text
    for one, other, old in zip(net.parameters(), exact.parameters(), start, strict=True):
        moved = np.abs(other.value - old).max()
        error = np.abs(one.value - other.value).max()
        assert error <= 0.01 * moved + 3e-5, f"{one.name}: {error} of {moved}\n{text}"
    assert any(
        not np.array_equal(p.value, old) for p, old in zip(net.parameters(), start, strict=True)
    )
    x, y = given[3]
    exact = make_network(text, FLOAT64)
    for one, other in zip(net.parameters(), exact.parameters(), strict=True):
        other.value = one.value.astype(np.float64)
    predicted, last = net.predict(x), net.output_layer
    np.testing.assert_allclose(predicted, exact.predict(x), 1e-3, 1e-4, err_msg=text)
    delta = np.random.default_rng(6).standard_normal(predicted.shape).astype(np.float32)
    (found,), (expected,) = (each.carry_back(x, delta, last, [-1]).deltas for each in (net, exact))
    np.testing.assert_allclose(found, expected, 0, 2e-3 * np.abs(expected).max() + 1e-6)
    net.save_weights(tmp_path / "some.weights")
    save_state(tmp_path / "some.state", net, {})
    again = make_network(text, seed=9)
    again.load_weights(tmp_path / "some.weights")
    np.testing.assert_array_equal(again.predict(x), predicted)
    assert again.seen == net.seen
    again = make_network(text, seed=9)
    read_state(tmp_path / "some.state", again).restore(again)
    twins = [again, copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    loss = net.train_step(x, y)
    for twin in twins:
        assert twin.train_step(x, y) == loss
        for one, two in zip(net.parameters(), twin.parameters(), strict=True):
            np.testing.assert_array_equal(one.value, two.value, one.name)
