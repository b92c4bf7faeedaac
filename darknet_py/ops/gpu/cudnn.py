"""Convolutions as graphs of cuDNN's: built, planned once for each shape, kept on disk too.

cuDNN's axes are (n, c, h, w) with strides: memory is (n, h, w, c) as everywhere here. Without it,
or where it refuses a shape, there is no plan, and convolutions go by columns.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import cupy as cp

from darknet_py.ops import cache as disk
from darknet_py.ops.array_types import Array, Shape
from darknet_py.ops.gpu.kernel import CUDNN, note_algorithm
from darknet_py.ops.notices import compiling
from darknet_py.ops.sizes import conv_outs

X, WEIGHTS, BIASES, ADDED, RESULT = range(1, 6)
"""What graphs call their tensors."""

ACTIVATIONS = ("linear", "relu", "leaky", "relie", "revleaky", "logistic", "tanh")
"""Activations that can be part of a graph."""
_LEAKS = {"leaky": 0.1, "revleaky": 0.1, "relie": 0.01}


class Epilogue(NamedTuple):
    """What follows a convolution: after(before(y + biases) + added)."""

    has_biases: bool = False
    before: str = "linear"
    has_added: bool = False
    after: str = "linear"

    @property
    def fits_a_graph(self) -> bool:
        return self.before in ACTIVATIONS and self.after in ACTIVATIONS


NOTHING = Epilogue()


@dataclass(frozen=True)
class Job:
    """One convolution. kind: "forward", or "input" or "weights" for the gradients of these.

    is_half: bfloat16 maps and weights, else float32; sums are float32 in any case. exact: products
    of whole floats; otherwise float32 is rounded to TF32 before it is multiplied.
    """

    kind: str
    is_half: bool
    exact: bool
    x: Shape
    filters: int
    size: int
    stride: tuple[int, int]
    padding: int
    groups: int
    dilation: int = 1
    epilogue: Epilogue = NOTHING

    @property
    def y(self) -> tuple[int, ...]:
        n, h, w, _ = self.x
        window = self.size, self.stride, self.padding, self.dilation
        return n, *conv_outs(h, w, *window), self.filters

    @property
    def weights(self) -> tuple[int, ...]:
        return self.filters, self.size, self.size, self.x[3] // self.groups

    @property
    def result(self) -> tuple[int, ...]:
        return {"forward": self.y, "input": self.x, "weights": self.weights}[self.kind]

    def alone(self) -> Job:
        """The same with nothing after it."""
        return replace(self, epilogue=NOTHING)


def build(cudnn: Any, job: Job, **place: Any) -> Any:
    """A graph, planned: of cuDNN's own ranking the first plan that the device takes.

    cudnn: the module (package nvidia-cudnn-frontend). place: handle=, or device_property= where
    there is no device. Raises cudnn.cudnnGraphNotSupportedError, or RuntimeError, if none does.
    """
    graph = describe(cudnn, job, **place)
    graph.validate()
    graph.build_operation_graph()
    graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
    notes = cudnn.numerical_note
    unwanted = [notes.NONDETERMINISTIC]  # a run can be repeated
    if job.exact:
        unwanted += [notes.TENSOR_CORE, notes.DOWN_CONVERT_INPUTS, notes.WINOGRAD, notes.FFT]
    graph.deselect_numeric_notes(unwanted)
    graph.check_support()
    graph.build_plans()
    return graph


def describe(cudnn: Any, job: Job, **place: Any) -> Any:
    """The graph of a job, not yet planned."""
    types = cudnn.data_type
    kind = types.BFLOAT16 if job.is_half else types.FLOAT
    graph = cudnn.pygraph(
        name=f"darknet_{job.kind}",
        io_data_type=kind,
        intermediate_data_type=types.FLOAT,
        compute_data_type=types.FLOAT,
        **place,
    )

    def tensor(uid: int, shape: tuple[int, ...]) -> Any:
        dims, strides = _as_nchw(shape)
        return graph.tensor(dim=dims, stride=strides, data_type=kind, uid=uid)

    window = {
        "padding": [job.padding] * 2,
        "stride": list(job.stride),
        "dilation": [job.dilation] * 2,
    }
    if job.kind == "forward":
        y = graph.conv_fprop(image=tensor(X, job.x), weight=tensor(WEIGHTS, job.weights), **window)
        y = _finished(graph, types, job, y, tensor)
    elif job.kind == "input":
        y = graph.conv_dgrad(loss=tensor(X, job.y), filter=tensor(WEIGHTS, job.weights), **window)
    else:
        y = graph.conv_wgrad(image=tensor(X, job.x), loss=tensor(WEIGHTS, job.y), **window)
    dims, strides = _as_nchw(job.result)
    y.set_output(True).set_data_type(kind).set_dim(dims).set_stride(strides).set_uid(RESULT)
    return graph


def _finished(graph: Any, types: Any, job: Job, y: Any, tensor: Any) -> Any:
    epilogue = job.epilogue
    if epilogue.has_biases:
        dims, strides = _as_nchw((1, 1, 1, job.filters))
        biases = graph.tensor(dim=dims, stride=strides, data_type=types.FLOAT, uid=BIASES)
        y = graph.bias(input=y, bias=biases)
    y = _activated(graph, y, epilogue.before)
    if epilogue.has_added:
        y = graph.add(y, tensor(ADDED, job.y))
    return _activated(graph, y, epilogue.after)


def _activated(graph: Any, y: Any, activation: str) -> Any:
    if activation in _LEAKS:
        return graph.leaky_relu(y, _LEAKS[activation])
    if activation == "linear":
        return y
    return {"relu": graph.relu, "logistic": graph.sigmoid, "tanh": graph.tanh}[activation](y)


def _as_nchw(shape: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Dimensions and strides of memory (n, h, w, c), in cuDNN's order."""
    n, h, w, c = shape
    return [n, c, h, w], [h * w * c, 1, w * c, c]


class Plan:
    """A graph that can run, and the memory that it works in."""

    def __init__(self, cuda: Cudnn, graph: Any) -> None:
        self._cuda = cuda
        self._graph = graph
        self._workspace = int(graph.get_workspace_size())

    def run(self, arrays: dict[int, Array]) -> None:
        """arrays: by X, WEIGHTS ..., contiguous, on the device."""
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
        """The library's handle, on the current stream: to be called for each use of it, as cuDNN
        uses the stream even to plan or to read a plan, and crashes if that is gone."""
        # what the handle points to must live as long
        self._stream = cp.cuda.get_current_stream()
        self._module.set_stream(self._handle, self._stream.ptr)
        return self._handle

    def plan(self, job: Job) -> Plan | None:
        """How to compute this; None where cuDNN cannot."""
        if job not in self._plans:
            self._plans[job] = self._load(job) or self._build(job)
        return self._plans[job]

    def _build(self, job: Job) -> Plan | None:
        try:
            with compiling(is_kept=self._folder is not None):
                graph = build(self._module, job, handle=self.handle())
        except (self._module.cudnnGraphNotSupportedError, RuntimeError):
            # it says so in several ways, by shape, type and device
            return None
        disk.store(self._folder, _name(job), bytes(graph.serialize()))
        return Plan(self, graph)

    def _load(self, job: Job) -> Plan | None:
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
