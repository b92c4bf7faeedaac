"""The functions of `darknet_py` with arguments that mean nothing, or not what they seem to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import darknet_py
from darknet_py.errors import ArgumentError, DarknetError
from darknet_py.network import Network
from tests.support.networks import make_network, pictures
from tests.support.noise import draw_noise

TEXT = (
    "[net]\nheight=6\nwidth=8\nchannels=3\n"
    "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
    "[convolutional]\nfilters=3\nactivation=linear\n[avgpool]\n[softmax]\n"
)
NAMES = ["cat", "dog", "owl"]

Node = Callable[[Network, np.ndarray], Any]
"""Of a network and an array (h, w, 3)."""


@pytest.fixture
def net() -> Network:
    return make_network(TEXT)


@pytest.fixture
def picture(net: Network) -> np.ndarray:
    found: np.ndarray = pictures(net, 1)[0].transpose(1, 2, 0)
    return found


NOTHING: list[tuple[Node, str]] = [
    (lambda net, x: darknet_py.classify(net, x, top=0), "top=0: expected 1 or more"),
    (lambda net, x: darknet_py.classify(net, x, top=-1), "top=-1: expected 1 or more"),
    (lambda net, x: darknet_py.classify(net, x, batch=0), "batch=0: expected 1 or more"),
    (lambda net, x: darknet_py.classify(net, x, fit="big"), "fit=big: expected one of min, "),
    (lambda net, x: darknet_py.classify(net, x, names=3), "names: expected a list or a file"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.evaluate(net, "x", top=0), "top=0: expected 1 or more"),
    (lambda net, x: darknet_py.evaluate(net, "x", views=3), "views=3: expected 1 or 10"),
    (lambda net, x: darknet_py.evaluate(net, "x", batch=0), "batch=0: expected 1 or more"),
    (lambda net, x: darknet_py.evaluate(net, "x", labels="y"), "labels=y: expected one of exact"),
    (lambda net, x: darknet_py.evaluate(net, "x", share=2.0), "share=2.0: expected 0 or more and"),
    (lambda net, x: darknet_py.evaluate(net, "x", seed=-1), "seed=-1: expected 0 or more"),
    (
        lambda net, x: darknet_py.classify(net, x, names=[1, 2, 3]),  # type: ignore[list-item]
        "names: expected words, found a int",
    ),
    (lambda net, x: darknet_py.classify(net, np.ma.masked_less(x, 0.5)), "is a masked array"),
    (lambda net, x: darknet_py.classify(net, [np.ma.masked_less(x, 0.5)]), "is a masked array"),
    (lambda net, x: darknet_py.explain(net, np.ma.masked_less(x, 0.5)), "is a masked array"),
    (lambda net, x: darknet_py.explain(net, x, method="x"), "method=x: expected one of gradcam, "),
    (lambda net, x: darknet_py.explain(net, x, top=0), "top=0: expected 1 or more"),
    (
        lambda net, x: darknet_py.explain(net, x, method="integrated", steps=0),
        "steps=0: expected 1 or more",
    ),
    (
        lambda net, x: darknet_py.layer_activations(net, x.transpose(2, 0, 1), top=0),
        "top=0: expected 1 or more",
    ),
    (
        lambda net, x: darknet_py.layer_activations(net, x.tolist()),
        "expected an array of floats, found a list",
    ),
    (darknet_py.layer_activations, r"expected pictures of shape \(n, 3, 8, 3\)"),
    (
        lambda net, x: darknet_py.layer_activations(net, x[None]),
        r"expected a picture of shape \(c, h, w\), found an array of \(1, 6, 8, 3\)",
    ),
    (
        lambda net, x: darknet_py.maximize_activation(net, 0, []),
        "expected at least one channel of layer 0",
    ),
    (
        lambda net, x: darknet_py.maximize_activation(net, 0, [4]),
        "layer 0 has no channel 4: expected 0 to 3",
    ),
    (
        lambda net, x: darknet_py.maximize_activation(net, 0, [0], size=0),
        "takes no picture of 0 x 0",
    ),
]


WRONG_TYPES: list[tuple[Node, str]] = [
    (lambda net, x: darknet_py.classify("tiny.cfg", x), "expected a network, as load_network"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.evaluate("tiny.cfg", "x"), "expected a network"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.explain("tiny.cfg", x), "expected a network"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.layer_activations(None, x), "expected a network"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.maximize_activation(None, 0, [0]), "expected a network"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.classify(net, x, top=2.5), "top: expected a whole number"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.classify(net, x, top="3"), "top: expected a whole number"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.classify(net, x, top=None), "top: expected a whole number"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.classify(net, x, batch=True), "batch: expected a whole number"),
    (lambda net, x: darknet_py.classify(net, x, fit=1), "fit: expected a word"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.evaluate(net, None), "data: expected a path"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.evaluate(net, "x", views="10"), "views: expected a whole"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.evaluate(net, "x", share="a"), "share: expected a number"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.explain(net, x, layer=1.0), "layer: expected a whole number"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.load_network(None), "cfg: expected a path"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.load_network(b"tiny.cfg"), "cfg: expected a path"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.load_network("tiny.cfg", 3), "weights: expected a path"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.load_network("tiny.cfg", device=0), "device: expected text"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.train(None), "data: expected a path"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.train("x", 3), "cfg: expected a path"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.train("x", stop=True), "stop: expected a function"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.finetune("x", "y", None), "weights: expected a path"),  # type: ignore[arg-type]
    (
        lambda net, x: darknet_py.finetune("x", "y", "z", progress=1),  # type: ignore[arg-type]
        "progress: expected a function",
    ),
    (lambda net, x: darknet_py.nightmare(cfg=1), "cfg: expected a path"),  # type: ignore[arg-type]
    (lambda net, x: darknet_py.nightmare(progress="x"), "progress: expected a function"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "message"), WRONG_TYPES)
def test_what_is_of_another_type(
    call: Node, message: str, net: Network, picture: np.ndarray
) -> None:
    """No path of the name "None", no half of a picture, and not what a string's letters are."""
    with pytest.raises(TypeError, match=message):
        call(net, picture)


