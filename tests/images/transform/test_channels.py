from __future__ import annotations

import numpy as np
import pytest

from darknet_py.errors import ShapeError
from darknet_py.images import to_channels
from tests.images.pictures import noise


def test_three_channels_are_the_picture_itself() -> None:
    image = noise(4, 5)
    assert to_channels(image, 3) is image
    assert to_channels(image.astype(np.float64), 3).dtype == np.float32


def test_one_channel_is_the_mean() -> None:
    image = noise(4, 5)
    grey = to_channels(image, 1)
    assert grey.shape == (4, 5, 1)
    assert grey.dtype == np.float32
    np.testing.assert_allclose(grey[:, :, 0], image.mean(axis=2), atol=1e-6)


@pytest.mark.parametrize("c", [0, 2, 4])
def test_pictures_have_no_other_number_of_channels(c: int) -> None:
    with pytest.raises(ShapeError) as caught:
        to_channels(noise(4, 5), c)
    assert str(caught.value) == f"takes {c} channels: pictures have 1 or 3"


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="not a picture"):
        to_channels(noise(4, 5)[0], 1)
