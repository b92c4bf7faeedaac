"""The GPU against the CPU, where there is one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import DeviceError
from darknet_py.network import Network
from scripts.gpu.accuracy import measure
from tests.ops import agreement, cupy_stand_in
from tests.ops.windows import Conv, Pool, convs, pools
from tests.support.golden import golden_names, load_golden

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    try:
        return devices.for_device("gpu")
    except DeviceError as error:
        pytest.skip(f"no GPU: {error}")


def test_cupy_has_what_its_stand_in_has() -> None:
    cupy = pytest.importorskip("cupy", reason="needs cupy, though no GPU")
    names = (*cupy_stand_in.CREATE, *cupy_stand_in.COMPUTE, *cupy_stand_in.TYPES)
    assert not [name for name in names if not hasattr(cupy, name)]
    members = (*cupy_stand_in.METHODS, *cupy_stand_in.ATTRIBUTES)
    assert not [name for name in members if not hasattr(cupy.ndarray, name)]
    assert issubclass(cupy.cuda.runtime.CUDARuntimeError, RuntimeError)
    assert issubclass(cupy.cuda.memory.OutOfMemoryError, MemoryError)
    assert issubclass(cupy.cuda.compiler.CompileException, Exception)
    assert callable(cupy.cuda.runtime.getDeviceCount)
    assert callable(cupy.cuda.Device.use)
    assert callable(cupy.asnumpy)
    runtime, cuda = cupy.cuda.runtime, cupy.cuda
    for function in (
        runtime.getDeviceProperties,
        runtime.memGetInfo,
        runtime.streamCreate,
        cuda.Event.record,
        cuda.Event.synchronize,
        cuda.get_current_stream,
        cuda.get_elapsed_time,
        cuda.using_allocator,
        cuda.MemoryPool.malloc,
        cuda.Graph.launch,
        cuda.Stream.begin_capture,
        cuda.Stream.end_capture,
        cuda.Stream.synchronize,
        cupy.ndarray.get,
        cupy.ndarray.set,
        cupy.RawModule.get_function,
        pytest.importorskip("cupyx").empty_pinned,
    ):
        assert callable(function)


def test_what_out_of_memory_says() -> None:
    cupy = pytest.importorskip("cupy", reason="needs cupy, though no GPU")
    from darknet_py.ops.gpu.faults import out_of_memory

    error = cupy.cuda.memory.OutOfMemoryError(3_000_000, 900_000, 0)
    assert str(out_of_memory(error, 2_000_000, 1)) == (
        "out of the GPU's memory: 3.0 MB more asked for, 0.9 MB taken, 2.0 MB free"
    )


@DTYPES
@given(conv=convs())
@settings(max_examples=20)
def test_convolution(gpu: ModuleType, dtype: str, conv: Conv) -> None:
    agreement.check_conv(gpu, conv, dtype)


@DTYPES
@given(pool=pools())
@settings(max_examples=20)
def test_maxpool(gpu: ModuleType, dtype: str, pool: Pool) -> None:
    agreement.check_maxpool(gpu, pool, dtype)


@DTYPES
@pytest.mark.parametrize("name", agreement.CALLS["float32"])
def test_shared(gpu: ModuleType, name: str, dtype: str) -> None:
    agreement.check_calls(gpu, name, dtype)


@pytest.mark.parametrize("name", agreement.FORWARD)
def test_inference(gpu: ModuleType, name: str, tmp_path: Path) -> None:
    agreement.check_inference(gpu, name, tmp_path)


@pytest.mark.parametrize("name", agreement.TRAIN)
def test_training(gpu: ModuleType, name: str, tmp_path: Path) -> None:
    agreement.check_training(gpu, name, tmp_path)


def test_training_with_fixed_statistics(gpu: ModuleType) -> None:
    agreement.check_fixed_statistics(gpu)


def test_layers_that_draw(gpu: ModuleType) -> None:
    net = agreement.check_draws(gpu)
    assert [program.is_graph for program in net.engine._programs.values()] == [True]


@pytest.mark.parametrize("precision", ["tf32", "exact"])
@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in ("forward", "train", "dream") for name in golden_names(kind)],
)
def test_figures(gpu: ModuleType, kind: str, name: str, precision: str) -> None:
    case = measure(gpu, kind, name, precision)
    assert case.is_good, case


@pytest.mark.parametrize("name", ["conv_bn_leaky", "tiny_like", "shortcut", "maxpool_padding"])
def test_half_precision(gpu: ModuleType, name: str) -> None:
    figure = load_golden("forward", name)
    net = Network(parse_sections(figure["cfg"]), "golden.cfg", gpu, half=True)
    with tempfile.NamedTemporaryFile(suffix=".weights") as file:
        file.write(figure["weights"].tobytes())
        file.flush()
        net.load_weights(file.name)
    for _ in range(3):
        for index, found in enumerate(net.activations(figure["x"])):
            expected = figure[f"out_{index}"]
            error = np.linalg.norm(found.reshape(expected.shape) - expected)
            assert error < 3e-2 * np.linalg.norm(expected), index


def test_values_of_the_device_before_there_are_any(gpu: ModuleType) -> None:
    figure = load_golden("forward", "tiny_like")
    one, other = (Network(parse_sections(figure["cfg"]), "golden.cfg", gpu) for _ in range(2))
    one.initialise(0)
    for mine, source in zip(other.parameters(), one.parameters(), strict=True):
        mine.value = source.value.copy()
    other.initialise()
    np.testing.assert_array_equal(other.predict(figure["x"]), one.predict(figure["x"]))


def test_programs_are_graphs(gpu: ModuleType) -> None:
    figure = load_golden("forward", "tiny_like")
    net = Network(parse_sections(figure["cfg"]), "golden.cfg", gpu)
    net.initialise(0)
    for _ in range(2):
        net.predict(figure["x"])
    assert [program.captured for program in net.engine._programs.values()] == [""]
    assert all(program.is_graph for program in net.engine._programs.values())


def test_memory_goes_back(gpu: ModuleType) -> None:
    """Programs are made anew each time that parameters move, and sizes of pictures come and go."""
    figure = load_golden("train", "adam")
    net = Network(parse_sections(figure["cfg"]), "golden.cfg", gpu)
    net.initialise(0)
    x, y = (np.ascontiguousarray(figure[name][0]) for name in ("x", "y"))
    free = []
    for _ in range(6):
        for _ in range(2):
            net.train_step(x, y)
        for _ in range(3):
            net.predict(x[:1])
        free.append(net.engine.free_memory())
    assert len(set(free[2:])) == 1


def test_a_gpu_meets_itself(gpu: ModuleType) -> None:
    try:
        communicator = devices.gpu_rendezvous([0]).join(0, lambda: None)
    except DeviceError as error:
        pytest.skip(str(error))
    values = [np.array([[1, 2], [3, 4]], np.float32), np.array([0.1])]
    arrays = [gpu.array(each, each.dtype) for each in values]
    communicator.sum(arrays)
    for there, here in zip(arrays, values, strict=True):
        np.testing.assert_array_equal(gpu.to_host(there), here)


def test_no_such_gpu(gpu: ModuleType) -> None:
    with pytest.raises(DeviceError, match="no such GPU: gpu:999: this machine has gpu:0"):
        devices.for_device("gpu:999")
