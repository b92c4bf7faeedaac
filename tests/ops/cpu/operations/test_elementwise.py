from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import NO_VIEW, ChannelArrays, Epilogue
from darknet_py.ops.cpu.operations import elementwise as kernels
from darknet_py.ops.reshape import shortcut
from tests.support.kernels import THREADS, Map, address, copied, map_of, padded, run, slopes
from tests.support.reference import random_array

ALL_THREADS = pytest.mark.parametrize("threads", THREADS)
SHAPES = pytest.mark.parametrize("shape", [(2, 3, 5, 20), (1, 1, 1, 1), (3, 2, 2, 8)])


@ALL_THREADS
@SHAPES
@pytest.mark.parametrize("activation", SLOPES)
def test_activations(shape: tuple[int, ...], activation: str, threads: int) -> None:
    x, delta = random_array(shape, 1, "float32"), random_array(shape, 2, "float32")
    x_map, delta_map, y_map, out = map_of(x), map_of(delta), Map(shape), Map(shape, 0)
    epilogue = Epilogue(slopes=address(given := slopes(activation)))
    rest = {"channels": ChannelArrays(), "epilogue": epilogue}
    run(kernels.activate, threads, x=x_map.view, other=NO_VIEW, y=y_map.view, **rest)
    y = kernels.activate_reference(x, activation)
    np.testing.assert_allclose(y_map.values, y, rtol=1e-6)
    maps = {"x": delta_map.view, "other": y_map.view, "y": out.view}
    run(kernels.activate_backward, threads, **maps, **rest)
    expected = kernels.activate_backward_reference(delta, y, activation)
    np.testing.assert_allclose(out.values, expected, rtol=1e-6)
    assert all(each.is_sound() for each in (x_map, delta_map, y_map, out)), given


LENGTH = vector_length()
SUMS = [
    ((2, 4, 6, 20), (2, 4, 6, 20)),
    ((1, 4, 6, LENGTH), (1, 2, 3, 3 * LENGTH)),
    ((1, 3, 2, 2 * LENGTH), (1, 6, 4, LENGTH)),
    ((2, 4, 4, LENGTH + 3), (2, 4, 4, LENGTH + 1)),
    ((2, 4, 4, 3), (2, 2, 2, LENGTH + 5)),
    ((1, 2, 3, 2 * LENGTH), (1, 2, 3, 2)),
]


def whole_and_rest(c: int, other_c: int) -> tuple[int, int]:
    """Vectors of channels that both have, and further channels."""
    return (padded(c) // LENGTH, 0) if c == other_c else divmod(min(c, other_c), LENGTH)


@ALL_THREADS
@pytest.mark.parametrize(("x_shape", "other_shape"), SUMS)
def test_sums(x_shape: tuple[int, ...], other_shape: tuple[int, ...], threads: int) -> None:
    x, other = random_array(x_shape, 1, "float32"), random_array(other_shape, 2, "float32")
    x_map, other_map, y_map = map_of(x), map_of(other, 0), Map(x_shape)
    overlap = kernels.Overlap(
        min(x_shape[1], other_shape[1]),
        min(x_shape[2], other_shape[2]),
        *whole_and_rest(x_shape[3], other_shape[3]),
        max(x_shape[1] // other_shape[1], 1),
        max(other_shape[1] // x_shape[1], 1),
    )
    factors, given = copied(np.array([0.5, 2.0])), slopes("leaky")
    run(
        kernels.add,
        threads,
        x=x_map.view,
        other=other_map.view,
        y=y_map.view,
        overlap=overlap,
        factors=address(factors),
        slopes=address(given),
    )
    reference = kernels.add_reference(x, other, 0.5, 2.0)
    np.testing.assert_allclose(reference, shortcut(x, other, 0.5, 2.0), rtol=1e-6)
    expected = kernels.activate_reference(reference, "leaky")
    np.testing.assert_allclose(y_map.values, expected, rtol=1e-5, atol=1e-6)
    assert all(each.is_sound() for each in (x_map, other_map, y_map))
