from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.conv import conv2d_backward_weights
from darknet_py.ops.cpu.operations.convolution import winograd_gradient as kernels
from tests.support.kernels import address, aligned, copied, map_of, padded, run
from tests.support.reference import random_array

# n, h, w, c, filters: whole tiles and parts of them
CASES = [(2, 8, 8, 8, 16), (1, 5, 7, 20, 33), (3, 3, 2, 1, 1), (2, 6, 9, 16, 40)]


@pytest.mark.parametrize(("threads", "copies"), [(1, 1), (2, 1), (2, 2), (4, 2), (3, 3)])
@pytest.mark.parametrize(("block", "together"), [(1, 1), (6, 2), (100, 3)])
@pytest.mark.parametrize("m", [2, 4])
@pytest.mark.parametrize("case", CASES)
def test_winograd_gradient(
    case: tuple[int, int, int, int, int],
    m: int,
    block: int,
    together: int,
    threads: int,
    copies: int,
) -> None:
    n, h, w, c, filters = case
    x = random_array((n, h, w, c), 1, "float32")
    delta = random_array((n, h, w, filters), 2, "float32")
    before = random_array((filters, 3, 3, c), 3, "float32")
    x_map, delta_map = map_of(x), map_of(delta, border=0)
    vectors = padded(filters) // padded(1)
    scratch_size = kernels.scratch_size(m, block, together, x_map.c_padded)
    sums_size = kernels.winograd_sums_size(m, x_map.c_padded, vectors)
    scratch, sums = aligned(threads * scratch_size // 4), aligned(copies * sums_size // 4)
    scratch[...] = sums[...] = np.nan
    updates = copied(before)
    run(
        {2: kernels.winograd2_gradient, 4: kernels.winograd4_gradient}[m],
        threads,
        x=x_map.view._replace(address=x_map.address - x_map.row - x_map.pixel),
        delta=delta_map.view,
        vectors=vectors,
        block=block,
        together=together,
        scratch=address(scratch),
        scratch_size=scratch_size,
        sums=address(sums),
        sums_size=sums_size,
        copies=copies,
    )
    run(
        {2: kernels.add_winograd2_gradient, 4: kernels.add_winograd4_gradient}[m],
        threads,
        sums=address(sums),
        sums_size=sums_size,
        copies=copies,
        updates=address(updates),
        filters=filters,
        c=c,
        c_padded=x_map.c_padded,
    )
    expected = conv2d_backward_weights(delta.astype("d"), x.astype("d"), 3, 1, 1, 1) + before
    np.testing.assert_allclose(updates, expected, rtol=1e-4, atol=2e-4 if m == 4 else 3e-5)
    assert x_map.is_sound()
    assert delta_map.is_sound()


@pytest.mark.parametrize("m", [2, 4])
def test_the_reference_is_a_tiles_gradient(m: int) -> None:
    x, delta = random_array((m + 2, m + 2, 3), 1), random_array((m, m, 5), 2)
    expected = conv2d_backward_weights(delta[None], x[None], 3, 1, 0, 1)
    found = kernels.winograd_gradient_reference(x, delta, m)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
