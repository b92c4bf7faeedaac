"""Which device `for_device` gives, and what it says where there is none."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

from darknet_py import ops
from darknet_py.errors import DeviceError
from tests.ops.cupy_stand_in import (
    CompileException,
    CUDARuntimeError,
    OutOfMemoryError,
    cupy_replaced,
    make_cupy,
)

NO_DRIVER = CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")


def raiser(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        raise error

    return fail


def complaint(device: str = "gpu") -> str:
    """What is wrong with a device: one line."""
    with pytest.raises(DeviceError) as caught:
        ops.for_device(device)
    message = str(caught.value)
    assert message.splitlines() == [message]
    return message


@contextmanager
def broken_cupy(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Iterator[None]:
    """`import cupy` finds a module of this text."""
    (folder / "cupy.py").write_text(text)
    monkeypatch.syspath_prepend(folder)
    with cupy_replaced(None):
        del sys.modules["cupy"]
        yield


@pytest.mark.parametrize("name", ["", "GPU", "gpu0", "gpu:", "gpu:-1", "gpu:x", "gpu:1000", "cuda"])
def test_no_such_device(name: str) -> None:
    assert complaint(name).startswith(f"no such device: {name!r}: expected cpu, gpu, gpu:N or auto")


def test_cpu() -> None:
    module = ops.for_device("cpu")
    assert module.__name__ == "darknet_py.ops.cpu"
    assert ops.for_device("cpu") is module


@pytest.mark.parametrize(("device", "index"), [("gpu", 0), ("gpu:0", 0), ("gpu:2", 2), ("auto", 0)])
def test_gpu(device: str, index: int) -> None:
    cupy = make_cupy(devices=3)
    with cupy_replaced(cupy):
        assert ops.for_device(device).__name__ == "darknet_py.ops.gpu"
        assert cupy.cuda.Device.used == [index]


def test_without_cupy() -> None:
    with cupy_replaced(None):
        assert "[gpu]'" in complaint()
        assert ops.for_device("auto") is ops.for_device("cpu")


def test_cupy_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
try:
    raise OSError("libcudart.so.13: no such file")
except OSError as error:
    raise ImportError("====\\nFailed to import.\\n====") from error
"""
    with broken_cupy(tmp_path, monkeypatch, text):
        assert complaint().startswith("cupy does not load: libcudart.so.13: no such file: ")
        assert ops.for_device("auto") is ops.for_device("cpu")


@pytest.mark.parametrize(
    ("devices", "device", "has"),
    [(0, "gpu", "none"), (1, "gpu:1", "gpu:0"), (2, "gpu:5", "gpu:0, gpu:1")],
)
def test_no_such_gpu(devices: int, device: str, has: str) -> None:
    with cupy_replaced(make_cupy(devices)):
        index = device.removeprefix("gpu").removeprefix(":") or "0"
        assert complaint(device) == f"no such GPU: gpu:{index}: this machine has {has}"


def test_no_driver() -> None:
    cupy = make_cupy()
    cupy.cuda.runtime.getDeviceCount = raiser(NO_DRIVER)
    with cupy_replaced(cupy):
        assert re.match("no GPU can be used: cudaErrorInsuff.*is its driver installed", complaint())
        assert ops.for_device("auto") is ops.for_device("cpu")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (CUDARuntimeError("cudaErrorUnknown: unknown"), "gpu:0 cannot be used: cudaErrorUnknown"),
        (OutOfMemoryError("Out of memory\nallocating"), "gpu:0 cannot be used: Out of memory"),
        (ImportError("libcublas.so.13: no such file\n  in /"), "cupy cannot compute: libcublas"),
        (RuntimeError("\n  Failure finding libnvrtc\n"), "cupy cannot compute: Failure finding"),
        (CompileException(""), "cupy cannot compute: CompileException"),
    ],
)
def test_it_cannot_compute(error: BaseException, says: str) -> None:
    cupy = make_cupy()
    vars(cupy)["ones"] = raiser(error)
    with cupy_replaced(cupy):
        assert complaint().startswith(says)


def test_a_fault_of_ours_is_no_fault_of_the_device() -> None:
    cupy = make_cupy()
    vars(cupy)["ones"] = raiser(TypeError("ours"))
    with cupy_replaced(cupy), pytest.raises(TypeError, match="ours"):
        ops.for_device("auto")


def test_nothing_stays_of_a_stand_in() -> None:
    before = set(sys.modules)
    stood_in: ModuleType = make_cupy()
    with cupy_replaced(stood_in):
        ops.for_device("gpu")
    assert sys.modules.get("cupy") is not stood_in
    left = set(sys.modules) - before
    assert not [name for name in left if "cupy" in name or "ops.gpu" in name]
