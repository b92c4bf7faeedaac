from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.operations.convolution import packing as pack
from darknet_py.ops.cpu.operations.convolution.winograd_tiles import WINOGRAD
from tests.support.kernels import (
    THREADS,
    address,
    aligned,
    channels,
    copied,
    padded,
    panels,
    run,
)
from tests.support.reference import random_array

# filters, size, c: more and fewer than vectors and panels hold
SHAPES = [(1, 1, 1), (16, 3, 3), (33, 3, 20), (40, 2, 16), (7, 5, 9), (70, 1, 35)]
WINOGRAD_SHAPES = [(1, 1), (16, 3), (33, 20), (40, 16), (70, 35)]
FACTORS = pytest.mark.parametrize("has_factors", [False, True])
ALL_THREADS = pytest.mark.parametrize("threads", THREADS)


def widened(x: np.ndarray, count: int) -> np.ndarray:
    """Zeros behind the last axis."""
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, count - x.shape[-1])])


@ALL_THREADS
@FACTORS
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("is_padded", [False, True])
def test_direct(
    shape: tuple[int, int, int], is_padded: bool, has_factors: bool, threads: int
) -> None:
    filters, size, c = shape
    weights = copied(random_array((filters, size, size, c), 1))
    factors = channels(random_array((filters,), 2))
    c_padded = padded(c) if is_padded else c
    for panel in (1, 2, 4, 8):
        packed = aligned(padded(filters) * size * size * c_padded)
        packed[...] = 9
        run(
            pack.pack_direct,
            threads,
            weights=address(weights),
            packed=address(packed),
            filters=filters,
            taps=size * size,
            c=c,
            c_padded=c_padded,
            panel=panel,
            factors=address(factors) if has_factors else 0,
        )
        scaled = weights * factors[:filters, None, None, None] if has_factors else weights
        matrix = widened(scaled, c_padded).reshape(filters, -1).T
        np.testing.assert_array_equal(packed, panels(matrix[None], panel).astype("f"))
        if padded(filters) == filters:
            rows = widened(scaled, c_padded).astype("f")
            np.testing.assert_array_equal(packed, pack.pack_reference(rows, panel))


@ALL_THREADS
@FACTORS
@pytest.mark.parametrize("shape", SHAPES)
def test_direct_backward(shape: tuple[int, int, int], has_factors: bool, threads: int) -> None:
    filters, size, c = shape
    weights = copied(random_array((filters, size, size, c), 1))
    factors = channels(random_array((filters,), 2))
    packed = aligned(padded(c) * size * size * padded(filters))
    packed[...] = 9
    run(
        pack.pack_direct_backward,
        threads,
        weights=address(weights),
        packed=address(packed),
        filters=filters,
        taps=size * size,
        c=c,
        filters_padded=padded(filters),
        panel=2,
        factors=address(factors) if has_factors else 0,
    )
    scaled = weights * factors[:filters, None, None, None] if has_factors else weights
    turned = scaled[:, ::-1, ::-1].transpose(3, 1, 2, 0)
    matrix = widened(turned, padded(filters)).reshape(c, -1).T
    np.testing.assert_array_equal(packed, panels(matrix[None], 2).astype("f"))


@ALL_THREADS
@FACTORS
@pytest.mark.parametrize(("m", "size"), WINOGRAD)
@pytest.mark.parametrize("shape", WINOGRAD_SHAPES)
def test_winograd(
    shape: tuple[int, int], m: int, size: int, has_factors: bool, threads: int
) -> None:
    filters, c = shape
    weights = copied(random_array((filters, size, size, c), 1))
    factors = channels(random_array((filters,), 2))
    packed = aligned(padded(filters) * (m + size - 1) ** 2 * padded(c))
    packed[...] = 9
    run(
        pack.PACK_WINOGRAD[m, size],
        threads,
        weights=address(weights),
        packed=address(packed),
        filters=filters,
        c=c,
        c_padded=padded(c),
        factors=address(factors) if has_factors else 0,
    )
    scaled = weights * factors[:filters, None, None, None] if has_factors else weights
    check_winograd(packed, widened(scaled, padded(c)), m, size)


@ALL_THREADS
@FACTORS
@pytest.mark.parametrize(("m", "size"), WINOGRAD)
@pytest.mark.parametrize("shape", WINOGRAD_SHAPES)
def test_winograd_backward(
    shape: tuple[int, int], m: int, size: int, has_factors: bool, threads: int
) -> None:
    filters, c = shape
    weights = copied(random_array((filters, size, size, c), 1))
    factors = channels(random_array((filters,), 2))
    packed = aligned(padded(c) * (m + size - 1) ** 2 * padded(filters))
    packed[...] = 9
    run(
        pack.PACK_WINOGRAD_BACKWARD[m, size],
        threads,
        weights=address(weights),
        packed=address(packed),
        filters=filters,
        c=c,
        filters_padded=padded(filters),
        factors=address(factors) if has_factors else 0,
    )
    scaled = weights * factors[:filters, None, None, None] if has_factors else weights
    turned = scaled[:, ::-1, ::-1].transpose(3, 1, 2, 0)
    check_winograd(packed, widened(turned, padded(filters)), m, size)


def check_winograd(packed: np.ndarray, weights: np.ndarray, m: int, size: int) -> None:
    """weights (filters, size, size, c) give the products (n, n, c, filters), n = m + size - 1."""
    g = WINOGRAD[m, size].g
    products = np.einsum("ay,fyxc,bx->abcf", g, weights.astype("d"), g)
    matrices = products.reshape((m + size - 1) ** 2, *products.shape[2:])
    np.testing.assert_allclose(packed, panels(matrices), rtol=1e-5, atol=1e-6)
