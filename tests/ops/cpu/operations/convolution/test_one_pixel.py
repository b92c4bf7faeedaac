from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import PackedWeights
from darknet_py.ops.cpu.operations.convolution.one_pixel import (
    ONE_PANEL,
    dense_reference,
    one_pixel,
)
from tests.support.convolutions import FUSED, Fused, make_arrays, vectors_of, with_channels
from tests.support.kernels import address, aligned, copied, panels, run

LENGTH = vector_length()


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("fused", [one for one in FUSED if not one.pooled])
@pytest.mark.parametrize(
    ("shape", "filters"),
    [((1, 1, 1, 40), 10), ((1, 1, 1, 3), 19 * LENGTH + 1), ((1, 3, 3, 16), 8 * LENGTH)],
)
def test_a_single_pixel(
    shape: tuple[int, int, int, int], filters: int, fused: Fused, threads: int
) -> None:
    size = shape[1]
    arrays = make_arrays(shape, filters, size, 1, 0, 1, fused)
    x_map = arrays.x_map
    weights = with_channels(arrays.weights, x_map.c_padded)
    segments = np.arange(size) * x_map.row
    packed = copied(panels(weights.reshape(filters, -1).T[None], ONE_PANEL))
    scratch = aligned(2 * threads, "int64")
    run(
        one_pixel,
        threads,
        x=arrays.windows,
        y=arrays.y_map.view,
        window=PackedWeights(address(segments), size, size * x_map.c_padded, address(packed)),
        epilogue=arrays.epilogue,
        vectors=vectors_of(filters),
        lists=address(scratch),
    )
    if fused == Fused():
        expected = dense_reference(
            arrays.x.ravel().astype("d"), arrays.weights.reshape(filters, -1).astype("d")
        )
        found = arrays.y_map.values.ravel() - arrays.kept[0][:filters]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    arrays.check(3e-6)
