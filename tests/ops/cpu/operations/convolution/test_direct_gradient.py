from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.kernel import PackedWeights
from darknet_py.ops.cpu.conv import conv2d_backward_weights
from darknet_py.ops.cpu.operations.convolution.direct_gradient import (
    add_weight_gradient,
    sums_size,
    weight_gradient,
    weight_gradient_reference,
)
from darknet_py.ops.sizes import conv_out
from tests.support.kernels import address, aligned, copied, map_of, padded, run
from tests.support.reference import random_array


class Case(NamedTuple):
    n: int
    h: int
    w: int
    c: int
    filters: int
    size: int
    stride: int
    padding: int
    groups: int = 1


CASES = [
    Case(2, 5, 7, 3, 16, 3, 1, 1),
    Case(1, 9, 8, 3, 20, 5, 2, 2),
    Case(3, 4, 5, 16, 33, 1, 1, 0),
    Case(2, 6, 5, 20, 8, 3, 1, 1),
    Case(2, 7, 6, 9, 17, 2, 2, 0),
    Case(1, 6, 6, 1, 1, 3, 1, 2),
    Case(2, 5, 5, 6, 10, 3, 1, 1, 2),
    Case(2, 5, 5, 8, 8, 3, 2, 1, 8),
    Case(2, 4, 3, 24, 36, 1, 1, 0, 2),
]


@pytest.mark.parametrize(("threads", "copies"), [(1, 1), (2, 1), (2, 2), (4, 2), (3, 3)])
@pytest.mark.parametrize("block", [1, 2, 100])
@pytest.mark.parametrize("case", CASES)
def test_weight_gradient(case: Case, block: int, threads: int, copies: int) -> None:
    n, h, w, c, filters, size, stride, padding, groups = case
    out_h, out_w = conv_out(h, size, stride, padding), conv_out(w, size, stride, padding)
    x = random_array((n, h, w, c), 1, "float32")
    delta = random_array((n, out_h, out_w, filters), 2, "float32")
    before = random_array((filters, size, size, c // groups), 3, "float32")
    is_tight = c == 3
    x_map = map_of(x, border=padding, tight=is_tight)
    delta_map = map_of(delta, border=0)
    if groups == 1:
        # a row of the window is one piece of memory
        count, length, rows = size, size * x_map.c_padded, x_map.c_padded
        segments = np.arange(size) * x_map.row
    else:
        count, length, rows = size * size, c // groups, c // groups
        segments = np.add.outer(np.arange(size) * x_map.row, np.arange(size) * x_map.pixel).ravel()
    bytes_of_copy = sums_size(filters, count * length, groups)
    sums = aligned(copies * bytes_of_copy // 4)
    sums[...] = np.nan
    updates = copied(before)
    view = x_map.view
    run(
        weight_gradient,
        threads,
        x=view._replace(
            address=view.address - padding * (view.row + view.pixel),
            row=stride * view.row,
            pixel=stride * view.pixel,
        ),
        delta=delta_map.view,
        window=PackedWeights(address(segments), count, length, 0),
        groups=groups,
        group_vectors=padded(filters // groups) // padded(1),
        x_group=4 * (c // groups),
        delta_group=4 * (filters // groups),
        block=block,
        sums=address(sums),
        sums_size=bytes_of_copy,
        copies=copies,
    )
    run(
        add_weight_gradient,
        threads,
        sums=address(sums),
        sums_size=bytes_of_copy,
        copies=copies,
        updates=address(updates),
        filters=filters,
        taps=size * size,
        c=c // groups,
        c_padded=rows,
        groups=groups,
    )
    window = size, stride, padding, groups
    expected = conv2d_backward_weights(delta.astype("d"), x.astype("d"), *window) + before
    np.testing.assert_allclose(updates, expected, rtol=1e-5, atol=2e-5)
    assert x_map.is_sound()
    assert delta_map.is_sound()
    if groups == 1:
        reference = weight_gradient_reference(
            x.astype("d"), delta.astype("d"), (size, size), stride, padding
        )
        np.testing.assert_allclose(reference + before, expected, rtol=1e-9)
