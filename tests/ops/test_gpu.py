"""The GPU against the CPU, where there is one."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings

from darknet_py import ops as devices
from darknet_py.errors import DeviceError
from tests.ops import agreement, cupy_stand_in
from tests.ops.windows import Conv, Pool, convs, pools

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
    assert callable(cupy.lib.stride_tricks.as_strided)
    assert callable(cupy.asnumpy)


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


def test_no_such_gpu(gpu: ModuleType) -> None:
    with pytest.raises(DeviceError, match="no such GPU: gpu:999: this machine has gpu:0"):
        devices.for_device("gpu:999")
