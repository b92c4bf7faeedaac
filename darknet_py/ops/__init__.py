"""Functions of arrays, for each device: the layers' only way to one.

`for_device("cpu")` gives the module whose functions compute on numpy arrays with numba kernels,
`for_device("gpu")` (or "gpu:1") the one for cupy arrays, with the same signatures. Maps are
(n, h, w, c); a vector is a map of height and width 1. No function changes its arguments unless it
says so; it may return one of them.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType
from typing import Any

from darknet_py.errors import DeviceError
from darknet_py.resources import how_to_install

DEVICES = ("cpu", "gpu", "auto")


def for_device(device: str = "auto") -> ModuleType:
    """The functions for a device: "cpu", "gpu", "gpu:N", or "auto", the GPU if it can be used.

    Raises DeviceError: no such device, or why the GPU cannot be used and what to install."""
    if device == "auto":
        with suppress(DeviceError):
            return _gpu(0)
    if device in ("auto", "cpu"):
        return importlib.import_module("darknet_py.ops.cpu")
    match = re.fullmatch(r"gpu(?::([0-9]{1,3}))?", device)
    if not match:
        raise DeviceError(f"no such device: {device!r}: expected cpu, gpu, gpu:N or auto")
    return _gpu(int(match[1] or 0))


def device_name(ops: Any) -> str:
    """The name, "cpu" or "gpu:N", by which for_device gives these functions. Raises TypeError for
    others than it gave."""
    if not isinstance(ops, ModuleType):
        raise TypeError(f"functions of no device: {type(ops).__name__}")
    return "cpu" if ops.__name__.endswith(".cpu") else str(ops.device_name())


def gpu_rendezvous(numbers: Sequence[int]) -> Any:
    """The rendezvous by which processes of these GPUs exchange arrays: see ops.gpu.nccl.

    To be called after for_device has given a GPU. Raises DeviceError.
    """
    return importlib.import_module("darknet_py.ops.gpu.nccl").rendezvous(numbers)


def describe_processor() -> str:
    """The processor that kernels are compiled for, and floats in its vectors."""
    host = importlib.import_module("darknet_py.ops.cpu.codegen.host")
    return f"{host.cpu()[0]} ({host.architecture()}), vectors of {host.vector_length()} floats"


def describe_gpu() -> str:
    """The GPU of `--device gpu`, its memory, CUDA. Raises DeviceError: why there is none."""
    _gpu(0)
    return str(importlib.import_module("darknet_py.ops.gpu.device").describe())


def _gpu(index: int) -> ModuleType:
    if importlib.util.find_spec("cupy") is None:
        raise DeviceError(f"the GPU needs cupy: {how_to_install('gpu')} (CUDA 12: gpu12)")
    gpu = importlib.import_module("darknet_py.ops.gpu")
    gpu.use_device(index)
    return gpu
