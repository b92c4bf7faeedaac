from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.errors import DarknetError
from darknet_py.images import Dataset, Loader, Order, Views
from darknet_py.network import Network
from darknet_py.network.derived import head
from darknet_py.tasks.data import open_data
from darknet_py.tasks.features import Cached, FeatureSource, Front, cached_features, predictions_of
from darknet_py.tasks.features.cache import Features
from darknet_py.tasks.valid import evaluate, tally
from tests.support.shapes import CFG, draw_shapes

FROZEN = CFG.replace("filters=16\nsize=3", "filters=16\nsize=3\nstopbackward=1").replace(
    "filters=3\nsize=3\npad=1", "filters=3\nsize=1"
)


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    return open_data(draw_shapes(tmp_path / "shapes", 7), share=0).training()


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return new_net(tmp_path)


def new_net(tmp_path: Path, cfg: str = FROZEN, seed: int = 1) -> Network:
    path = tmp_path / "frozen.cfg"
    path.write_text(cfg)
    net = Network.from_cfg(path, "cpu")
    net.initialise(seed)
    return net


def views_of(net: Network, data: Dataset, count: int = 1) -> Views:
    h, w, c = net.in_shape
    augmentation = net.settings.augmentation if count > 1 else None
    return Views(data.paths, w, h, c, count, augmentation)


def run(front: Front, data: Dataset, views: Views, folder: Path) -> tuple[list[Cached], Features]:
    events = []
    growing = cached_features(front, data.paths, views, folder)
    while True:
        try:
            events.append(next(growing))
        except StopIteration as end:
            return events, end.value


def test_they_are_what_the_front_gives(tmp_path: Path, net: Network, data: Dataset) -> None:
    front = Front(net, 1)
    events, features = run(front, data, views_of(net, data), tmp_path / "cache")
    assert (events[0], events[-1]) == (Cached(0, 21, 0), Cached(21, 21, 0))
    ((x, _),) = Loader(data, 16, 16, 1, 21, None).once()
    # of layer 3, a 1x1 convolution before avgpool, means are all that is needed: but for dropout
    assert front.shape == (16, 8, 8)
    np.testing.assert_allclose(features.array[features.rows, 0], net.output(x, 1), rtol=1e-5)


def test_pictures_that_cannot_be_read_have_none_and_others_take_their_turns(
    tmp_path: Path, data: Dataset
) -> None:
    net = new_net(tmp_path, FROZEN.replace("[dropout]\nprobability=.1\n", ""))
    front = Front(net, 1)
    data.paths[3].write_bytes(data.paths[3].read_bytes()[:-40])
    data.paths[4].unlink()
    _, features = run(front, data, views_of(net, data), tmp_path / "cache")
    assert sorted(features.refused) == [3, 4]
    assert np.flatnonzero(features.rows < 0).tolist() == [3, 4]
    there = data.without([3, 4])
    found = tally(there, predictions_of(head(net, 1), features, 5))
    expected = evaluate(net, data)
    np.testing.assert_array_equal(found.confusion, expected.confusion)
    assert len(expected.refused) == 2
    source = FeatureSource(data, features, 21, Order(21, 0, False))
    said = {str(each).split(": ")[0] for each in source.untold()}
    assert said == set(map(str, data.paths[3:5]))
    assert source.untold() == []
    x, truth = next(source.batches())
    rows = {tuple(row.ravel()) for row in features.array[:, 0]}
    assert all(tuple(row.ravel()) in rows for row in x)
    assert truth.argmax(axis=1).tolist() == [label for (label,) in data.labels]


def test_where_most_cannot_be_read_there_are_none(
    tmp_path: Path, net: Network, data: Dataset
) -> None:
    for path in data.paths[:11]:
        path.unlink()
    with pytest.raises(DarknetError, match="11 of 21 pictures cannot be read: is a disk"):
        run(Front(net, 1), data, views_of(net, data), tmp_path / "cache")


