"""GPUs that exchange arrays: NCCL's part, with a stand-in whose processes are threads."""

from __future__ import annotations

import ctypes
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from darknet_py import ops
from darknet_py.errors import DeviceError, TrainingError
from tests.ops.cupy_stand_in import cupy_replaced, make_cupy

TYPES = {7: ctypes.c_float, 8: ctypes.c_double}
"""NCCL's numbers of them."""


class NcclError(RuntimeError):
    """What cupy raises where NCCL fails."""


KEY = bytes(range(128))


def make_nccl(size: int) -> Any:
    """What cupy.cuda.nccl has, for so many threads."""
    barrier = threading.Barrier(size, timeout=20)
    sent: dict[int, np.ndarray] = {}

    class NcclCommunicator:
        def __init__(self, count: int, key: bytes, rank: int) -> None:
            assert (count, key) == (size, KEY)
            self.rank = rank
            barrier.wait()

        def allReduce(  # noqa: N802 - cupy's name
            self, source: int, target: int, count: int, kind: int, op: int, stream: int
        ) -> None:
            assert (source, op) == (target, 0)
            pointer = ctypes.cast(target, ctypes.POINTER(TYPES[kind]))
            values = np.ctypeslib.as_array(pointer, (count,))
            sent[self.rank] = values.copy()
            barrier.wait()
            total = sum(sent[rank] for rank in range(size))
            barrier.wait()
            values[:] = total

        def check_async_error(self) -> None:
            pass

    return SimpleNamespace(
        available=True,
        NCCL_FLOAT32=7,
        NCCL_FLOAT64=8,
        NCCL_SUM=0,
        NcclError=NcclError,
        NcclCommunicator=NcclCommunicator,
        get_unique_id=lambda: KEY,
        groupStart=lambda: None,
        groupEnd=lambda: None,
    )


@pytest.fixture
def cupy() -> Iterator[ModuleType]:
    module = make_cupy(devices=2)
    with cupy_replaced(module):
        sys.modules["cupy.cuda.nccl"] = make_nccl(2)
        yield module


def nowhere() -> None:
    """Nobody has ended."""


def in_threads(work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(rank,), daemon=True) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_sums(cupy: ModuleType) -> None:
    rendezvous = ops.gpu_rendezvous([1, 0])
    assert rendezvous.devices == ["gpu:1", "gpu:0"]
    results: dict[int, list[np.ndarray]] = {}

    def work(rank: int) -> None:
        communicator = rendezvous.join(rank, nowhere)
        assert (communicator.rank, communicator.size) == (rank, 2)
        values = [np.array([[1, 2], [3, 4]], np.float32), np.array([0.1])]
        arrays = [cupy.array(each * (rank + 1)) for each in values]
        communicator.sum(arrays)
        results[rank] = [cupy.asnumpy(each) for each in arrays]

    in_threads(work)
    for rank in (0, 1):
        whole, small = results[rank]
        np.testing.assert_array_equal(whole, np.array([[3, 6], [9, 12]], np.float32))
        np.testing.assert_array_equal(small, [0.1 + 0.2])
    assert {0, 1} <= set(cupy.cuda.Device.used)


def test_who_waits_hears_that_another_has_ended(cupy: ModuleType) -> None:
    cupy.cuda.Event = type("Event", (), {"done": False, "record": lambda *_: None})
    ended = TrainingError("the process of gpu:1 has ended")
    heard: list[object] = []

    def watch() -> None:
        raise ended

    def work(rank: int) -> None:
        communicator = rendezvous.join(rank, nowhere)
        communicator._watch = watch
        try:
            communicator.sum([cupy.ones(2, np.float32)])
        except TrainingError as error:
            heard.append(error)

    rendezvous = ops.gpu_rendezvous([0, 1])
    in_threads(work)
    assert heard == [ended, ended]


def test_no_such_gpu(cupy: ModuleType) -> None:
    with pytest.raises(DeviceError, match=r"no such GPU: gpu:2: this machine has gpu:0, gpu:1"):
        ops.gpu_rendezvous([0, 2])


def test_nccl_is_missing(cupy: ModuleType) -> None:
    sys.modules["cupy.cuda.nccl"].available = False  # type: ignore[attr-defined]
    with pytest.raises(DeviceError, match="several GPUs need NCCL: pip install nvidia-nccl-cu13 "):
        ops.gpu_rendezvous([0, 1])


def test_nccl_fails(cupy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    rendezvous = ops.gpu_rendezvous([0, 1])

    def fail(*_: object) -> None:
        raise NcclError("NCCL_ERROR_SYSTEM_ERROR: unhandled system error")

    nccl = importlib.import_module("cupy.cuda.nccl")
    monkeypatch.setattr(nccl, "NcclCommunicator", fail)
    monkeypatch.setattr(nccl, "NcclError", NcclError)
    with pytest.raises(DeviceError, match=r"^NCCL cannot begin: NCCL_ERROR_SYSTEM_ERROR"):
        rendezvous.join(0, nowhere)
