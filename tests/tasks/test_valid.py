from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.images import Dataset, load_with_fitted
from darknet_py.network import Network
from darknet_py.tasks.targets import probabilities_of, targets_of
from darknet_py.tasks.valid import evaluate, tally
from tests.support.golden import golden_network, load_golden


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return golden_network(load_golden("forward", "tiny_like"), tmp_path)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.png" for i in range(7)]
    for i, path in enumerate(paths):
        Image.fromarray(rng.integers(0, 256, (40 + i, 50, 3), np.uint8)).save(path)
    names = tuple("abcdefghij")
    return Dataset(names, paths, [(k % 3,) for k in range(7)])


def test_it_is_predict_on_cropped_pictures_counted(net: Network, dataset: Dataset) -> None:
    found = evaluate(net, dataset, top=2, batch=3)
    confusion, hits, loss = np.zeros((10, 10), int), 0, 0.0
    for path, (label,) in zip(dataset.paths, dataset.labels, strict=True):
        x = load_with_fitted(path, 48, 36, "crop")[1].transpose(2, 0, 1)[None]
        probabilities = net.predict(x)[0]
        order = np.argsort(-probabilities)
        confusion[label, order[0]] += 1
        hits += label in order[:2]
        loss -= float(np.log(probabilities[label]))
    np.testing.assert_array_equal(found.confusion, confusion)
    assert (found.top_hits, found.pictures) == (hits, 7)
    assert found.loss == pytest.approx(loss / 7, rel=1e-4)
    assert found.top1 == np.trace(confusion) / 7
    assert found.topk == hits / 7


def test_batches_change_nothing(net: Network, dataset: Dataset) -> None:
    one, all_together = evaluate(net, dataset, batch=1), evaluate(net, dataset, batch=100)
    np.testing.assert_array_equal(one.confusion, all_together.confusion)
    assert one.loss == pytest.approx(all_together.loss, rel=1e-5)


def test_ten_views_are_corners_middle_and_the_same_mirrored(
    net: Network, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[np.ndarray] = []

    def predict(_: Network, x: np.ndarray) -> np.ndarray:
        seen.append(x)
        return np.full((len(x), 10), 0.1, np.float32)

    monkeypatch.setattr(Network, "predict", predict)
    evaluate(net, dataset, views=10)
    assert [x.shape for x in seen] == [(10, 3, 36, 48)] * 7
    shift = 48 // 7
    views = seen[0]
    # the first two overlap: the second begins `shift` columns further right
    np.testing.assert_array_equal(views[0][:, :, shift:], views[1][:, :, :-shift])
    np.testing.assert_array_equal(views[0][:, shift:], views[2][:, :-shift])
    np.testing.assert_array_equal(views[5], views[1][:, :, ::-1])
    np.testing.assert_array_equal(views[9], views[4][:, :, ::-1])


def test_one_output_is_two_classes() -> None:
    truth = np.array([[1, 0], [0, 1]], np.float32)
    np.testing.assert_array_equal(targets_of(truth, 1), [[0], [1]])
    assert targets_of(truth, 2) is truth
    np.testing.assert_allclose(probabilities_of(np.array([[0.2], [0.9]])), [[0.8, 0.2], [0.1, 0.9]])


@pytest.mark.parametrize("views", [1, 10])
def test_pictures_that_cannot_be_read_count_nowhere(
    net: Network, dataset: Dataset, views: int
) -> None:
    whole = evaluate(net, dataset.without([1, 5]), views=views, worst=9)
    dataset.paths[1].write_bytes(dataset.paths[1].read_bytes()[:500])
    dataset.paths[5].unlink()
    found = evaluate(net, dataset, views=views, batch=2, worst=9)
    np.testing.assert_array_equal(found.confusion, whole.confusion)
    assert found.loss == pytest.approx(whole.loss, rel=1e-5)
    assert [each.path for each in found.mistakes] == [each.path for each in whole.mistakes]
    assert [str(error).split(":")[0] for error in found.refused] == [
        str(dataset.paths[1]),
        str(dataset.paths[5]),
    ]


def test_what_is_no_number_is_no_guess_and_no_hit(dataset: Dataset) -> None:
    sure = np.eye(10, dtype=np.float32)[[0, 1, 2, 0, 1, 2, 0]]
    assert tally(dataset, [sure]).top1 == 1
    sure[3] = np.nan
    found = tally(dataset, [sure[:4], sure[4:]], top=10)
    assert (found.pictures, found.not_finite) == (7, (dataset.paths[3],))
    assert [found.top1, found.topk] == pytest.approx([6 / 7, 6 / 7])
    assert np.isnan(found.loss)
    assert not found.top_says_more
    assert tally(dataset, [sure], top=3).top_says_more
