from __future__ import annotations

import numpy as np
import pytest

from darknet_py.images.transform.checks import check_image, check_size


@pytest.mark.parametrize("shape", [(), (3,), (4, 4), (0, 4, 3), (4, 4, 0), (1, 4, 4, 3)])
def test_what_is_not_a_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="is not a picture"):
        check_image(np.zeros(shape, np.float32))


@pytest.mark.parametrize(("w", "h"), [(0, 1), (1, 0), (-3, 5)])
def test_sizes_that_cannot_be(w: int, h: int) -> None:
    with pytest.raises(ValueError, match=f"{w}x{h}"):
        check_size(w, h)


def test_the_smallest_picture_passes() -> None:
    check_image(np.zeros((1, 1, 1), np.float32))
    check_size(1, 1)