def test_what_is_out_of_range_is_both_errors(net: Network, picture: np.ndarray) -> None:
    """A program's, as a function's argument is; and one with a line for its user."""
    for error in (DarknetError, ValueError, ArgumentError):
        with pytest.raises(error, match="top=0: expected 1 or more"):
            darknet_py.classify(net, picture, top=0)


def test_names_as_a_list_or_a_file(net: Network, tmp_path: Path) -> None:
    draw_noise(tmp_path / "ds", 2)
    file = tmp_path / "my.names"
    file.write_text("fox\ncat\ndog\n")
    by_list = darknet_py.evaluate(net, tmp_path / "ds", ["fox", "cat", "dog"])
    by_file = darknet_py.evaluate(net, tmp_path / "ds", file)
    assert (by_list.confusion == by_file.confusion).all()
    assert by_list.confusion.sum(axis=1).tolist() == [2, 2, 2]
    with pytest.raises(DarknetError, match=r"'cow', 'cat', 'dog'.*'fox' cannot be matched"):
        darknet_py.evaluate(net, tmp_path / "ds", ["cow", "cat", "dog"])


@pytest.mark.parametrize("several", [{}, {"a": 1}, set(), {"a.png"}, b"a.png", 3, None])
def test_what_is_no_list_of_pictures(net: Network, several: Any) -> None:
    with pytest.raises(DarknetError, match="is no picture: expected a name, a Pillow picture"):
        darknet_py.classify(net, several)
    assert darknet_py.classify(net, []) == []


def test_a_picture_of_32_bits_whose_white_nobody_knows(net: Network, picture: np.ndarray) -> None:
    """As Pillow makes of int32: 255 of 65535 would be black, without a word."""
    grey = np.arange(48, dtype=np.int32).reshape(6, 8) * 5
    with pytest.raises(DarknetError, match="picture 1: a picture of mode I without a value above"):
        darknet_py.classify(net, Image.fromarray(grey))
    (wide,) = darknet_py.classify(net, Image.fromarray(grey * 257), names=NAMES)
    (small,) = darknet_py.classify(net, Image.fromarray(grey.astype(np.uint8)), names=NAMES)
    assert [each.index for each in wide] == [each.index for each in small]
    np.testing.assert_allclose(
        [each.probability for each in wide], [each.probability for each in small], rtol=1e-4
    )


@pytest.mark.parametrize(("call", "message"), NOTHING)
def test_what_means_nothing(call: Node, message: str, net: Network, picture: np.ndarray) -> None:
    with pytest.raises(DarknetError, match=message) as caught:
        call(net, picture)
    assert "\n" not in str(caught.value)


def test_one_class_by_its_name(net: Network, picture: np.ndarray) -> None:
    """A word is no list of letters."""
    (found,) = darknet_py.explain(net, picture, "dog", names=NAMES)
    assert found.index == 1
    with pytest.raises(DarknetError, match="there is no class 'go'"):
        darknet_py.explain(net, picture, "go", names=NAMES)


def test_classes_by_numbers_of_numpy(net: Network, picture: np.ndarray) -> None:
    found = darknet_py.explain(net, picture, list(np.array([2, 0])), names=NAMES)
    assert [each.index for each in found] == [2, 0]
    with pytest.raises(TypeError):
        darknet_py.explain(net, picture, [1.0])  # type: ignore[list-item]


def test_pictures_that_come_with_the_program(
    net: Network, tmp_path: Path, monkeypatch: Any
) -> None:
    """By the names that the command line knows, wherever the program runs."""
    monkeypatch.chdir(tmp_path)
    name = "data/samples/ship.png"
    (by_name,) = darknet_py.classify(net, name, names=NAMES)
    (by_path,) = darknet_py.classify(net, [Path(__file__).parents[2] / name], names=NAMES)
    assert by_name == by_path
    assert darknet_py.explain(net, name, names=NAMES)[0].picture.path == Path(name)
