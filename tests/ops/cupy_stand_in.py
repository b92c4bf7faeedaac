"""A module that answers like cupy and computes with numpy, for machines without a GPU.

Its arrays keep the rules of cupy's that are easily broken where nothing enforces them: they do not
meet numpy's arrays in an operation, numpy's functions take them only where numpy asks them first
and cupy has a function of that name, and the one way to the host is `asnumpy`.
"""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

from darknet_py import ops
from tests.ops import tape
from tests.ops.cuda_on_cpu import RawModule, compiler

# What of cupy is used. A GPU's tests look whether cupy has it all.
CREATE = ("array", "ascontiguousarray", "empty", "ones", "zeros")
COMPUTE = (
    "take",
    "arange",
    "broadcast_to",
    "clip",
    "concatenate",
    "empty_like",
    "ones_like",
    "reshape",
    "where",
    "zeros_like",
)
TYPES = ("float32", "float64", "int32", "uint8")
METHODS = (
    "clip",
    "all",
    "argmax",
    "astype",
    "copy",
    "cumsum",
    "max",
    "mean",
    "repeat",
    "reshape",
    "std",
    "sum",
    "transpose",
    "view",
)
PROPERTIES = {"name": b"stand-in", "major": 9, "minor": 0, "multiProcessorCount": 132}
"""Of a device."""
ATTRIBUTES = ("T", "dtype", "flags", "ndim", "shape", "size", "strides")


