"""None"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
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
from darknet_py.tasks.features import (
    Backbone,
    Cached,
    FeatureSource,
    cached_features,
    predictions_of,
)
from darknet_py.tasks.features.cache import Features, FeatureStore
from darknet_py.tasks.valid import evaluate, tally
from tests.support.shapes import CFG, draw_shapes

ROOT = Path(__file__).parents[3]
SHAPE = (2, 5)


def digest(number: int) -> bytes:
    return number.to_bytes(16, "little")


def row(number: int) -> np.ndarray:
    return np.random.default_rng(number).random(SHAPE, np.float32)


def fill(folder: Path, numbers: range) -> None:
    with FeatureStore(folder, SHAPE) as store:
        store.add([digest(n) for n in numbers], np.stack([row(n) for n in numbers]))


def check(folder: Path, numbers: range) -> None:
    with FeatureStore(folder, SHAPE) as store:
        digests = [digest(n) for n in numbers]
        assert store.missing(digests) == []
        found = store.array()[store.rows_of(digests)]
        np.testing.assert_array_equal(found, [row(n) for n in numbers])


def test_what_is_added_is_there_and_stays(tmp_path: Path) -> None:
    fill(tmp_path / "a" / "b", range(3))
    fill(tmp_path / "a" / "b", range(3, 8))
    check(tmp_path / "a" / "b", range(7, -1, -1))


def test_what_is_missing(tmp_path: Path) -> None:
    fill(tmp_path, range(2))
    with FeatureStore(tmp_path, SHAPE) as store:
        wanted = [digest(n) for n in (5, 0, 6, 5, 1)]
        assert store.missing(wanted) == [0, 2]


@pytest.mark.parametrize("cut", [("features", 1), ("pictures", 1), ("pictures", 19)])
def test_a_torn_end_is_cut_off(tmp_path: Path, cut: tuple[str, int]) -> None:
    fill(tmp_path, range(4))
    path = tmp_path / cut[0]
    os.truncate(path, path.stat().st_size - cut[1])
    with FeatureStore(tmp_path, SHAPE) as store:
        assert store.missing([digest(n) for n in range(4)]) == [3]
    check(tmp_path, range(3))
    fill(tmp_path, range(3, 6))
    check(tmp_path, range(6))


@pytest.mark.parametrize(
    ("name", "place"),
    [("features", 2 * 40 + 7), ("pictures", 2 * 20 + 3), ("pictures", 2 * 20 + 17)],
)
def test_damaged_rows_are_no_rows(tmp_path: Path, name: str, place: int) -> None:
    """A value, a picture's digest, a checksum."""
    fill(tmp_path, range(4))
    content = bytearray((tmp_path / name).read_bytes())
    content[place] ^= 1
    (tmp_path / name).write_bytes(content)
    with FeatureStore(tmp_path, SHAPE) as store:
        assert store.missing([digest(n) for n in range(4)]) == [2, 3]
    check(tmp_path, range(2))


