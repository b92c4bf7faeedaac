"""Convolutions by cuDNN's graphs, on a stand-in that computes what a graph says, and by columns."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from darknet_py import ops as devices
from darknet_py.ops import cache as disk
from tests.ops.cudnn_stand_in import StandIn
from tests.ops.cupy_stand_in import gpu_on_numpy
from tests.ops.windows import Conv, convs
from tests.support.reference import random_array

cpu = devices.for_device("cpu")
QUICK = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def cudnn(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    module = StandIn()
    monkeypatch.setitem(sys.modules, "cudnn", module)
    return module


@pytest.fixture
def load(tmp_path: Path) -> Callable[[], ModuleType]:
    """A process of its own: what is kept from one to the next lies in a folder."""

    def started() -> ModuleType:
        gpu = gpu_on_numpy()
        names = {name: getattr(disk, name) for name in ("load", "make_key", "store")}
        gpu.cudnn.disk = SimpleNamespace(folder=lambda key: tmp_path / key, **names)
        return gpu

    return started


@pytest.fixture
def gpu(cudnn: StandIn, load: Callable[[], ModuleType]) -> ModuleType:
    return load()


def draw(conv: Conv) -> tuple[np.ndarray, ...]:
    """x, weights, delta and biases of a convolution, float32."""
    shapes = conv.x_shape, conv.weights_shape, conv.y_shape, (conv.out_c,)
    return tuple(random_array(shape, k, "float32") for k, shape in enumerate(shapes))


CONV = Conv(2, 5, 6, 4, 6, 3, 1, 1, 1, 1, 0)


def check(gpu: ModuleType, conv: Conv, what: tuple[Any, ...], *, half: bool = False) -> None:
    """A convolution with its epilogue against the CPU's, one after the other."""
    before, has_added, after, has_biases = what
    x, weights, added, biases = draw(conv)
    window = conv.window
    if half:
        x, weights, added = (_round(gpu, each) for each in (x, weights, added))
    y = cpu.conv2d(x, weights, *window)
    y = cpu.activate(y + biases if has_biases else y, before)
    expected = cpu.activate(y + added if has_added else y, after)
    there = [gpu.array(each) for each in (x, weights, added)]
    if half:
        there = [gpu.pointwise.narrow(each) for each in there]
    found = gpu.convolution.convolve(
        there[0],
        there[1],
        gpu.array(biases) if has_biases else None,
        before,
        there[2] if has_added else None,
        after,
        *window,
        exact=False,
    )
    if half:
        assert found.dtype == gpu.kernel.HALF
        found = gpu.pointwise.widen(found)
    tolerance = (2e-2 if half else 1e-5) * np.abs(expected).max(initial=1e-3)
    np.testing.assert_allclose(gpu.to_host(found), expected, 0, tolerance)


def _round(gpu: ModuleType, x: np.ndarray) -> np.ndarray:
    back: np.ndarray = gpu.to_host(gpu.pointwise.widen(gpu.pointwise.narrow(gpu.array(x))))
    return back


EPILOGUES = [
    ("linear", False, "linear", False),
    ("leaky", False, "linear", True),
    ("linear", True, "relu", True),
    ("logistic", True, "linear", True),
    ("tanh", False, "relie", False),
    ("selu", True, "stair", True),
]


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("what", EPILOGUES)
def test_by_graphs(gpu: ModuleType, cudnn: StandIn, what: tuple[Any, ...], half: bool) -> None:
    check(gpu, CONV, what, half=half)
    assert cudnn.executed == 1


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("what", EPILOGUES)
def test_what_no_graph_takes_goes_by_columns(
    gpu: ModuleType, cudnn: StandIn, what: tuple[Any, ...], half: bool
) -> None:
    cudnn.refuses = lambda names: True
    check(gpu, CONV, what, half=half)
    assert cudnn.executed == 0


def test_refused_as_one_graph_the_epilogue_comes_after(gpu: ModuleType, cudnn: StandIn) -> None:
    cudnn.refuses = lambda names: len(names) > 1
    check(gpu, CONV, ("leaky", True, "linear", True))
    assert cudnn.executed == 1


@pytest.mark.parametrize("refusal", [RuntimeError("no such type on this device")])
def test_every_refusal_is_one(gpu: ModuleType, cudnn: StandIn, refusal: Exception) -> None:
    cudnn.refuses, cudnn.refusal = lambda names: True, refusal
    check(gpu, CONV, ("leaky", False, "linear", True))


