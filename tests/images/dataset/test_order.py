from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images.dataset.order import Order, Turn

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