def test_a_picture_that_is_there_twice_moves_no_row(tmp_path: Path) -> None:
    fill(tmp_path, range(3))
    for name, size in (("features", 40), ("pictures", 20)):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:size] + content)
    with FeatureStore(tmp_path, SHAPE) as store:
        assert store.missing([digest(n) for n in range(3)]) == []
    check(tmp_path, range(3))


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    """What is there after is right, in its own place; nothing is there of a picture that is not."""
    fill(tmp_path, range(3))
    for name in ("features", "pictures"):
        whole = (tmp_path / name).read_bytes()
        for place in range(0, 8 * len(whole), 13):
            others = {other: (tmp_path / other).read_bytes() for other in ("features", "pictures")}
            flipped = bytearray(whole)
            flipped[place // 8] ^= 1 << place % 8
            (tmp_path / name).write_bytes(flipped)
            with FeatureStore(tmp_path, SHAPE) as store:
                missing = store.missing([digest(n) for n in range(3)])
                assert missing == list(range(place // 8 * 3 // len(whole), 3))
            if missing[0]:
                check(tmp_path, range(missing[0]))
            for other, content in others.items():
                (tmp_path / other).write_bytes(content)


@pytest.mark.parametrize("room", [10, 50, 8000])
def test_no_room(room: int, tmp_path: Path) -> None:
    """As on a full disk. What was added before is there."""
    code = (
        "import resource, sys, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from tests.tasks.features.test_cache import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), -1))\n"
        "with pytest.raises(DarknetError, match='cannot be kept: File too large'):\n"
        "    with FeatureStore(pathlib.Path(sys.argv[2]), SHAPE) as store:\n"
        "        for n in range(10**3):\n"
        "            store.add([digest(n)], row(n)[None])\n"
    )
    subprocess.run([sys.executable, "-c", code, str(ROOT), str(tmp_path), str(room)], check=True)
    if room > 40:
        check(tmp_path, range(room // 40))
    fill(tmp_path, range(room // 40, room // 40 + 3))
    check(tmp_path, range(room // 40 + 3))


@pytest.mark.parametrize("name", ["features", "pictures"])
@pytest.mark.parametrize("odd", ["folder", "pipe", "device"])
def test_what_is_no_file(odd: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if odd == "folder":
        path.mkdir()
    elif odd == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(DarknetError, match="features cannot be kept"):
        FeatureStore(tmp_path, SHAPE)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        FeatureStore(tmp_path, SHAPE),
        pytest.raises(DarknetError, match="another process writes features there"),
    ):
        FeatureStore(tmp_path, SHAPE)
    fill(tmp_path, range(1))


def test_a_killed_process_loses_nothing_that_it_added(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from tests.tasks.features.test_cache import *\n"
        "store = FeatureStore(pathlib.Path(sys.argv[2]), SHAPE)\n"
        "for n in range(10**6):\n"
        "    store.add([digest(n)], row(n)[None])\n"
        "    print(n, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(ROOT), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 20:
                process.send_signal(signal.SIGKILL)
                break
    check(tmp_path, range(21))


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DarknetError, match="features cannot be kept"):
        FeatureStore(tmp_path / "file", SHAPE)


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


def run(
    backbone: Backbone, data: Dataset, views: Views, folder: Path
) -> tuple[list[Cached], Features]:
    events = []
    growing = cached_features(backbone, data.paths, views, folder)
    while True:
        try:
            events.append(next(growing))
        except StopIteration as end:
            return events, end.value


def test_they_are_what_the_front_gives(tmp_path: Path, net: Network, data: Dataset) -> None:
    backbone = Backbone(net, 1)
    events, features = run(backbone, data, views_of(net, data), tmp_path / "cache")
    assert (events[0], events[-1]) == (Cached(0, 21, 0), Cached(21, 21, 0))
    ((x, _),) = Loader(data, 16, 16, 1, 21, None).once()
    # of layer 3, a 1x1 convolution before avgpool, means are all that is needed: but for dropout
    assert backbone.shape == (16, 8, 8)
    np.testing.assert_allclose(features.array[features.rows, 0], net.output(x, 1), rtol=1e-5)


def test_pictures_that_cannot_be_read_have_none_and_others_take_their_turns(
    tmp_path: Path, data: Dataset
) -> None:
    net = new_net(tmp_path, FROZEN.replace("[dropout]\nprobability=.1\n", ""))
    backbone = Backbone(net, 1)
    data.paths[3].write_bytes(data.paths[3].read_bytes()[:-40])
    data.paths[4].unlink()
    _, features = run(backbone, data, views_of(net, data), tmp_path / "cache")
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
        run(Backbone(net, 1), data, views_of(net, data), tmp_path / "cache")


def test_means_are_kept_where_they_are_enough(tmp_path: Path, data: Dataset) -> None:
    net = new_net(tmp_path, FROZEN.replace("[dropout]\nprobability=.1\n", ""))
    backbone = Backbone(net, 1)
    _, features = run(backbone, data, views_of(net, data), tmp_path / "cache")
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
        growing = cached_features(Backbone(net, 1), data.paths, views, cache)
        for _ in range(killed_after):
            next(growing)
        growing.close()
    events, features = run(Backbone(net, 1), data, views, cache)
    assert events[0] == Cached(6, 21, 6)
    assert sum(computed) == 21 * 20
    _, whole = run(Backbone(net, 1), data, views, tmp_path / "other")
    np.testing.assert_array_equal(features.array[features.rows], whole.array[whole.rows])
    computed.clear()
    # other pictures, the same one twice, another order: what is there is used
    shutil.copy(data.paths[0], tmp_path / "copy.png")
    more = Dataset(data.names, [*reversed(data.paths), tmp_path / "copy.png"], [(0,)] * 22)
    events, _ = run(Backbone(net, 1), more, views, cache)
    assert (events, computed) == ([Cached(21, 21, 21)], [])


def count_pictures(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    computed: list[int] = []
    plain = Backbone.__call__

    def counting(self: Backbone, x: np.ndarray) -> np.ndarray:
        computed.append(len(x))
        return plain(self, x)

    monkeypatch.setattr(Backbone, "__call__", counting)
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
    start = Backbone(net, 1).digest()
    for what, other, last in changes(tmp_path):
        assert Backbone(other, last).digest() != start, what
    # what comes after it, and how it is trained, does not matter
    later = FROZEN.replace("filters=3", "filters=3\nlearning_rate=2").replace("0.01", "0.02")
    later = later.replace("stopbackward=1", "learning_rate=3")
    assert Backbone(new_net(tmp_path, later), 1).digest() == start


def test_batches_are_those_of_the_order(tmp_path: Path, net: Network, data: Dataset) -> None:
    _, features = run(Backbone(net, 1), data, views_of(net, data, 3), tmp_path / "cache")
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
        run(Backbone(net, 1), data, views_of(net, data), tmp_path / "cache")
