from __future__ import annotations

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.ops.activations import (
    CHANNELWISE,
    POINTWISE,
    activate,
    activate_backward,
    saved_of,
)
from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.codegen.kernel import NO_VIEW, ChannelArrays, Epilogue
from darknet_py.ops.cpu.compile.program import Program
from darknet_py.ops.cpu.compile.step import Weights
from darknet_py.ops.cpu.operations import activation as kernels
from darknet_py.ops.execution import replay
from darknet_py.ops.graph import Tracer
from tests.support.kernels import THREADS, Map, address, channels, map_of, run

cpu = devices.for_device("cpu")
NAMES = pytest.mark.parametrize("name", kernels.FUNCTIONS)
SHAPE = 2, 3, 5, 20
SPECIAL = np.array([0, -0.0, np.nan, np.inf, -np.inf, 1e30, -1e30, 88, -88, 1e-6, -1e-6, 1e-30])

# stair subtracts whole numbers; in its tail gelu has the rounding of exp's argument
ROUNDING = {"stair": 4e-6, "gelu": 1e-8}


def values() -> np.ndarray:
    x = np.random.default_rng(1).normal(size=SHAPE) * np.geomspace(0.01, 40, SHAPE[3])
    return x.astype("float32")


def forward(name: str, x: np.ndarray, threads: int = 1) -> np.ndarray:
    x_map, y_map = map_of(x), Map(x.shape)
    ones = channels(np.ones(x.shape[3]))
    rest = {"channels": ChannelArrays(scale=address(ones)), "epilogue": Epilogue()}
    maps = {"x": x_map.view, "other": NO_VIEW, "y": y_map.view}
    run(kernels.forward_kernel(name), threads, **maps, **rest)
    assert x_map.is_sound()
    assert y_map.is_sound()
    return y_map.values


def test_every_activation_has_a_kernel() -> None:
    assert not kernels.FUNCTIONS.keys() & SLOPES.keys()
    assert kernels.FUNCTIONS.keys() | SLOPES.keys() == POINTWISE.keys()


@NAMES
@pytest.mark.parametrize("threads", THREADS)
def test_values(name: str, threads: int) -> None:
    x = values()
    expected = kernels.activate_reference(x, name)
    np.testing.assert_allclose(
        forward(name, x, threads), expected, rtol=2e-6, atol=ROUNDING.get(name, 1e-30)
    )


@NAMES
def test_limits(name: str) -> None:
    x = SPECIAL.astype("float32").reshape(1, 1, 1, -1)
    with np.errstate(all="ignore"):
        expected = activate(x.astype("d"), name)
    np.testing.assert_allclose(
        forward(name, x), expected, rtol=2e-6, atol=ROUNDING.get(name, 1e-30)
    )


@NAMES
def test_deltas(name: str) -> None:
    x = values()
    delta = np.random.default_rng(2).normal(size=SHAPE).astype("float32")
    saved = saved_of(x, activate(x, name), name)
    delta_map, saved_map, out = map_of(delta), map_of(saved), Map(SHAPE)
    maps = {"x": delta_map.view, "other": saved_map.view, "y": out.view}
    run(kernels.backward_kernel(name), 2, **maps, channels=ChannelArrays(), epilogue=Epilogue())
    assert out.is_sound()
    expected = activate_backward(delta.astype("d"), saved.astype("d"), name)
    np.testing.assert_allclose(out.values, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("name", CHANNELWISE)
@pytest.mark.parametrize("threads", THREADS)
def test_channels_of_a_pixel(name: str, threads: int) -> None:
    x = values()
    x[0, 0, 0, 3], x[1, 0, 0] = 1e30, -1e30
    x_map, y_map = map_of(x), Map(x.shape)
    way = list(CHANNELWISE).index(name)
    run(kernels.normalize_channels, threads, x=x_map.view, y=y_map.view, way=way)
    assert y_map.is_sound()
    expected = kernels.activate_reference(x, name)
    np.testing.assert_allclose(y_map.values, expected, rtol=2e-6, atol=1e-30)


@pytest.mark.parametrize("name", ["mish", "logistic", *CHANNELWISE])
@pytest.mark.parametrize("is_read_twice", [False, True])
def test_program_computes_in_place_where_nothing_else_reads(name: str, is_read_twice: bool) -> None:
    """Channels that fill no vector, behind a convolution and before another of 3x3 and a sum."""
    rng = np.random.default_rng(3)
    first, second = (rng.normal(size=s).astype("float32") for s in ((5, 3, 3, 4), (7, 3, 3, 5)))
    tracer = Tracer(cpu)
    x = tracer.to_hwc(tracer.input((1, 4, 9, 7)))
    z = tracer.conv2d(x, first, 1, 1, 1)
    y = tracer.activate(z, name)
    outputs = [tracer.conv2d(y, second, 1, 1, 1)]
    outputs += [z] * is_read_twice
    graph = tracer.graph(outputs)
    program = Program(graph, Weights(), 2, exact=True)
    step = next(each for each in program.steps if isinstance(each, kernels.ActivateByFunction))
    executable = program.bind()
    x_place, y_place = (executable.binding.place(each).address for each in (step.x, step.y))
    assert (x_place == y_place) == (not is_read_twice)
    picture = rng.normal(size=(1, 4, 9, 7)).astype("float32")
    for _ in range(2):
        executable.run(picture)
        for found, expected in zip(executable.outputs, replay(graph, [picture]), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5)
