from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops import normalize
from darknet_py.ops.activations import activate, activate_backward
from darknet_py.ops.cpu.codegen.kernel import ChannelArrays, Epilogue
from darknet_py.ops.cpu.maxpool import maxpool, maxpool_backward
from darknet_py.ops.cpu.operations import batchnorm_backward as kernels
from darknet_py.ops.normalize import EPSILON
from tests.support.kernels import (
    THREADS,
    Map,
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

ACTIVATIONS = pytest.mark.parametrize("activation", ["linear", "leaky", "relu", "ramp", "relie"])
ALL_THREADS = pytest.mark.parametrize("threads", THREADS)
SHAPES = pytest.mark.parametrize("shape", [(2, 4, 6, 20), (1, 2, 2, 1), (3, 2, 4, 40)])


class Case:
    """A layer: what it has, and what its backward should give, in float64."""

    def __init__(self, shape: tuple[int, ...], activation: str, kind: str) -> None:
        self.shape, self.activation, self.kind = shape, activation, kind
        c = shape[-1]
        self.x = random_array(shape, 1, "float32") * 2 + random_array((c,), 2, "float32") * 5
        self.scales, self.biases = (random_array((c,), i, "float32") for i in (4, 5))
        self.mean, self.variance = normalize.batch_statistics(self.x)
        self.scale = self.scales / (np.sqrt(self.variance) + np.float32(1e-6))
        self.shift = self.biases
        z = (self.x.astype("d") - self.mean) * self.scale + self.shift
        self.y = activate(z, activation)
        self.pool = (2, 2, 0) if kind == "pooled" else None
        n, h, w, _ = shape
        self.delta_shape = (n, h // 2, w // 2, c) if self.pool else shape
        self.delta = random_array(self.delta_shape, 6, "float32")
        d = self.delta.astype("d")
        if self.pool:
            assert maxpool(self.y, *self.pool).shape == self.delta_shape
            d = maxpool_backward(d, self.y, *self.pool)
        self.d = activate_backward(d, self.y, activation)
        self.given = self.d, self.x.astype("d"), self.scales, self.mean, self.variance

    def run(self, threads: int, fixed: bool = False) -> tuple[Map, list[np.ndarray]]:
        """The map of the delta of x, and the updates of scales and biases."""
        c = self.delta_shape[3]
        x, delta, out = map_of(self.x, 0), map_of(self.delta), Map(self.shape, 2)
        given = [channels(each) for each in (self.mean, self.scale, self.shift)]
        given += [channels(np.full(padded(c), 9.0)) for _ in "abe"]
        of_c = ChannelArrays(*map(address, given))
        variance, scales = channels(self.variance), copied(self.scales)
        updates = [copied(np.ones(c)), copied(np.ones(c))]
        size = kernels.backward_sums_size(x.view.vectors)
        sums = aligned(threads * size, "uint8")
        room = {"sums": address(sums), "sums_size": size}
        given_slopes = slopes(self.activation)
        epilogue = Epilogue(slopes=address(given_slopes))
        numbers = copied(np.array([EPSILON.variance, EPSILON.deviation]))
        first = getattr(kernels, f"backward_sums_{self.kind}")
        run(first, threads, x=x.view, delta=delta.view, channels=of_c, epilogue=epilogue, **room)
        run(
            kernels.finish_backward_sums,
            threads,
            count=self.x.size // c,
            c=c,
            vectors=x.view.vectors,
            variance=address(variance),
            numbers=address(numbers),
            scales=address(scales),
            scale_updates=address(updates[0]),
            bias_updates=address(updates[1]),
            channels=of_c,
            fixed=int(fixed),
            **room,
        )
        run(
            getattr(kernels, f"backward_{self.kind}"),
            threads,
            x=x.view,
            other=delta.view,
            y=out.view,
            channels=of_c,
            epilogue=epilogue,
        )
        assert all(some.is_sound() for some in (x, delta, out))
        return out, updates


@ALL_THREADS
@ACTIVATIONS
@SHAPES
@pytest.mark.parametrize("kind", ["plain", "pooled"])
def test_backward(shape: tuple[int, ...], kind: str, activation: str, threads: int) -> None:
    case = Case(shape, activation, kind)
    out, (scale_updates, bias_updates) = case.run(threads)
    x_delta, scales, biases = normalize.batchnorm_backward(*case.given)
    for found, expected in (
        (out.values, x_delta),
        (scale_updates - 1, scales),
        (bias_updates - 1, biases),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    if kind == "plain" and activation == "linear" and case.x[..., 0].size > 1:
        arrays = kernels.normalize_backward_reference(case.d, case.x.astype("d"), case.scales)
        for one, other in zip(arrays, (x_delta, scales, biases), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


@ALL_THREADS
@ACTIVATIONS
@SHAPES
@pytest.mark.parametrize("kind", ["plain", "pooled"])
def test_backward_of_constants(
    shape: tuple[int, ...], kind: str, activation: str, threads: int
) -> None:
    case = Case(shape, activation, kind)
    out, (scale_updates, bias_updates) = case.run(threads, fixed=True)
    x_delta, scales, biases = normalize.batchnorm_fixed_backward(*case.given)
    np.testing.assert_allclose(out.values, x_delta, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scale_updates - 1, scales, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(bias_updates - 1, biases, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("activation", ["linear", "leaky", "relu"])
def test_the_first_of_equal_values_gets_the_delta(activation: str) -> None:
    x = np.array([[1, 1, 2, 3], [1, 1, 3, 3]], "f").reshape(1, 2, 4, 1)
    case = Case((1, 2, 4, 1), activation, "pooled")
    case.x, case.scale, case.shift = x, np.ones(1), np.zeros(1)
    case.scales, case.variance = np.ones(1), np.ones(1)
    case.delta = np.array([5, 7], "f").reshape(1, 1, 2, 1)
    out, _ = case.run(1, fixed=True)
    np.testing.assert_allclose(out.values.ravel(), [5, 0, 0, 7, 0, 0, 0, 0], rtol=1e-5)


@ALL_THREADS
def test_biases_alone(threads: int) -> None:
    """Without batch norm: the sums of d, added to the updates."""
    c = 20
    delta = random_array((2, 3, 5, c), 2, "float32")
    delta_map, zeros = map_of(delta), channels(np.zeros(c))
    size = kernels.backward_sums_size(delta_map.view.vectors)
    sums, updates = aligned(threads * size, "uint8"), copied(np.ones(c))
    room = {"sums": address(sums), "sums_size": size}
    given_slopes = slopes("linear")
    run(
        kernels.backward_sums_plain,
        threads,
        x=delta_map.view,
        delta=delta_map.view,
        channels=ChannelArrays(*[address(zeros)] * 3),
        epilogue=Epilogue(slopes=address(given_slopes)),
        **room,
    )
    run(kernels.add_bias_updates, threads, c=c, bias_updates=address(updates), **room)
    np.testing.assert_allclose(updates, 1 + delta.astype("d").sum((0, 1, 2)), rtol=1e-5)
    assert delta_map.is_sound()
