from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.operations.convolution.narrow_output import (
    is_narrow,
    narrow_output,
    narrow_output_reference,
    offsets_for,
    pack,
    panels_for,
    row_bytes,
)
from tests.support.convolutions import Fused, make_arrays
from tests.support.kernels import address, aligned, copied, run

# n, h, w, c, filters, size, padding: rows of more pixels than are done together, too
CASES = [
    (1, 5, 7, 16, 1, 3, 1),
    (2, 6, 9, 20, 3, 3, 1),
    (1, 3, 200, 8, 3, 3, 1),
    (2, 8, 8, 33, 2, 5, 2),
    (1, 4, 4, 3, 4, 2, 0),
]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("case", CASES)
def test_it_is_what_the_reference_computes(
    case: tuple[int, int, int, int, int, int, int], threads: int
) -> None:
    n, h, w, c, filters, size, padding = case
    if not is_narrow(filters, size, size):
        pytest.skip("as wide as half a vector here")
    arrays = make_arrays((n, h, w, c), filters, size, 1, padding, 1, Fused())
    panels = panels_for(filters, size * size)
    packed = pack(arrays.weights, None, backward=False)
    offsets = np.array(offsets_for(size, size, filters), np.int64)
    mask = copied((np.arange(vector_length()) < filters).astype("f"))
    scratch = aligned(threads * size * row_bytes(panels) // 4)
    scratch[...] = 1e30
    run(
        narrow_output,
        threads,
        x=arrays.windows,
        y=arrays.y_map.view,
        high=size,
        wide=size,
        weights=address(packed),
        panels=panels,
        offsets=address(offsets),
        biases=arrays.epilogue.biases,
        mask=address(mask),
        scratch=address(scratch),
        row_size=row_bytes(panels),
    )
    arrays.check(3e-6)
    border = [(padding, padding)] * 2 + [(0, 0)]
    for x, found in zip(arrays.x.astype("d"), arrays.y_map.values, strict=True):
        expected = narrow_output_reference(np.pad(x, border), arrays.weights.astype("d"))
        biases = arrays.kept[0][:filters]
        np.testing.assert_allclose(found, expected + biases, rtol=1e-5, atol=1e-4)
