"""Which GPU, and whether it can be used at all."""

from __future__ import annotations

import cupy as cp

from darknet_py.errors import DeviceError
from darknet_py.ops.gpu.faults import DRIVER, LIBRARIES, first_line
from darknet_py.ops.gpu.memory import allocate


def use_device(index: int) -> None:
    """What follows in this thread runs on this GPU. Raises DeviceError: why it cannot."""
    check_number(index)
    try:
        cp.cuda.Device(index).use()
        cp.cuda.set_allocator(allocate)
        _compute()
    except (cp.cuda.runtime.CUDARuntimeError, cp.cuda.memory.OutOfMemoryError) as error:
        raise DeviceError(f"gpu:{index} cannot be used: {first_line(error)}") from error
    except (ImportError, RuntimeError, cp.cuda.compiler.CompileException) as error:
        # a RuntimeError is how cupy reports that the compiler's library is missing
        raise DeviceError(f"cupy cannot compute: {first_line(error)}: {LIBRARIES}") from error


def device_name() -> str:
    """The one that this thread uses, as in "gpu:0"."""
    return f"gpu:{cp.cuda.Device().id}"


def describe() -> str:
    """The GPU that this thread uses: its name, its memory, the versions of CUDA."""
    properties = cp.cuda.runtime.getDeviceProperties(cp.cuda.Device().id)
    memory = properties["totalGlobalMem"] / 1e9
    driver, library = cp.cuda.runtime.driverGetVersion(), cp.cuda.runtime.runtimeGetVersion()
    return f"{properties['name'].decode()}, {memory:.0f} GB; CUDA {library}, driver for {driver}"


def check_number(index: int) -> None:
    """Raises DeviceError where this machine has no such GPU."""
    try:
        count = cp.cuda.runtime.getDeviceCount()
    except cp.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(f"no GPU can be used: {first_line(error)}: {DRIVER}") from error
    if index >= count:
        numbers = "none" if count == 0 else ", ".join(f"gpu:{i}" for i in range(count))
        raise DeviceError(f"no such GPU: gpu:{index}: this machine has {numbers}")


def _compute() -> None:
    """Memory, the run-time compiler and cuBLAS, once: cupy loads them when first used."""
    one = cp.ones((1, 1), cp.float32)
    cp.asnumpy(one @ one + one)
