"""The order of pictures in training."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images.dataset.sampler import BalancedOrder, Order, Turn

counts = st.integers(1, 9)
seeds = st.integers(0, 2**40)


@given(counts, seeds, st.booleans())
def test_each_picture_once_an_epoch(count: int, seed: int, shuffle: bool) -> None:
    order = Order(count, seed, shuffle)
    for epoch in range(3):
        turns = order.turns(epoch * count, (epoch + 1) * count)
        assert sorted(turn.picture for turn in turns) == list(range(count))
        assert [turn.place for turn in turns] == list(range(count))
        assert {turn.epoch for turn in turns} == {epoch}


@given(counts, seeds, st.integers(0, 40), st.integers(0, 40))
def test_any_part_of_the_row_is_the_same(count: int, seed: int, start: int, length: int) -> None:
    row = Order(count, seed, shuffle=True).turns(0, 80)
    assert (
        Order(count, seed, shuffle=True).turns(start, start + length)
        == (row[start : start + length])
    )


def test_not_shuffled_it_is_the_datasets_order() -> None:
    turns = Order(3, seed=5, shuffle=False).turns(2, 7)
    assert turns == [Turn(0, 2, 2), Turn(1, 0, 0), Turn(1, 1, 1), Turn(1, 2, 2), Turn(2, 0, 0)]


def test_shuffled_anew_each_epoch_and_for_each_seed() -> None:
    def epoch(seed: int, number: int) -> tuple[int, ...]:
        turns = Order(50, seed, shuffle=True).turns(50 * number, 50 * (number + 1))
        return tuple(turn.picture for turn in turns)

    orders = {epoch(seed, number) for seed in (0, 1, 2) for number in (0, 1, 2)}
    assert len(orders) == 9
    assert tuple(range(50)) not in orders


labels = st.lists(st.sampled_from([0, 1, 1, 1, 1, 4]), min_size=1, max_size=12)


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
def test_any_part_of_the_row_is_the_same_of_balance(
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
