from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import darknet_py
from darknet_py.errors import NotFiniteError, PictureError
from darknet_py.images import load_with_fitted
from darknet_py.network import Network
from darknet_py.ops import notices
from darknet_py.tasks.classify import Classified, Refused, best_fit, classify_pictures
from darknet_py.tasks.pictures import load_input
from tests.support.golden import golden_network, load_golden


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return golden_network(load_golden("forward", "tiny_like"), tmp_path)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for path, w in zip(paths, (50, 50, 70, 50, 50), strict=True):
        Image.fromarray(rng.integers(0, 256, (40, w, 3), np.uint8)).save(path)
    return paths


def test_is_predict_sorted_with_names(net: Network, pictures: list[Path]) -> None:
    names = [f"name {i}" for i in range(10)]
    ((best, second),) = darknet_py.classify(net, [pictures[0]], top=2, names=names)
    x = load_with_fitted(pictures[0], 48, 36, "min")[1].transpose(2, 0, 1)[None]
    probabilities = net.predict(x)[0]
    order = np.argsort(-probabilities)
    assert best == (order[0], names[order[0]], probabilities[order[0]])
    assert second == (order[1], names[order[1]], probabilities[order[1]])
    assert sum(p for _, _, p in darknet_py.classify(net, [pictures[0]], top=10)[0]) == (
        pytest.approx(1, abs=1e-5)
    )


def test_neighbours_of_one_size_go_together(
    net: Network, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    predict = Network.predict

    def counted(self: Network, x: np.ndarray) -> np.ndarray:
        sizes.append(len(x))
        return predict(self, x)

    monkeypatch.setattr(Network, "predict", counted)
    results = list(classify_pictures(net, pictures, batch=2))
    assert sizes == [2, 1, 2]
    assert [result.path for result in results] == pictures


def test_pictures_are_decoded_ahead_and_stay_in_order(
    net: Network, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is only ready when another is."""
    others = threading.Event()

    def slow(net: Network, given: Path, *more: Any) -> np.ndarray:
        if given == pictures[0]:
            assert others.wait(10)
        else:
            others.set()
        return load_input(net, given, *more)

    monkeypatch.setattr("darknet_py.tasks.pictures.decoding_threads", lambda: 2)
    monkeypatch.setattr("darknet_py.tasks.classify.load_input", slow)
    assert [result.path for result in classify_pictures(net, pictures)] == pictures


def test_what_is_named_one_by_one_is_answered_one_by_one(
    net: Network, pictures: list[Path]
) -> None:
    """As where somebody types names, and reads each answer first."""
    named: list[Path] = []

    def names() -> Iterator[Path]:
        for path in pictures:
            named.append(path)
            yield path

    for number, result in enumerate(classify_pictures(net, names()), start=1):
        assert result.path == pictures[number - 1]
        assert len(named) == number


def test_a_refused_picture_keeps_its_place(net: Network, pictures: list[Path]) -> None:
    pictures[1].write_bytes(b"")
    results = list(classify_pictures(net, pictures, batch=3))
    assert [result.path for result in results] == pictures
    assert [type(result) for result in results] == [Classified, Refused] + [Classified] * 3
    with pytest.raises(PictureError, match=r"1\.png"):
        darknet_py.classify(net, pictures)


def test_the_best_fit_depends_on_whether_the_network_can_grow(net: Network, tmp_path: Path) -> None:
    assert best_fit(net) == "min"
    assert best_fit(golden_network(load_golden("forward", "connected"), tmp_path)) == "crop"


def test_names_must_suffice(net: Network, pictures: list[Path]) -> None:
    with pytest.raises(darknet_py.DarknetError, match="2 were given, and the network knows 10"):
        darknet_py.classify(net, pictures[:1], names=["a", "b"])


def test_pictures_of_all_kinds(net: Network, pictures: list[Path]) -> None:
    path = pictures[0]
    (expected,) = darknet_py.classify(net, [path])
    with Image.open(path) as picture:
        picture.load()
    array = np.asarray(picture)
    for one in (path, str(path), picture, array, array / np.float32(255)):
        assert darknet_py.classify(net, one) == [expected]
        assert darknet_py.classify(net, [one, path]) == [expected, expected]
    assert darknet_py.classify(net, np.stack([array, array]), batch=2)[1][0].index == (
        expected[0].index
    )
    with pytest.raises(PictureError, match=r"^picture 2: an array of floats from 0"):
        darknet_py.classify(net, [array, array.astype(np.float32)])
    (found,) = darknet_py.explain(net, array, [3])
    assert found.picture.path == Path("picture 1")


def test_an_answer_that_is_no_number_is_refused(net: Network, pictures: list[Path]) -> None:
    net.layers[0].parameters()[0].value[0] = np.nan
    net.changed()
    with pytest.raises(NotFiniteError, match=r"layer 0 \[convolutional\] has weights that are not"):
        darknet_py.classify(net, pictures[0])
    found = list(classify_pictures(net, pictures, batch=3))
    assert all(isinstance(each, Refused) for each in found)
    with pytest.raises(NotFiniteError):
        darknet_py.explain(net, pictures[0], [1])


def test_compiling_is_no_part_of_the_time(
    net: Network, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = Network.predict

    def slow(self: Network, x: np.ndarray) -> np.ndarray:
        with notices.compiling(is_kept=True):
            time.sleep(0.5)
        return predict(self, x)

    darknet_py.classify(net, pictures[0])
    monkeypatch.setattr(Network, "predict", slow)
    (found,) = classify_pictures(net, pictures[0])
    assert isinstance(found, Classified)
    assert 0 < found.seconds < 0.4
