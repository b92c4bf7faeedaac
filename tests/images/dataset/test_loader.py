from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.cfg.augmentation import Augmentation
from darknet_py.errors import DarknetError, ShapeError
from darknet_py.images import (
    Batch,
    Dataset,
    Loader,
    fit_image,
    load_image,
    load_with_fitted,
    save_image,
    to_channels,
)
from darknet_py.images.dataset import loader as loader_module
from darknet_py.images.dataset import readable
from darknet_py.images.io.image import load_pixels
from darknet_py.images.transform.augment import principal_components
from tests.images.sets import EVERYTHING, PLAIN, make_dataset

COUNT = 10


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("pictures"), COUNT)


def loader(
    pictures: Dataset,
    augmentation: Augmentation | None = EVERYTHING,
    batch: int = 4,
    c: int = 3,
    seed: int = 5,
    **more: Any,
) -> Loader:
    return Loader(pictures, 8, 6, c, batch, augmentation, seed, **more)


def same(ones: Iterable[Batch], others: Iterable[Batch]) -> bool:
    pairs = list(zip(ones, others, strict=True))
    return all(np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) for a, b in pairs)


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("darknet-loader")]


# What a batch is


def test_shapes(pictures: Dataset) -> None:
    x, y = loader(pictures).batch(0)
    assert x.shape == (4, 3, 6, 8)
    assert y.shape == (4, 3)
    assert x.dtype == y.dtype == np.float32
    assert x.min() >= 0
    assert x.max() <= 1
    assert loader(pictures, c=1).batch(0)[0].shape == (4, 1, 6, 8)


