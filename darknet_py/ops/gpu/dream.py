"""The guide of a dream. Its product of pixels and features is a convolution of single pixels, which
is cuDNN's: cupy lets no CUDA graph hold cuBLAS."""

from __future__ import annotations

from darknet_py.ops.array_types import Array
from darknet_py.ops.dream import guide_by_products
from darknet_py.ops.gpu.convolution import conv2d


def guide_delta(y: Array, features: Array) -> Array:
    """At each pixel that of the features (1, 1, m, c) whose product with y there is largest.

    Source: "dreaming with a guide" of Google's DeepDream notebook (Mordvintsev et al. 2015).
    """

    def product(pixels: Array, known: Array) -> Array:
        c = known.shape[1]
        products = conv2d(pixels.reshape(1, -1, 1, c), known.reshape(-1, 1, 1, c), 1, 0, 1)
        return products.reshape(-1, known.shape[0])

    return guide_by_products(y, features, product)