def test_means_are_kept_where_they_are_enough(tmp_path: Path, data: Dataset) -> None:
    net = new_net(tmp_path, FROZEN.replace("[dropout]\nprobability=.1\n", ""))
    front = Front(net, 1)
    _, features = run(front, data, views_of(net, data), tmp_path / "cache")
    assert features.array.shape == (21, 1, 16)
    predictions = np.concatenate(list(predictions_of(head(net, 1), features, 5)))
    found, expected = tally(data, [predictions]), evaluate(net, data)
    np.testing.assert_array_equal(found.confusion, expected.confusion)
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)


def test_nothing_is_computed_twice(
    tmp_path: Path, net: Network, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = count_pictures(monkeypatch)
    views, cache = views_of(net, data, 20), tmp_path / "cache"
    for killed_after in (3, 5):
        growing = cached_features(Front(net, 1), data.paths, views, cache)
        for _ in range(killed_after):
            next(growing)
        growing.close()
    events, features = run(Front(net, 1), data, views, cache)
    assert events[0] == Cached(6, 21, 6)
    assert sum(computed) == 21 * 20
    _, whole = run(Front(net, 1), data, views, tmp_path / "other")
    np.testing.assert_array_equal(features.array[features.rows], whole.array[whole.rows])
    computed.clear()
    # other pictures, the same one twice, another order: what is there is used
    shutil.copy(data.paths[0], tmp_path / "copy.png")
    more = Dataset(data.names, [*reversed(data.paths), tmp_path / "copy.png"], [(0,)] * 22)
    events, _ = run(Front(net, 1), more, views, cache)
    assert (events, computed) == ([Cached(21, 21, 21)], [])


def count_pictures(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    computed: list[int] = []
    plain = Front.__call__

    def counting(self: Front, x: np.ndarray) -> np.ndarray:
        computed.append(len(x))
        return plain(self, x)

    monkeypatch.setattr(Front, "__call__", counting)
    return computed


def changes(tmp_path: Path) -> Iterator[tuple[str, Network, int]]:
    yield "layer", new_net(tmp_path), 0
    yield "weights", new_net(tmp_path, seed=2), 1
    yield "key", new_net(tmp_path, FROZEN.replace("leaky", "relu", 1)), 1
    exact = new_net(tmp_path)
    exact.engine = exact.ops.Engine(exact=True)
    yield "exact", exact, 1
    statistics = new_net(tmp_path, FROZEN.replace("[net]", "[net]\nmean=.5"))
    yield "mean", statistics, 1


def test_the_digest_tells_fronts_apart(tmp_path: Path, net: Network) -> None:
    start = Front(net, 1).digest()
    for what, other, last in changes(tmp_path):
        assert Front(other, last).digest() != start, what
    # what comes after it, and how it is trained, does not matter
    later = FROZEN.replace("filters=3", "filters=3\nlearning_rate=2").replace("0.01", "0.02")
    later = later.replace("stopbackward=1", "learning_rate=3")
    assert Front(new_net(tmp_path, later), 1).digest() == start


def test_batches_are_those_of_the_order(tmp_path: Path, net: Network, data: Dataset) -> None:
    _, features = run(Front(net, 1), data, views_of(net, data, 3), tmp_path / "cache")
    order = Order(len(data), seed=4, shuffle=True)
    source = FeatureSource(data, features, 8, order)
    for number, (x, y) in zip(range(2, 10), source.batches(2), strict=False):
        turns = order.turns(8 * number, 8 * number + 8)
        for one, truth, turn in zip(x, y, turns, strict=True):
            kept = features.array[features.rows[turn.picture], turn.epoch % 3]
            np.testing.assert_array_equal(one, kept)
            np.testing.assert_array_equal(truth, data.truth(turn.picture))
        assert source.paths(number) == [data.paths[turn.picture] for turn in turns]


def test_a_disk_that_is_full(
    tmp_path: Path, net: Network, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage: Any = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DarknetError, match=r"features need 0\.0 GB, and 0\.0 GB are free"):
        run(Front(net, 1), data, views_of(net, data), tmp_path / "cache")
