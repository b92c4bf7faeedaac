from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.images import flip_image
from tests.images.pictures import golden, noise


def test_flip_image_is_the_c_programs() -> None:
    assert np.array_equal(flip_image(golden("x")), golden("flip_image"))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_twice_is_nothing_and_the_picture_is_left_alone(h: int, w: int, c: int) -> None:
    image = noise(h, w, c)
    before = image.copy()
    once = flip_image(image)
    assert once.flags.c_contiguous
    assert not np.shares_memory(once, image)
    assert np.array_equal(flip_image(once), image)
    assert np.array_equal(image, before)


def test_an_array_of_another_shape_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="not a picture"):
        flip_image(noise(4, 4)[0])
