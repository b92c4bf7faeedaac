from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.kernel import TensorView
from darknet_py.ops.cpu.operations.image_input import image_input, image_input_reference
from tests.support.kernels import THREADS, Map, address, copied, run
from tests.support.reference import random_array


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("tight", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 5, 4), (1, 1, 1, 1), (3, 20, 2, 2)])
def test_image_input(shape: tuple[int, ...], tight: bool, threads: int) -> None:
    n, c, h, w = shape
    x, scales, shifts = copied(random_array(shape, 1)), random_array((c,), 2), random_array((c,), 3)
    y_map, factors = Map((n, h, w, c), tight=tight), copied(np.stack([scales, shifts], axis=1))
    given = TensorView(address(x), n, h, w, c, 0, 4 * c * h * w, 4 * w, 4 * h * w)
    run(image_input, threads, x=given, y=y_map.view, factors=address(factors))
    expected = image_input_reference(x.astype("d"), scales, shifts)
    np.testing.assert_allclose(y_map.values, expected, rtol=1e-5, atol=1e-6)
    assert y_map.is_sound()
