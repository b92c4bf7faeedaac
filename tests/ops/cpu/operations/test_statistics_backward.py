from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops.activations import activate_backward
from darknet_py.ops.cpu.operations import statistics_backward as statistics
from tests.support.kernels import (
    THREADS,
    address,
    aligned,
    channels,
    copied,
    map_of,
    padded,
    run,
    slopes,
)
from tests.support.reference import random_array

ALL_THREADS = pytest.mark.parametrize("threads", THREADS)


@ALL_THREADS
def test_biases_alone(threads: int) -> None:
    """Without batch norm: d in delta's own place, its sums added to the updates."""
    shape = n, h, w, c = 2, 3, 5, 20
    y, delta = random_array(shape, 1, "float32"), random_array(shape, 2, "float32")
    y_map, delta_map, zeros = map_of(y), map_of(delta), channels(np.zeros(c))
    size = statistics.backward_sums_size(zeros.size // padded(1))
    sums, updates = aligned(threads * size, "uint8"), copied(np.ones(c))
    given_slopes = slopes("leaky")
    run(
        statistics.backward_sums_stored,
        threads,
        batch=n,
        h=h,
        w=w,
        vectors=zeros.size // padded(1),
        mean=address(zeros),
        scale=address(zeros),
        shift=address(zeros),
        slopes=address(given_slopes),
        sums=address(sums),
        sums_size=size,
        **y_map.pitches("x"),
        **y_map.pitches("y"),
        **delta_map.pitches("delta"),
        **delta_map.pitches("kept"),
    )
    run(
        statistics.add_bias_updates,
        threads,
        sums=address(sums),
        sums_size=size,
        c=c,
        bias_updates=address(updates),
    )
    expected = activate_backward(delta.astype("d"), y, "leaky")
    np.testing.assert_allclose(delta_map.values, expected, rtol=1e-6)
    np.testing.assert_allclose(updates, 1 + expected.sum((0, 1, 2)), rtol=1e-5)
    assert delta_map.is_sound()