@pytest.mark.parametrize("batch", [1, 4, 10, 23])
def test_each_picture_once_an_epoch_shuffled(pictures: Dataset, batch: int) -> None:
    some = loader(pictures, batch=batch)
    row = [path for number in range(60 // batch + 1) for path in some.paths(number)]
    epochs = [row[start : start + COUNT] for start in range(0, 60, COUNT)]
    for epoch in epochs:
        assert sorted(epoch) == pictures.paths
    assert len({tuple(epoch) for epoch in epochs}) == len(epochs)
    assert pictures.paths not in epochs


def test_truth_is_that_of_the_paths(pictures: Dataset) -> None:
    plain = loader(pictures, PLAIN)
    for number in range(5):
        _, y = plain.batch(number)
        indices = [pictures.paths.index(path) for path in plain.paths(number)]
        assert np.array_equal(y, [pictures.truth(index) for index in indices])


def test_truth_of_tags(pictures: Dataset) -> None:
    tags = Dataset(pictures.names, pictures.paths, [(0, 2)] * COUNT)
    assert loader(tags, PLAIN).batch(0)[1].tolist() == [[1, 0, 1]] * 4


def test_truth_of_mixed_pictures_sums_to_1(pictures: Dataset) -> None:
    _, y = loader(pictures, replace(PLAIN, mixup=1, cutmix=1), batch=50).batch(0)
    np.testing.assert_allclose(y.sum(axis=1), 1, atol=1e-6)
    assert (y.max(axis=1) < 1).sum() > 10


def test_batches_in_an_epoch(pictures: Dataset) -> None:
    assert [len(loader(pictures, batch=batch)) for batch in (1, 4, 5, 10, 11)] == [10, 3, 2, 1, 1]


# What it depends on


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_number_of_threads_makes_no_difference(
    pictures: Dataset, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    expected = [loader(pictures).batch(number) for number in range(9)]
    monkeypatch.setattr(loader_module, "_TASK", 1)
    with closing(loader(pictures, workers=workers, ahead=3).batches()) as batches:
        assert same(islice(batches, 9), expected)


def test_a_batch_is_its_number_however_one_comes_to_it(pictures: Dataset) -> None:
    one = loader(pictures)
    with closing(one.batches()) as batches:
        expected = list(islice(batches, 8))
    with closing(loader(pictures, memory=0).batches(start=5)) as batches:
        assert same(islice(batches, 3), expected[5:])
    assert same([loader(pictures).batch(6), one.batch(2)], [expected[6], expected[2]])


def test_a_picture_changes_each_time_it_is_read(pictures: Dataset) -> None:
    # in each epoch, and in one where it is listed several times
    for count in (1, 6):
        one = Dataset(("a",), pictures.paths[:1] * count, [(0,)] * count)
        x, _ = loader(one, PLAIN, batch=6).batch(0)
        assert len({image.tobytes() for image in x}) == 6


def test_each_batch_is_mixed_in_a_way_of_its_own(pictures: Dataset) -> None:
    mixed = loader(pictures, replace(PLAIN, mixup=1), batch=COUNT, shuffle=False)
    assert not np.array_equal(mixed.batch(0)[1], mixed.batch(1)[1])
    other = loader(pictures, replace(PLAIN, mixup=1), batch=COUNT, shuffle=False, seed=6)
    assert not np.array_equal(mixed.batch(0)[1], other.batch(0)[1])


def test_the_seed_makes_a_difference(pictures: Dataset) -> None:
    a, b = loader(pictures, seed=1), loader(pictures, seed=2)
    assert a.paths(0) != b.paths(0)
    one = Dataset(("a",), pictures.paths[:1], [(0,)])
    (x, _), (other, _) = (loader(one, PLAIN, seed=seed).batch(0) for seed in (1, 2))
    assert not np.array_equal(x, other)


def test_components_do_not_depend_on_who_comes_first(
    pictures: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def count(*arguments: object) -> np.ndarray:
        calls.append(arguments)
        time.sleep(0.05)  # Others come meanwhile.
        return principal_components(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loader_module, "principal_components", count)
    monkeypatch.setattr(loader_module, "_TASK", 1)
    coloured = replace(PLAIN, pca=0.5)
    with closing(loader(pictures, coloured, workers=8).batches()) as batches:
        assert same(islice(batches, 3), [loader(pictures, coloured).batch(n) for n in range(3)])
    # by one thread of the first, and for each of the other three
    assert len(calls) == 4
    loader(pictures, PLAIN).batch(0)
    assert len(calls) == 4


# Validation


@pytest.mark.parametrize("c", [1, 3])
def test_validation_sees_what_classify_sees(pictures: Dataset, c: int) -> None:
    x, y = loader(pictures, None, batch=COUNT, c=c).batch(0)
    for index, path in enumerate(pictures.paths):
        expected = to_channels(load_with_fitted(path, 8, 6, "crop")[1], c).transpose(2, 0, 1)
        assert np.array_equal(x[index], expected)
        assert np.array_equal(y[index], pictures.truth(index))


def test_a_deep_picture_loses_nothing(tmp_path: Path) -> None:
    from PIL import Image

    values = np.arange(80, dtype=np.uint16).reshape(8, 10) * 800
    Image.fromarray(values).save(tmp_path / "deep.png")
    deep = Dataset(("a",), [tmp_path / "deep.png"], [(0,)])
    expected = fit_image(load_image(tmp_path / "deep.png"), 8, 6, "crop").transpose(2, 0, 1)
    assert np.array_equal(loader(deep, None, batch=1).batch(0)[0][0], expected)


@pytest.mark.parametrize("batch", [1, 4, 5, 10, 16])
def test_once_is_each_picture_once_in_order(pictures: Dataset, batch: int) -> None:
    valid = loader(pictures, None, batch=batch)
    batches = list(valid.once())
    assert len(batches) == len(valid)
    everything, _ = loader(pictures, None, batch=COUNT).batch(0)
    assert np.array_equal(np.concatenate([x for x, _ in batches]), everything)
    truth = np.concatenate([y for _, y in batches])
    assert np.array_equal(truth, [pictures.truth(index) for index in range(COUNT)])
    assert threads() == []


def test_shuffling_may_be_chosen(pictures: Dataset) -> None:
    assert loader(pictures, PLAIN, batch=COUNT, shuffle=False).paths(0) == pictures.paths
    assert loader(pictures, None, batch=COUNT, shuffle=True).paths(0) != pictures.paths


# Threads


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were decoded."""
    loaded: list[Path] = []

    def load(path: Path) -> np.ndarray:
        loaded.append(path)
        return load_pixels(path)

    monkeypatch.setattr(readable, "load_pixels", load)
    return loaded


def test_pictures_are_decoded_once(pictures: Dataset, loads: list[Path]) -> None:
    with closing(loader(pictures, batch=5).batches()) as batches:
        list(islice(batches, 8))
    assert sorted(loads) == pictures.paths
    loads.clear()
    list(loader(pictures, None, memory=0, batch=5).once())
    list(loader(pictures, None, memory=0, batch=5).once())
    assert sorted(loads) == sorted(2 * pictures.paths)


@pytest.mark.parametrize("ahead", [0, 1, 3])
def test_so_many_batches_are_made_ahead(pictures: Dataset, loads: list[Path], ahead: int) -> None:
    with closing(loader(pictures, PLAIN, batch=2, memory=0, ahead=ahead).batches()) as batches:
        for taken in (1, 2):
            next(batches)
            expected = 2 * (taken + ahead)
            deadline = time.monotonic() + 10
            while len(loads) < expected and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.05)
            assert len(loads) == expected


def test_waiting_is_measured(pictures: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = loader(pictures, PLAIN, batch=2, memory=0, workers=1)
    slow.batch(0)
    assert slow.waited == 0

    def load(path: Path) -> np.ndarray:
        time.sleep(0.05)
        return load_pixels(path)

    monkeypatch.setattr(readable, "load_pixels", load)
    with closing(slow.batches()) as batches:
        next(batches)
        assert slow.waited > 0.08
        # a consumer that takes longer than its batches do not wait
        time.sleep(0.5)
        before = slow.waited
        next(batches)
        assert slow.waited - before < 0.05


def test_threads_end_with_the_iterator(pictures: Dataset) -> None:
    assert threads() == []
    with closing(loader(pictures, workers=3).batches()) as batches:
        next(batches)
        assert 1 <= len(threads()) <= 3
    assert threads() == []
    left = loader(pictures).batches()
    next(left)
    assert threads() != []
    del left
    gc.collect()
    assert threads() == []


def test_threads_end_where_the_consumer_fails(pictures: Dataset) -> None:
    def consume() -> None:
        for _ in loader(pictures).batches():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert threads() == []


def test_threads_do_not_finish_what_nobody_wants(
    pictures: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load(path: Path) -> np.ndarray:
        loaded.append(path)
        time.sleep(0.02)
        return load_pixels(path)

    monkeypatch.setattr(readable, "load_pixels", load)
    monkeypatch.setattr(loader_module, "_TASK", 1)
    many = loader(pictures, PLAIN, batch=100, memory=0, workers=2, ahead=2)
    with closing(many.batches()) as batches:
        next(batches)
        assert len(loaded) < 150
    assert len(loaded) < 150


@pytest.mark.parametrize("augmentation", [PLAIN, EVERYTHING, None])
def test_a_picture_that_cannot_be_read_has_another_in_its_place(
    tmp_path: Path, augmentation: Augmentation | None
) -> None:
    """The same one whatever the threads, and wherever a run goes on; all else stays."""
    pictures = make_dataset(tmp_path)
    whole = loader(pictures, augmentation and replace(augmentation, mixup=0, cutmix=0, pca=0))
    before = [whole.batch(number) for number in range(6)]
    bad = pictures.paths[7]
    bad.write_bytes(bad.read_bytes()[:50])
    some = loader(pictures, whole._augmentation, workers=1)
    with closing(some.batches()) as batches:
        after = list(islice(batches, 6))
    assert [str(error).startswith(f"{bad}: is damaged") for error in some.untold()] == [True]
    assert some.untold() == []
    assert list(some.refused) == [7]
    replaced = 0
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        for row, path in enumerate(some.paths(number)):
            equal = np.array_equal(one[0][row], other[0][row])
            assert equal == (path != bad)
            replaced += not equal
            # of the picture's own class, as there are others
            assert np.array_equal(one[1][row], other[1][row])
    assert replaced in (2, 3)
    again = loader(pictures, whole._augmentation, workers=3)
    with closing(again.batches(3)) as batches:
        assert same(list(islice(batches, 3)), after[3:])
    assert threads() == []


def test_one_that_vanishes_after_it_was_kept_stays(tmp_path: Path) -> None:
    pictures = make_dataset(tmp_path)
    some = loader(pictures)
    first = some.batch(0)
    for path in some.paths(0):
        path.unlink()
    assert same([some.batch(0)], [first])
    assert not some.refused


def test_where_its_class_has_no_other_one_of_another_class_is_taken(tmp_path: Path) -> None:
    pictures = make_dataset(tmp_path, 4)  # classes 0, 1, 2, 0
    pictures.paths[1].unlink()
    some = loader(pictures, PLAIN, batch=4)
    _, truth = some.batch(0)
    row = some.paths(0).index(pictures.paths[1])
    assert truth[row].argmax() != 1
    assert truth.sum() == 4


def test_colours_are_those_of_the_pictures_that_can_be_read(tmp_path: Path) -> None:
    pictures = make_dataset(tmp_path)
    pictures.paths[7].unlink()
    with_colours = loader(pictures, replace(PLAIN, pca=1))
    x, _ = with_colours.batch(0)
    assert np.isfinite(x).all()


@pytest.mark.parametrize("count", [1, 3, 10])
def test_where_most_cannot_be_read_it_ends(tmp_path: Path, count: int) -> None:
    pictures = make_dataset(tmp_path, count)
    for path in pictures.paths[: count // 2 + 1]:
        path.unlink()
    some = loader(pictures, PLAIN, batch=count)
    with pytest.raises(DarknetError, match=r"of .* pictures cannot be read: is a disk or"):
        list(islice(some.batches(), 3))
    assert threads() == []


def test_once_a_picture_that_cannot_be_read_is_zeros(tmp_path: Path) -> None:
    pictures = make_dataset(tmp_path)
    whole = list(loader(pictures, None).once())
    pictures.paths[5].write_bytes(b"")
    some = loader(pictures, None)
    batches = list(some.once())
    assert list(some.refused) == [5]
    assert not batches[1][0][1].any()
    assert not batches[1][1][1].any()
    rows = [0, 2, 3]
    assert same(batches[:1], whole[:1])
    assert np.array_equal(batches[1][0][rows], whole[1][0][rows])


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    save_image(np.zeros((9, 9, 3), np.float32), tmp_path / "a.png")
    code = (
        "import signal, sys, time\n"
        "from pathlib import Path\n"
        "from darknet_py.images import Dataset, Loader\n"
        # a shell's background processes ignore it
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "pictures = Dataset(('a',), [Path(sys.argv[1])], [(0,)])\n"
        "for number, _ in enumerate(Loader(pictures, 8, 8, 3, 64, None).batches()):\n"
        "    print(number, flush=True)\n"
        "    time.sleep(0.01)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.png")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "0\n"
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=20)
    assert run.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")


# Mistakes


def test_a_dataset_without_pictures() -> None:
    with pytest.raises(DarknetError, match="without pictures"):
        loader(Dataset(("a",), [], []))


def test_a_network_that_does_not_take_pictures(pictures: Dataset) -> None:
    with pytest.raises(ShapeError, match="takes 4 channels: pictures have 1 or 3"):
        loader(pictures, c=4)


@pytest.mark.parametrize("more", [{"batch": 0}, {"workers": 0}, {"ahead": -1}])
def test_what_cannot_be(pictures: Dataset, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        loader(pictures, **more)
    with pytest.raises(ValueError, match="0x6, 2 ahead"):
        Loader(pictures, 0, 6, 3, 4, None)


# Classes that come equally often


def uneven(pictures: Dataset) -> Dataset:
    """One cat, one dog, and eels."""
    return Dataset(pictures.names, pictures.paths, [(0,), (1,), *[(2,)] * (COUNT - 2)])


def test_balanced_batches_have_all_classes_equally_often(pictures: Dataset) -> None:
    some = loader(uneven(pictures), PLAIN, batch=6, balance=True)
    for number in range(5):
        x, y = some.batch(number)
        assert y.sum(axis=0).tolist() == [2, 2, 2]
        assert len(some.paths(number)) == len(x)
    seen, eels = [path for number in range(4) for path in some.paths(number)], pictures.paths[2:]
    assert sorted(path for path in seen if path in eels) == sorted(eels)
    assert same([some.batch(3)], islice(some.batches(3), 1))


def test_a_repeated_picture_is_changed_anew(pictures: Dataset) -> None:
    some = loader(uneven(pictures), replace(PLAIN, shift=3), batch=6, balance=True)
    x, y = some.batch(0)
    one, other = x[y[:, 0] == 1]
    assert not np.array_equal(one, other)


def test_only_pictures_of_one_class_are_balanced(pictures: Dataset) -> None:
    tags = Dataset(pictures.names, pictures.paths[:2], [(0,), (0, 1)])
    with pytest.raises(DarknetError, match="has 2 classes: expected one, to balance them") as found:
        loader(tags, balance=True)
    assert str(found.value).startswith(str(pictures.paths[1]))
