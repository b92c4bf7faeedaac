"""None"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.images import Dataset
from darknet_py.images.dataset.dataset import split_validation

PATHS = [Path(f"{letter}.png") for letter in "abcd"]
PETS = Dataset(("cat", "dog", "eel"), PATHS, [(1,), (0,), (1,), (1,)])


def test_what_it_holds() -> None:
    assert len(PETS) == 4
    assert PETS.classes == 3
    assert PETS.counts() == [1, 3, 0]


def test_truth() -> None:
    truth = PETS.truth(1)
    assert truth.dtype == np.float32
    assert truth.tolist() == [1, 0, 0]
    assert PETS.truth(3).tolist() == [0, 1, 0]


def test_tags_are_several_classes_or_none() -> None:
    tags = Dataset(("a", "b", "c"), PATHS, [(0, 2), (), (1,), (2,)])
    assert tags.truth(0).tolist() == [1, 0, 1]
    assert tags.truth(1).tolist() == [0, 0, 0]
    assert tags.counts() == [1, 1, 2]


def test_without_some_pictures() -> None:
    left = PETS.without([0, 2])
    assert left == Dataset(PETS.names, [PATHS[1], PATHS[3]], [(0,), (1,)])
    assert PETS.without([]) == PETS
    assert len(PETS) == 4


@pytest.mark.parametrize("labels", [[(0,)], [(0,), (1,), (2,), (3,)], [(0,), (-1,), (0,), (0,)]])
def test_labels_that_do_not_fit_are_a_mistake(labels: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="labels"):
        Dataset(PETS.names, PATHS, labels)


NAMES = [f"cat/{index}.jpg" for index in range(100)]


def test_a_share_that_the_seed_draws() -> None:
    drawn = split_validation(NAMES, 0.3, seed=1)
    assert len(drawn) == 30
    assert drawn < set(NAMES)
    assert drawn == split_validation(NAMES[::-1], 0.3, seed=1)
    assert drawn != split_validation(NAMES, 0.3, seed=2)


def test_at_least_one_and_never_all() -> None:
    assert len(split_validation(NAMES[:2], 0.01, seed=0)) == 1
    assert len(split_validation(NAMES[:2], 0.99, seed=0)) == 1
    assert split_validation(NAMES[:1], 0.9, seed=0) == set()
    assert split_validation(NAMES, 0, seed=0) == set()


@pytest.mark.parametrize("share", [-0.1, 1, 2])
def test_a_share_is_less_than_all(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        split_validation(NAMES, share, seed=0)
