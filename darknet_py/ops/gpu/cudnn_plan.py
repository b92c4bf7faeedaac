"""Plans of cuDNN's for convolutions: made once for each shape, kept in memory and on disk.

Without cuDNN, or where it refuses a shape, there is none, and convolutions go by columns.
"""

from __future__ import annotations

from dataclasses import astuple
from functools import cache
from typing import Any

import cupy as cp

from darknet_py.ops import cache as disk
from darknet_py.ops.gpu.algorithms import CUDNN, note_algorithm
from darknet_py.ops.gpu.cudnn_graph import Job, build
from darknet_py.ops.notices import compiling

Array = Any


class Plan:
    """A graph that can run, and the memory that it works in."""

    def __init__(self, cuda: Cudnn, graph: Any) -> None:
        self._cuda = cuda
        self._graph = graph
        self._workspace = int(graph.get_workspace_size())

    def run(self, arrays: dict[int, Array]) -> None:
        """arrays: by the names in cudnn_graph.py, contiguous, on the device."""
        workspace = cp.empty(max(self._workspace, 1), cp.uint8)
        pointers = {uid: int(array.data.ptr) for uid, array in arrays.items()}
        handle = self._cuda.handle()
        note_algorithm(CUDNN)
        self._graph.execute(pointers, int(workspace.data.ptr), handle=handle)


class Cudnn:
    """cuDNN on one device."""

    def __init__(self, module: Any, device: int) -> None:
        self._module = module
        self._handle = module.create_handle()
        self._stream: Any = None
        self._plans: dict[Job, Plan | None] = {}
        self._folder = disk.folder(_key(module, device))

    def handle(self) -> Any:
        """The library's handle, on the stream that is current.

        All that takes the handle takes it from here: cuDNN asks the handle's stream even while it
        plans or reads a plan, and dies of one that is gone with the program it belonged to.
        """
        # what the handle points to must live as long
        self._stream = cp.cuda.get_current_stream()
        self._module.set_stream(self._handle, self._stream.ptr)
        return self._handle

    def plan(self, job: Job) -> Plan | None:
        """How to compute this; None where cuDNN cannot."""
        if job not in self._plans:
            self._plans[job] = self._kept(job) or self._made(job)
        return self._plans[job]

    def _made(self, job: Job) -> Plan | None:
        try:
            with compiling(is_kept=self._folder is not None):
                graph = build(self._module, job, handle=self.handle())
        except (self._module.cudnnGraphNotSupportedError, RuntimeError):
            # it says so in several ways, by shape, type and device
            return None
        disk.store(self._folder, _name(job), bytes(graph.serialize()))
        return Plan(self, graph)

    def _kept(self, job: Job) -> Plan | None:
        data = disk.load(self._folder, _name(job))
        if data is None:
            return None
        handle = self.handle()
        graph = self._module.pygraph(handle=handle)
        try:
            graph.deserialize(handle, list(data))
        except RuntimeError:  # of another driver, say: it is made again
            return None
        return Plan(self, graph)


def planned(job: Job) -> Plan | None:
    """How cuDNN computes this on the device in use, if it does."""
    cuda = _cudnn(cp.cuda.Device().id)
    return cuda.plan(job) if cuda else None


@cache
def _cudnn(device: int) -> Cudnn | None:
    """None where the library is not installed, or does not load."""
    try:
        import cudnn

        return Cudnn(cudnn, device)
    except (ImportError, OSError, RuntimeError):
        return None


def _key(module: Any, device: int) -> str:
    """A name for all that a plan depends on beside its job."""
    properties = cp.cuda.runtime.getDeviceProperties(device)
    versions = f"{module.__version__} {module.backend_version()}"
    chip = [properties[name] for name in ("major", "minor", "multiProcessorCount")]
    return disk.make_key(b"cudnn", versions.encode(), properties["name"], repr(chip).encode())


def _name(job: Job) -> str:
    return disk.make_key(repr(astuple(job)).encode())
