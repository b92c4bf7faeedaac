"""The GPU's functions on a stand-in for cupy: their expressions, not the device."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings

from tests.ops import agreement
from tests.ops.cupy_stand_in import gpu_on_numpy
from tests.ops.windows import Conv, Pool, convs, pools

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    return gpu_on_numpy()


@pytest.fixture(scope="module")
def gpu_with_little_memory() -> ModuleType:
    """A convolution's columns are made for one picture at a time."""
    module = gpu_on_numpy()
    module.im2col.MAX_COLUMNS = 1
    return module


@DTYPES
@given(conv=convs())
def test_convolution(gpu: ModuleType, dtype: str, conv: Conv) -> None:
    agreement.check_conv(gpu, conv, dtype)


@given(conv=convs())
@settings(max_examples=20)
def test_convolution_in_portions(gpu_with_little_memory: ModuleType, conv: Conv) -> None:
    agreement.check_conv(gpu_with_little_memory, conv._replace(n=3), "float64")


@DTYPES
@given(pool=pools())
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


def test_arrays(gpu: ModuleType) -> None:
    host = np.arange(6, dtype=np.float64).reshape(2, 3)
    there = gpu.array(host)
    assert there.dtype == np.float32
    assert gpu.array(host.T).flags.c_contiguous
    host[:] = -1
    back = gpu.to_host(there)
    assert type(back) is np.ndarray
    np.testing.assert_array_equal(back, [[0, 1, 2], [3, 4, 5]])


def test_the_stand_in_keeps_host_and_device_apart(gpu: ModuleType) -> None:
    here, there = np.ones(3), gpu.array(np.ones(3))
    with pytest.raises(TypeError, match="of the host"):
        here + there
    with pytest.raises(TypeError, match="of the host"):
        there += here
    with pytest.raises(TypeError, match="of the host"):
        np.where(there > 0, here, there)
    with pytest.raises(TypeError, match="of the host"):
        there[:] = here
    with pytest.raises(TypeError, match="median"):
        np.median(there)
