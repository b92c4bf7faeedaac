from __future__ import annotations

import numpy as np
import pytest

from darknet_py.ops import normalize
from darknet_py.ops.activations import activate, activate_backward
from darknet_py.ops.cpu.maxpool import maxpool, maxpool_backward
from darknet_py.ops.cpu.operations import batchnorm_backward_kernel as kernels
from darknet_py.ops.cpu.operations import statistics_backward as statistics
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
        self.added = random_array(shape, 3, "float32")
        self.scales, self.biases = (random_array((c,), i, "float32") for i in (4, 5))
        self.mean, self.variance = normalize.batch_statistics(self.x)
        self.scale = self.scales / (np.sqrt(self.variance) + np.float32(1e-6))
        self.shift = self.biases
        z = (self.x.astype("d") - self.mean) * self.scale + self.shift
        self.y = activate(z + self.added if kind == "stored" else z, activation)
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

    def run(self, threads: int, fixed: bool = False) -> tuple[Map, Map, list[np.ndarray]]:
        """The maps of the delta of x and of d, and the updates of scales and biases."""
        n, h, w, c = self.delta_shape
        vectors = padded(c) // padded(1)
        x, y, delta = map_of(self.x, 0), map_of(self.y), map_of(self.delta)
        out, kept = Map(self.shape, 2), Map(self.delta_shape)
        of_c = {
            name: channels(getattr(self, name)) for name in ("mean", "variance", "scale", "shift")
        }
        abe = {name: channels(np.full(padded(c), 9.0)) for name in "abe"}
        updates = [copied(np.ones(c)), copied(np.ones(c))]
        size = statistics.backward_sums_size(vectors)
        sums = aligned(threads * size, "uint8")
        given_slopes = slopes(self.activation)
        common = {
            **x.pitches("x"),
            **y.pitches("y"),
            **delta.pitches("delta"),
            "batch": n,
            "h": h,
            "w": w,
            "vectors": vectors,
            "slopes": address(given_slopes),
            **{name: address(of_c[name]) for name in ("mean", "scale", "shift")},
        }
        run(
            getattr(statistics, f"backward_sums_{self.kind}"),
            threads,
            sums=address(sums),
            sums_size=size,
            **kept.pitches("kept"),
            **common,
        )
        run(
            statistics.finish_backward_sums,
            threads,
            sums=address(sums),
            sums_size=size,
            count=self.x.size // c,
            c=c,
            vectors=vectors,
            variance=address(of_c["variance"]),
            scales=address(scales := copied(self.scales)),
            scale_updates=address(updates[0]),
            bias_updates=address(updates[1]),
            fixed=int(fixed),
            **{name: address(value) for name, value in abe.items()},
        )
        del scales
        run(
            getattr(kernels, f"backward_{self.kind}"),
            threads,
            **out.pitches("out"),
            **common,
            **{name: address(value) for name, value in abe.items()},
        )
        assert all(some.is_sound() for some in (x, y, delta, out, kept))
        return out, kept, updates


@ALL_THREADS
@ACTIVATIONS
@SHAPES
@pytest.mark.parametrize("kind", ["plain", "stored", "pooled"])
def test_backward(shape: tuple[int, ...], kind: str, activation: str, threads: int) -> None:
    case = Case(shape, activation, kind)
    out, kept, (scale_updates, bias_updates) = case.run(threads)
    x_delta, scales, biases = normalize.batchnorm_backward(*case.given)
    for found, expected in (
        (out.values, x_delta),
        (scale_updates - 1, scales),
        (bias_updates - 1, biases),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    if kind == "stored":
        np.testing.assert_allclose(kept.values, case.d, rtol=1e-6)


@ALL_THREADS
@ACTIVATIONS
@SHAPES
@pytest.mark.parametrize("kind", ["plain", "stored", "pooled"])
def test_backward_of_constants(
    shape: tuple[int, ...], kind: str, activation: str, threads: int
) -> None:
    case = Case(shape, activation, kind)
    out, _, (scale_updates, bias_updates) = case.run(threads, fixed=True)
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
    out, _, _ = case.run(1, fixed=True)
    np.testing.assert_allclose(out.values.ravel(), [5, 0, 0, 7, 0, 0, 0, 0], rtol=1e-5)