@given(conv=convs())
@QUICK
def test_all_windows_and_both_gradients(gpu: ModuleType, conv: Conv) -> None:
    check(gpu, conv, ("leaky", False, "linear", True))
    x, weights, delta, _ = draw(conv)
    window = conv.window
    calls = {
        "conv2d": (x, weights, *window),
        "conv2d_backward_input": (delta, weights, conv.x_shape, *window),
        "conv2d_backward_weights": (delta, x, conv.size, *window),
    }
    for name, arguments in calls.items():
        there = [gpu.array(each) if isinstance(each, np.ndarray) else each for each in arguments]
        found, expected = getattr(gpu, name)(*there), getattr(cpu, name)(*arguments)
        np.testing.assert_allclose(gpu.to_host(found), expected, 0, 1e-4, err_msg=name)


def test_gradients_of_half_maps_are_half(gpu: ModuleType, cudnn: StandIn) -> None:
    for refuses in (False, True):
        cudnn.refuses = lambda names, answer=refuses: answer  # type: ignore[misc]
        conv = CONV._replace(c=4 + refuses)
        x, weights, delta = (_round(gpu, each) for each in draw(conv)[:3])
        there = [gpu.pointwise.narrow(gpu.array(each)) for each in (x, weights, delta)]
        window = conv.window
        convolution = gpu.convolution
        found = [
            convolution.convolve_input(there[2], there[1], conv.x_shape, *window, exact=False),
            convolution.convolve_weights(there[2], there[0], conv.size, *window, exact=False),
        ]
        expected = [
            cpu.conv2d_backward_input(delta, weights, conv.x_shape, *window),
            cpu.conv2d_backward_weights(delta, x, conv.size, *window),
        ]
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == gpu.kernel.HALF
            widened = gpu.to_host(gpu.pointwise.widen(one))
            np.testing.assert_allclose(widened, other, 0, 1e-2 * np.abs(other).max())


def test_doubles_never_ask_cudnn(gpu: ModuleType, cudnn: StandIn) -> None:
    x, weights = (gpu.array(each, np.float64) for each in draw(CONV)[:2])
    assert gpu.conv2d(x, weights, 1, 1, 1).dtype == np.float64
    assert cudnn.built == 0


def test_one_plan_for_a_shape(gpu: ModuleType, cudnn: StandIn) -> None:
    for _ in range(2):
        check(gpu, CONV, ("leaky", False, "linear", True))
    assert (cudnn.built, cudnn.executed) == (1, 2)
    check(gpu, CONV._replace(n=1), ("leaky", False, "linear", True))
    assert cudnn.built == 2


def test_plans_are_kept_on_disk(cudnn: StandIn, load: Callable[[], ModuleType]) -> None:
    for _ in range(2):  # a process after the other
        check(load(), CONV, ("leaky", True, "relu", True))
    assert (cudnn.built, cudnn.executed) == (1, 2)


def test_a_plan_that_cannot_be_read_is_made_again(
    cudnn: StandIn, load: Callable[[], ModuleType]
) -> None:
    check(load(), CONV, ("leaky", False, "linear", True))
    cudnn.forgets = True
    check(load(), CONV, ("leaky", False, "linear", True))
    assert cudnn.built == 2


def test_plans_of_another_version_are_not_ours(
    cudnn: StandIn, load: Callable[[], ModuleType]
) -> None:
    check(load(), CONV, ("leaky", False, "linear", True))
    cudnn.__version__ = "1.28.9"
    check(load(), CONV, ("leaky", False, "linear", True))
    assert cudnn.built == 2


def test_what_plans_must_not_do(gpu: ModuleType, cudnn: StandIn) -> None:
    check(gpu, CONV, ("linear", False, "linear", False))
    assert cudnn.deselected == [{"NONDETERMINISTIC"}]
    x, weights = map(gpu.array, draw(CONV)[:2])
    gpu.conv2d(x, weights, 1, 1, 1)
    assert cudnn.deselected[1] > {"TENSOR_CORE", "DOWN_CONVERT_INPUTS", "NONDETERMINISTIC"}


def test_a_library_that_does_not_load_is_none(gpu: ModuleType, cudnn: StandIn) -> None:
    def fail() -> object:
        raise RuntimeError("cuDNN is not there")

    vars(cudnn)["create_handle"] = fail
    check(gpu, CONV, ("leaky", False, "linear", True))
    assert cudnn.built == 0


def test_plans_are_made_and_read_on_a_stream_that_lives(
    cudnn: StandIn, load: Callable[[], ModuleType]
) -> None:
    """cuDNN's handle keeps the stream of the last program, and dies of one that is gone."""
    for _ in range(2):  # the second process finds the plans of the first
        gpu = load()
        x, weights = (gpu.array(each) for each in draw(CONV)[:2])
        for size in (2, 1):
            stream = gpu.program.cp.cuda.Stream()
            with stream:
                gpu.convolution.convolve(
                    x[:size], weights, None, "linear", None, "linear", 1, 1, 1, 1, False
                )
            assert cudnn.planned_on[-1] == stream.ptr
            del stream
    assert len(cudnn.planned_on) == 4
