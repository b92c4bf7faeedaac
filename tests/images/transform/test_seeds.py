from __future__ import annotations

from itertools import product

from darknet_py.images.transform.seeds import Purpose, generator


def draws(*arguments: int) -> tuple[float, ...]:
    purpose, seed, *place = arguments
    return tuple(generator(Purpose(purpose), seed, *place).random(3).tolist())


def test_the_same_numbers_for_the_same_place() -> None:
    assert draws(Purpose.PICTURE, 7, 1, 2) == draws(Purpose.PICTURE, 7, 1, 2)


def test_each_purpose_seed_and_place_has_its_own() -> None:
    places = [place for length in (1, 2) for place in product((0, 1, 2), repeat=length)]
    # of one purpose, places are of one length
    all_draws = [
        draws(purpose, seed, *place)
        for purpose in Purpose
        for seed in (0, 1, 2**40)
        for place in places
        if len(place) == 1 + (purpose == Purpose.PICTURE)
    ]
    assert len(set(all_draws)) == len(all_draws) > 50
