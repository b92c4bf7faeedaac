"""Pixels as bytes, where nothing is lost by it: for the CPU, where pictures are read.

Not one of the functions that both devices have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.cpu.jit import kernel

Array = Any

_BYTE = np.float32(255)
_HALF = np.float32(0.5)


def to_bytes(image: Array) -> Array | None:
    """The uint8 array whose numbers, divided by 255 in float32, are `image` bit for bit.

    `image`: C-contiguous float32 of any shape, values 0..1. None where there is no such array,
    as for a picture of 16 bits a channel.
    """
    pixels = np.empty(image.shape, np.uint8)
    return pixels if _to_bytes(image.reshape(-1), pixels.reshape(-1)) else None


@kernel
def _to_bytes(image, pixels):  # type: ignore[no-untyped-def]
    lost = 0
    for i in range(len(image)):
        byte = np.uint8(image[i] * _BYTE + _HALF)
        pixels[i] = byte
        lost += np.float32(byte) / _BYTE != image[i]
    return lost == 0
