from __future__ import annotations

import pytest

from darknet_py.images.dataset.validation_split import split_validation

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
