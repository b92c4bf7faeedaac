from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.errors import CfgError
from darknet_py.network import Network
from darknet_py.tasks.class_weights import class_weights, weigh
from tests.support.networks import FLOAT64, make_network

NAMES = ("cat", "dog", "eel")
counts_ = st.lists(st.integers(0, 50), min_size=3, max_size=3).filter(any)


@given(counts_)
def test_balanced_classes_weigh_alike_in_all(counts: list[int]) -> None:
    weights = class_weights("balanced", NAMES, counts)
    totals = [weight * count for weight, count in zip(weights, counts, strict=True) if count]
    assert sum(totals) == pytest.approx(sum(counts))
    assert totals == pytest.approx([totals[0]] * len(totals))


def test_a_file_says_proportions(tmp_path: Path) -> None:
    path = tmp_path / "weights.txt"
    path.write_text("# of cats, dogs, eels\n1\n 2.5 # twice and a half\n0\n")
    weights = class_weights(str(path), NAMES, [10, 4, 100])
    assert weights == pytest.approx((5.7, 14.25, 0))
    assert np.dot(weights, [10, 4, 100]) == pytest.approx(114)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\n2\n", " holds 2 weights for 3 classes"),
        ("1\n-2\n3\n", "2: -2: expected a number of 0 or more a line, in the order of the names"),
        ("1\n2\nnan\n", "3: nan: expected a number of 0 or more a line, in the order of the names"),
        ("1\ninf\n3\n", "2: inf: expected a number of 0 or more a line, in the order of the names"),
        ("cat\n", "1: cat: expected a number of 0 or more a line, in the order of the names"),
        ("0\n0\n9\n", " gives no class that has pictures a weight above 0"),
    ],
)
def test_a_file_that_is_none(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.txt"
    path.write_text(text)
    with pytest.raises(CfgError) as found:
        class_weights(str(path), NAMES, [1, 1, 0])
    assert str(found.value) == f"{path}:{message}"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(CfgError, match="no such file"):
        class_weights(str(tmp_path / "none"), NAMES, [1, 1, 1])


def test_a_picture_of_one_class_keeps_its_truth() -> None:
    truth = np.eye(3, dtype=np.float32)[[2, 0, 1]]
    before = truth.copy()
    weighed, weights = weigh(truth, (0.3, 0, 2.2))
    np.testing.assert_array_equal(weighed, before)
    np.testing.assert_array_equal(truth, before)
    np.testing.assert_array_equal(weights, np.array([2.2, 0.3, 0], np.float32))
    assert weights.dtype == weighed.dtype == np.float32


def learned(net: Network, *batch: np.ndarray) -> tuple[float, list[np.ndarray]]:
    loss = net.accumulate(*batch) * len(batch[0])
    return loss, [p.updates for p in net.parameters() if p.learned]


@pytest.mark.parametrize("end", ["[softmax]\n", "[logistic]\n", "[softmax]\ntemperature=2\n"])
@pytest.mark.parametrize("smooth", [0, 0.3])
def test_a_mixed_picture_stands_for_the_weighted_losses_of_each(end: str, smooth: float) -> None:
    """Exactly: as if it were there once for each class, with share times weight."""

    def make(batch: int) -> Network:
        net = f"[net]\nheight=6\nwidth=8\nchannels=2\nbatch={batch}\n"
        layers = "[convolutional]\nfilters=3\nsize=3\nactivation=leaky\n[avgpool]\n"
        return make_network(net + layers + end + f"smooth={smooth}\n", FLOAT64)

    x = np.random.default_rng(0).random((2, 2, 6, 8)).astype(np.float32)
    shares = np.array([[0.7, 0, 0.3], [0, 0.5, 0.5]])
    class_weights = (0.4, 1.5, 3.0)
    loss, updates = learned(make(2), x, *weigh(shares, class_weights))
    picture, truth = [0, 0, 1, 1], np.eye(3)[[0, 2, 1, 2]]
    weights = np.array([0.7 * 0.4, 0.3 * 3, 0.5 * 1.5, 0.5 * 3])
    expected_loss, expected = learned(make(4), x[picture], truth, weights)
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    for found, wanted in zip(updates, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-13)


def test_a_mix_that_counts_nothing_gives_a_number() -> None:
    truth = np.array([[0.5, 0.5, 0]], np.float32)
    weighed, weights = weigh(truth, (0, 0, 1))
    np.testing.assert_array_equal(weighed, truth)
    assert weights.tolist() == [0]
