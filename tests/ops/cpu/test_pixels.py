from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.pixels import to_bytes

BYTES = np.arange(256, dtype=np.uint8).reshape(8, 32)
FLOATS = np.divide(BYTES, 255, dtype=np.float32)


def test_every_byte_comes_back() -> None:
    pixels = to_bytes(FLOATS)
    assert pixels is not None
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, BYTES)


@pytest.mark.parametrize("value", [0.5, 1 / 65535, np.nextafter(np.float32(0.2), np.float32(1))])
def test_what_no_byte_can_hold(value: float) -> None:
    image = FLOATS.copy()
    image[3, 5] = value
    assert to_bytes(image) is None
