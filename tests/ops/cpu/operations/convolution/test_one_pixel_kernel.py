from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.operations.convolution.one_pixel_kernel import ONE_PANEL, direct_one
from tests.support.convolutions import EPILOGUES, Epilogue, make_arrays, vectors_of, with_channels
from tests.support.kernels import address, aligned, copied, panels, run, run_again

LENGTH = vector_length()


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("epilogue", [one for one in EPILOGUES if not one.pooled])
@pytest.mark.parametrize(
    ("shape", "filters"),
    [((1, 1, 1, 40), 10), ((1, 1, 1, 3), 19 * LENGTH + 1), ((1, 3, 3, 16), 8 * LENGTH)],
)
def test_a_single_pixel(
    shape: tuple[int, int, int, int], filters: int, epilogue: Epilogue, threads: int
) -> None:
    size = shape[1]
    arrays = make_arrays(shape, filters, size, 1, 0, 1, epilogue)
    x_map = arrays.x_map
    weights = with_channels(arrays.weights, x_map.c_padded)
    segments = np.arange(size) * x_map.row
    packed = copied(panels(weights.reshape(filters, -1).T[None], ONE_PANEL))
    scratch = aligned(2 * threads, "int64")
    used = arrays.arguments.items() - {
        (f"y_{key}", arrays.y_map.pitches("y")[f"y_{key}"]) for key in ("image", "row", "pixel")
    }
    run(
        direct_one,
        threads,
        **dict(used),
        segments=address(segments),
        count=size,
        length=size * x_map.c_padded,
        weights=address(packed),
        vectors=vectors_of(filters),
        list_=address(scratch),
    )
    arrays.check(3e-6)


@pytest.mark.parametrize("length", [4, 8, 16])
def test_other_vector_lengths(length: int) -> None:
    run_again(__file__, "single", length)
