from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images.dataset.balance import BalancedOrder
from darknet_py.images.dataset.order import Turn

labels = st.lists(st.sampled_from([0, 1, 1, 1, 1, 4]), min_size=1, max_size=12)
seeds = st.integers(0, 2**40)


def spread(counts: Counter[int], expected: set[int]) -> int:
    """How far apart the most and the least frequent of `expected` are."""
    assert set(counts) <= expected
    found = [counts[each] for each in expected]
    return max(found) - min(found)


@given(labels, seeds, st.integers(0, 50), st.integers(1, 50))
def test_classes_come_equally_often(labels: list[int], seed: int, start: int, length: int) -> None:
    """Each once in a round; in any part of the row, which may cut a round at both ends, almost."""
    order, classes = BalancedOrder(labels, seed), set(labels)
    for number in range(3):
        turns = order.turns(number * len(classes), (number + 1) * len(classes))
        assert sorted(labels[turn.picture] for turn in turns) == sorted(classes)
    part = Counter(labels[turn.picture] for turn in order.turns(start, start + length))
    assert spread(part, classes) <= 2


@given(labels, seeds, st.integers(1, 80))
def test_a_classs_pictures_are_seen_equally_often(labels: list[int], seed: int, stop: int) -> None:
    turns = BalancedOrder(labels, seed).turns(0, stop)
    for label in set(labels):
        pictures = {index for index, other in enumerate(labels) if other == label}
        seen = Counter(turn.picture for turn in turns if labels[turn.picture] == label)
        assert spread(seen, pictures) <= 1


@given(labels, seeds, st.integers(0, 40), st.integers(0, 40))
def test_any_part_of_the_row_is_the_same(
    labels: list[int], seed: int, start: int, length: int
) -> None:
    row = BalancedOrder(labels, seed).turns(0, 80)
    assert BalancedOrder(labels, seed).turns(start, start + length) == row[start : start + length]


@given(labels, seeds)
def test_each_turn_has_an_epoch_and_a_place_of_its_own(labels: list[int], seed: int) -> None:
    """What happens to a picture depends on them: repeated, it is not changed alike."""
    turns = BalancedOrder(labels, seed).turns(0, 3 * len(labels))
    assert [(turn.epoch, turn.place) for turn in turns] == [
        (epoch, place) for epoch in range(3) for place in range(len(labels))
    ]


def test_it_is_shuffled_by_the_seed() -> None:
    labels = [0] * 30 + [1] * 3

    def row(seed: int, number: int) -> tuple[Turn, ...]:
        return tuple(BalancedOrder(labels, seed).turns(60 * number, 60 * (number + 1)))

    pictures = {
        tuple(turn.picture for turn in row(seed, number)) for seed in (0, 1) for number in (0, 1)
    }
    assert len(pictures) == 4
    classes = tuple(labels[turn.picture] for turn in row(0, 0))
    rounds = {classes[start : start + 2] for start in range(0, 60, 2)}
    assert rounds == {(0, 1), (1, 0)}
