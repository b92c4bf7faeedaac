"""A dream with a guide: the one product of maps that is no layer's.

It is a convolution of single pixels, which is cuDNN's: cupy lets no CUDA graph hold cuBLAS.
"""

from __future__ import annotations

from typing import Any

import cupy as cp

from darknet_py.ops.gpu.convolution import conv2d

Array = Any

_ROWS = 4096
"""Pixels that are compared with a guide at once: the table of their products stays small."""


def guide_delta(y: Array, features: Array) -> Array:
    """At each pixel that of the features (1, 1, m, c) whose product with y there is largest.

    Source: "dreaming with a guide" of Google's DeepDream notebook (Mordvintsev et al. 2015).
    """
    c = y.shape[-1]
    pixels, known = y.reshape(-1, c), features.reshape(-1, c)
    filters = known.reshape(-1, 1, 1, c)
    delta = cp.empty(pixels.shape, y.dtype)
    for first in range(0, pixels.shape[0], _ROWS):
        here = slice(first, first + _ROWS)
        products = conv2d(pixels[here].reshape(1, -1, 1, c), filters, 1, 0, 1)
        delta[here] = known[products.reshape(-1, known.shape[0]).argmax(axis=1)]
    return delta.reshape(y.shape)