class DeviceArray(NDArrayOperatorsMixin):
    """An array that is not on the host, or behaves as if."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.memory: Any = None

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError("numpy asks for the values of an array of the device")

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = (), **kwargs: Any
    ) -> Any:
        given = _inside(inputs)
        if ufunc is np.matmul:
            tape.host("calling cuBLAS API during stream capture", NotImplementedError)
        if out:
            kwargs["out"] = _inside(out)
            tape.effect(lambda: getattr(ufunc, method)(*given, **kwargs))
            return out[0]
        return _device(tape.result(lambda: np.asarray(getattr(ufunc, method)(*given, **kwargs))))

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if function is np.array and isinstance(args[0], np.ndarray):  # like= one of the device
            return _device(np.array(*args, **kwargs))
        if function.__name__ not in (*COMPUTE, "array"):
            raise TypeError(f"if cupy has {function.__name__}, add it to COMPUTE")
        inside, named = _inside(args), _inside(kwargs)
        if function is np.concatenate and _in_one_kernel(inside[0]):
            tape.host("a list of addresses")
        return _device(tape.result(lambda: np.asarray(function(*inside, **named))))

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            method = getattr(self._values, name)

            def call(*args: Any, **kwargs: Any) -> DeviceArray:
                inside, named = _inside(args), _inside(kwargs)
                return _device(tape.result(lambda: np.asarray(method(*inside, **named))))

            return call
        if name in ATTRIBUTES:
            value = getattr(self._values, name)
            return _device(value) if isinstance(value, np.ndarray) else value
        raise AttributeError(f"if cupy's arrays have {name}, add it to METHODS or ATTRIBUTES")

    def __getitem__(self, at: Any) -> DeviceArray:
        where = _place(at)
        return _device(tape.result(lambda: self._values[where]))

    def __setitem__(self, at: Any, value: Any) -> None:
        where, what = _place(at), _inside(value)
        tape.effect(lambda: self._values.__setitem__(where, what))

    def set(self, values: np.ndarray, stream: Any = None) -> None:
        tape.host("set")
        assert (values.shape, values.dtype) == (self._values.shape, self._values.dtype)
        self._values[...] = values

    def get(self, stream: Any, out: np.ndarray, blocking: bool) -> None:
        tape.host("get")
        assert (out.shape, out.dtype) == (self._values.shape, self._values.dtype)
        assert self._values.flags.c_contiguous
        out[...] = self._values

    @property
    def data(self) -> SimpleNamespace:
        return SimpleNamespace(ptr=self._values.ctypes.data)

    def __float__(self) -> float:
        tape.host("float")
        return float(self._values)

    def __bool__(self) -> bool:
        tape.host("bool")
        return bool(self._values)


def _inside(value: Any) -> Any:
    """The same values for numpy. Raises TypeError for an array of the host, as cupy does."""
    if isinstance(value, DeviceArray):
        return value._values
    if isinstance(value, np.ndarray):
        raise TypeError("an array of the host among arrays of the device")
    if isinstance(value, dict):
        return {name: _inside(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_inside(item) for item in value)
    return value


def _place(at: Any) -> Any:
    """What an array is indexed with, for numpy."""
    for one in at if isinstance(at, tuple) else (at,):
        if isinstance(one, list | np.ndarray):
            tape.host("a list of indices")
        if isinstance(one, DeviceArray) and one.dtype == bool:
            tape.host("how many values are true")
    return _inside(at)


def _in_one_kernel(arrays: list[np.ndarray]) -> bool:
    """Whether cupy joins these by a kernel that is sent their addresses: many small ones."""
    size = sum(x.nbytes for x in arrays)
    is_one_type = len({x.dtype for x in arrays}) == 1
    return len(arrays) > 8 and is_one_type and size < len(arrays) * 2 * 1024 * 1024


def _device(values: Any) -> DeviceArray:
    """Arrays, and numbers that numpy made of them, as arrays of the device."""
    return DeviceArray(np.asarray(values))


class CUDARuntimeError(RuntimeError):
    """What cupy raises where the driver refuses."""


class OutOfMemoryError(MemoryError):
    """What cupy raises where memory ends."""


class CompileException(Exception):  # noqa: N818 - cupy's name
    """What cupy raises where a kernel does not compile."""


class Stream:
    """A stream; what is launched while it captures is a graph, and runs at once here."""

    refusal: Exception | None = None
    """What capturing raises, if anything."""
    device: type[Device]
    entered: ClassVar[list[Stream]] = []

    def __init__(self, non_blocking: bool = False) -> None:
        self.ptr = id(self)
        self.device_id = self.device().id
        self.synchronized = 0

    def __enter__(self) -> Stream:
        if self.device_id != self.device().id:
            raise RuntimeError("the stream is of another device than the current one")
        self.entered.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.entered.pop()

    def synchronize(self) -> None:
        self.synchronized += 1

    def begin_capture(self) -> None:
        tape.begin()

    def end_capture(self) -> Graph:
        calls = tape.end()
        if self.refusal is not None:
            raise self.refusal
        return Graph(calls)


class Event:
    """A mark in a stream; what it waits for is done at once here."""

    done = False

    def __init__(
        self, block: bool = False, disable_timing: bool = False, interprocess: bool = False
    ) -> None:
        self.at: float | None = None
        self.has_time = not disable_timing

    def record(self, stream: Stream | None = None) -> None:
        self.done, self.at = True, time.perf_counter()

    def synchronize(self) -> None:
        tape.host("synchronize")


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    """Milliseconds between two marks."""
    assert start_event.has_time
    assert end_event.has_time
    assert start_event.at is not None
    assert end_event.at is not None
    return 1e3 * (end_event.at - start_event.at)


class Graph:
    """What a stream captured."""

    def __init__(self, calls: list[Callable[[], Any]]) -> None:
        self.calls = calls
        self.launched = 0

    def launch(self, stream: Stream) -> None:
        self.launched += 1
        for call in self.calls:
            call()


class Memory:
    """Memory of the device. free: bytes that are left."""

    free = 1 << 30

    def __init__(self, size: int) -> None:
        if size > self.free:
            raise CUDARuntimeError("cudaErrorMemoryAllocation: out of memory")
        type(self).free -= size
        self.size = size

    def give_back(self) -> None:
        type(self).free += self.size


class Block:
    """Memory that a pool has lent; it is lent again on the same stream."""

    def __init__(self, pool: MemoryPool, memory: Memory) -> None:
        self._pool, self._memory = pool, memory
        self._stream = _current()

    def __del__(self) -> None:
        self._pool.cached.append((self._stream, self._memory))


def _current() -> Stream | None:
    return Stream.entered[-1] if Stream.entered else None


class MemoryPool:
    """A pool, which keeps what it has until it is told otherwise, even when it is forgotten."""

    def __init__(self, allocator: Callable[[int], Any]) -> None:
        self._allocator = allocator
        self.cached: list[tuple[Stream | None, Memory]] = []

    def malloc(self, size: int) -> Block:
        here = _current()
        for one in self.cached:
            stream, memory = one
            if stream is here and memory.size >= size:
                self.cached.remove(one)
                return Block(self, memory)
        try:
            return Block(self, self._allocator(size))
        except CUDARuntimeError:
            self.free_all_blocks()
        try:
            return Block(self, self._allocator(size))
        except CUDARuntimeError:
            raise OutOfMemoryError(
                f"Out of memory allocating {size:,} bytes (allocated so far: 0 bytes)."
            ) from None

    def free_all_blocks(self) -> None:
        for _, memory in self.cached:
            memory.give_back()
        self.cached = []

    def get_limit(self) -> int:
        return 0


class Device:
    """A GPU; without a number the one that this thread uses, of all that are `used`."""

    used: list[int]
    here: threading.local

    def __init__(self, index: int | None = None) -> None:
        self.id: int = getattr(self.here, "id", 0) if index is None else index

    def use(self) -> None:
        self.used.append(self.id)
        self.here.id = self.id


def make_cupy(devices: int = 1) -> ModuleType:
    """A module to stand at "cupy", on a machine with this many GPUs."""
    cupy = ModuleType("cupy")
    device = type("Device", (Device,), {"used": [], "here": threading.local()})
    stream = type("Stream", (Stream,), {"device": device})
    cupy.__spec__ = ModuleSpec("cupy", None)
    memory: Any = type("Memory", (Memory,), {})
    pool, allocators = MemoryPool(memory), Allocators()
    for name in CREATE:
        setattr(cupy, name, _creator(getattr(np, name), allocators))
    for name in (*COMPUTE, *TYPES):
        setattr(cupy, name, getattr(np, name))
    for name, value in vars(np).items():
        if isinstance(value, np.ufunc):
            setattr(cupy, name, value)
    vars(cupy).update(
        ndarray=DeviceArray,
        asnumpy=_asnumpy,
        get_default_memory_pool=lambda: pool,
        RawModule=RawModule,
        cuda=SimpleNamespace(
            Device=device,
            compiler=SimpleNamespace(CompileException=CompileException),
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            Memory=memory,
            MemoryPointer=lambda memory, offset: memory,
            MemoryPool=MemoryPool,
            set_allocator=allocators.set,
            Event=Event,
            get_elapsed_time=get_elapsed_time,
            Stream=stream,
            get_current_stream=lambda: _current() or stream(),
            using_allocator=allocators.using,
            runtime=SimpleNamespace(
                CUDARuntimeError=CUDARuntimeError,
                getDeviceCount=lambda: devices,
                memGetInfo=lambda: (memory.free, 1 << 30),
                getDeviceProperties=lambda index: dict(PROPERTIES),
            ),
        ),
    )
    return cupy


class Allocators:
    """What new arrays are given memory by."""

    def __init__(self) -> None:
        self.now: Callable[[int], Any] = lambda size: None

    def set(self, allocator: Callable[[int], Any]) -> None:
        self.now = allocator

    @contextmanager
    def using(self, allocator: Callable[[int], Any]) -> Iterator[None]:
        before, self.now = self.now, allocator
        try:
            yield
        finally:
            self.now = before


def _creator(function: Callable[..., Any], allocators: Allocators) -> Callable[..., DeviceArray]:
    def create(first: Any, *args: Any, **kwargs: Any) -> DeviceArray:
        # the only functions that may be given an array of the host
        if isinstance(first, np.ndarray | list):
            tape.host("an array of the host")
        values = first._values if isinstance(first, DeviceArray) else first
        made = _device(tape.result(lambda: function(values, *args, **kwargs)))
        made.memory = allocators.now(made._values.nbytes)
        return made

    return create


def _asnumpy(x: Any) -> np.ndarray:
    tape.host("asnumpy")
    return x._values.copy() if isinstance(x, DeviceArray) else np.asarray(x)


@contextmanager
def cupy_replaced(cupy: ModuleType | None) -> Iterator[None]:
    """`import cupy` finds this module, or fails; ops.gpu is not loaded yet, and is not after."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_gpu(name)}
    loaded = vars(ops).pop("gpu", None)
    # None in sys.modules is an import that fails
    sys.modules["cupy"] = cupy  # type: ignore[assignment]
    cupyx = None if cupy is None else ModuleType("cupyx")
    sys.modules["cupyx"] = cupyx  # type: ignore[assignment]
    if cupyx is not None:
        vars(cupyx)["empty_pinned"] = np.empty
    try:
        yield
    finally:
        for name in filter(_is_gpu, list(sys.modules)):
            del sys.modules[name]
        vars(ops).pop("gpu", None)
        sys.modules.update(kept)
        if loaded is not None:
            vars(ops)["gpu"] = loaded


def _is_gpu(module: str) -> bool:
    return f"{module}.".startswith(("cupy.", "cupyx.", "darknet_py.ops.gpu."))


def gpu_on_numpy() -> ModuleType:
    """A module ops.gpu of its own, over the stand-in. Skips the test where its kernels cannot be
    compiled."""
    if compiler() is None:
        pytest.skip("needs a C++ compiler, which stands in for a GPU's")
    return gpu_on_stand_in()


def gpu_on_stand_in() -> ModuleType:
    """The same, for those who launch no kernel."""
    with cupy_replaced(make_cupy()):
        return importlib.import_module("darknet_py.ops.gpu")
