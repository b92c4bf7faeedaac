from __future__ import annotations

import pytest

from darknet_py.images.dataset.validation_split import set_aside

NAMES = [f"cat/{index}.jpg" for index in range(100)]


def test_a_share_that_the_seed_draws() -> None:
    drawn = set_aside(NAMES, 0.3, seed=1)
    assert len(drawn) == 30
    assert drawn < set(NAMES)
    assert drawn == set_aside(NAMES[::-1], 0.3, seed=1)
    assert drawn != set_aside(NAMES, 0.3, seed=2)


def test_at_least_one_and_never_all() -> None:
    assert len(set_aside(NAMES[:2], 0.01, seed=0)) == 1
    assert len(set_aside(NAMES[:2], 0.99, seed=0)) == 1
    assert set_aside(NAMES[:1], 0.9, seed=0) == set()
    assert set_aside(NAMES, 0, seed=0) == set()


@pytest.mark.parametrize("share", [-0.1, 1, 2])
def test_a_share_is_less_than_all(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        set_aside(NAMES, share, seed=0)
