"""All-reduce between the GPUs of one machine by NVIDIA's NCCL, one process a GPU.

Nothing here blocks for ever where another process has ended: `watch` is called while waiting, and
raises then."""

from __future__ import annotations

import importlib
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cupy as cp

from darknet_py.errors import DeviceError
from darknet_py.ops.array_types import Array
from darknet_py.ops.gpu.device import check_number, use_device
from darknet_py.ops.gpu.faults import first_line

_PAUSE = 2e-4
"""Seconds between two polls."""


@dataclass(frozen=True)
class Rendezvous:
    """By which the processes of these GPUs connect; each is given it, pickled."""

    numbers: tuple[int, ...]
    key: bytes
    """NCCL's unique id."""

    @property
    def devices(self) -> list[str]:
        return [f"gpu:{number}" for number in self.numbers]

    def join(self, rank: int, watch: Callable[[], None]) -> Communicator:
        """To be called by all processes; each waits for all. Raises DeviceError."""
        return Communicator(self, rank, watch)


def rendezvous(numbers: Sequence[int]) -> Rendezvous:
    """A rendezvous of these GPUs. Raises DeviceError: why they cannot."""
    for number in numbers:
        check_number(number)
    return Rendezvous(tuple(numbers), _nccl().get_unique_id())


class Communicator:
    """See network.parallel.Communicator."""

    def __init__(self, rendezvous: Rendezvous, rank: int, watch: Callable[[], None]) -> None:
        self.rank, self.size = rank, len(rendezvous.numbers)
        self._watch, self._nccl = watch, _nccl()
        self._types = {
            "float32": self._nccl.NCCL_FLOAT32,
            "float64": self._nccl.NCCL_FLOAT64,
        }
        made: list[Any] = []

        def make() -> None:
            try:
                use_device(rendezvous.numbers[rank])  # of this thread
                made.append(self._nccl.NcclCommunicator(self.size, rendezvous.key, rank))
            except (DeviceError, self._nccl.NcclError) as error:
                made.append(error)

        thread = threading.Thread(target=make, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(0.1)
            watch()
        if isinstance(made[0], Exception):
            raise DeviceError(f"NCCL cannot begin: {first_line(made[0])}") from made[0]
        self._communicator = made[0]

    def sum(self, arrays: Sequence[Array]) -> None:
        """Each array becomes the sum over all processes, in place; it is done on return."""
        nccl, stream = self._nccl, cp.cuda.get_current_stream()
        try:
            nccl.groupStart()
            for x in arrays:
                kind = self._types[x.dtype.name]
                place = x.data.ptr
                self._communicator.allReduce(place, place, x.size, kind, nccl.NCCL_SUM, stream.ptr)
            nccl.groupEnd()
            done = cp.cuda.Event()
            done.record(stream)
            while not done.done:
                self._communicator.check_async_error()
                self._watch()
                time.sleep(_PAUSE)
        except nccl.NcclError as error:
            self._watch()  # who ended says more
            raise DeviceError(f"NCCL failed: {first_line(error)}") from error


def _nccl() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cupy's page of advice
        nccl = importlib.import_module("cupy.cuda.nccl")
    if not nccl.available:
        library = "nvidia-nccl-cu13 (CUDA 13) or nvidia-nccl-cu12 (CUDA 12)"
        raise DeviceError(f"several GPUs need NCCL: pip install {library}")
    return nccl
