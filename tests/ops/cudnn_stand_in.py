"""A module that answers like cudnn, and computes what a graph says with numpy.

Its graphs see nothing but addresses, dimensions and strides, as cuDNN's. They can be written down
and read again, and `refuses` says what a device does not take.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from darknet_py import ops as devices
from tests.ops import tape

cpu = devices.for_device("cpu")

FLOAT, BFLOAT16 = "float", "bfloat16"


class cudnnGraphNotSupportedError(Exception):  # noqa: N801 - cudnn's name
    """What cudnn raises for a graph that no plan computes."""


class Tensor:
    """A tensor of a graph: where it comes from, and how it lies in memory."""

    def __init__(self, **what: Any) -> None:
        self.what = what

    def set_output(self, is_output: bool) -> Tensor:
        return self._set(is_output=is_output)

    def set_data_type(self, data_type: str) -> Tensor:
        return self._set(data_type=data_type)

    def set_dim(self, dim: list[int]) -> Tensor:
        return self._set(dim=dim)

    def set_stride(self, stride: list[int]) -> Tensor:
        return self._set(stride=stride)

    def set_uid(self, uid: int) -> Tensor:
        return self._set(uid=uid)

    def _set(self, **what: Any) -> Tensor:
        self.what.update(what)
        return self


class Graph:
    """cudnn.pygraph, of the operations that are used."""

    def __init__(self, cudnn: StandIn, **place: Any) -> None:
        self.cudnn = cudnn
        self.nodes: list[tuple[str, list[int], dict[str, Any]]] = []
        self.tensors: list[Tensor] = []
        self.handle = place["handle"]

    def tensor(self, **what: Any) -> Tensor:
        return self._new(Tensor(**what))

    def _new(self, tensor: Tensor) -> Tensor:
        self.tensors.append(tensor)
        return tensor

    def _node(self, name: str, given: list[Tensor], **how: Any) -> Tensor:
        places = [self.tensors.index(each) for each in given]
        y = self._new(Tensor(data_type=FLOAT))
        self.nodes.append((name, [*places, len(self.tensors) - 1], how))
        return y

    def conv_fprop(self, image: Tensor, weight: Tensor, **window: Any) -> Tensor:
        return self._node("fprop", [image, weight], **window)

    def conv_dgrad(self, loss: Tensor, filter: Tensor, **window: Any) -> Tensor:  # noqa: A002
        return self._node("dgrad", [loss, filter], **window)

    def conv_wgrad(self, image: Tensor, loss: Tensor, **window: Any) -> Tensor:
        return self._node("wgrad", [image, loss], **window)

    def bias(self, input: Tensor, bias: Tensor) -> Tensor:  # noqa: A002
        return self._node("add", [input, bias])

    def add(self, one: Tensor, other: Tensor) -> Tensor:
        return self._node("add", [one, other])

    def leaky_relu(self, x: Tensor, slope: float) -> Tensor:
        return self._node("leaky", [x], slope=slope)

    def relu(self, x: Tensor) -> Tensor:
        return self._node("relu", [x])

    def sigmoid(self, x: Tensor) -> Tensor:
        return self._node("sigmoid", [x])

    def tanh(self, x: Tensor) -> Tensor:
        return self._node("tanh", [x])

    def validate(self) -> None:
        for tensor in self.tensors:
            if tensor.what.get("is_output") or "uid" in tensor.what:
                assert set(tensor.what) >= {"dim", "stride", "data_type", "uid"}

    def build_operation_graph(self) -> None:
        pass

    def create_execution_plans(self, modes: list[str]) -> None:
        assert modes
        self.cudnn.planned_on.append(self.cudnn.streams[-1])

    def deselect_numeric_notes(self, notes: list[str]) -> None:
        self.cudnn.deselected.append(set(notes))

    def check_support(self) -> None:
        names = [name for name, *_ in self.nodes]
        if self.cudnn.refuses(names):
            raise self.cudnn.refusal

    def build_plans(self) -> None:
        self.cudnn.built += 1

    def get_workspace_size(self) -> int:
        return 16

    def serialize(self) -> list[int]:
        tensors = [tensor.what for tensor in self.tensors]
        return list(json.dumps([self.nodes, tensors]).encode())

    def deserialize(self, handle: Any, data: list[int]) -> None:
        self.cudnn.planned_on.append(self.cudnn.streams[-1])
        if self.cudnn.forgets:
            raise RuntimeError("a plan of another version")
        nodes, tensors = json.loads(bytes(data))
        self.nodes, self.tensors = nodes, [Tensor(**what) for what in tensors]

    def execute(self, pointers: dict[int, int], workspace: int, handle: Any) -> None:
        assert workspace
        assert handle is self.cudnn.handle
        self.cudnn.executed += 1
        tape.effect(lambda: self._compute(pointers))

    def _compute(self, pointers: dict[int, int]) -> None:
        views = {}
        for place, tensor in enumerate(self.tensors):
            if "uid" in tensor.what:
                views[place] = _view(pointers[tensor.what["uid"]], tensor.what)
        assert len(views) == len(pointers)
        values = {place: _floats(view) for place, view in views.items()}
        for name, places, how in self.nodes:
            *given, y = places
            target = self.tensors[y].what
            values[y] = OPERATIONS[name](*(values[place] for place in given), target, how)
        y = max(values)
        views[y][...] = _rounded(values[y], views[y].dtype)


def _view(pointer: int, what: dict[str, Any]) -> np.ndarray:
    """Memory at an address as an array of cuDNN's order."""
    dtype = np.dtype(np.uint16 if what["data_type"] == BFLOAT16 else np.float32)
    dim, stride = what["dim"], what["stride"]
    count = 1 + sum((length - 1) * step for length, step in zip(dim, stride, strict=True))
    memory = (ctypes.c_char * (count * dtype.itemsize)).from_address(pointer)
    strides = [step * dtype.itemsize for step in stride]
    flat = np.frombuffer(memory, dtype)
    return np.lib.stride_tricks.as_strided(flat, dim, strides)


def _floats(view: np.ndarray) -> np.ndarray:
    if view.dtype == np.uint16:
        return (view.astype(np.uint32) << 16).view(np.float32)
    return view.copy()


def _rounded(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    if dtype != np.uint16:
        return values
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded: np.ndarray = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return rounded


def _hwc(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


def _chw(x: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def _window(how: dict[str, Any], groups: int) -> tuple[tuple[int, int], int, int, int]:
    for key in ("dilation", "padding"):
        assert how[key][0] == how[key][1]
    down, right = how["stride"]
    return (down, right), how["padding"][0], groups, how["dilation"][0]


def _fprop(x: Any, weights: Any, _: Any, how: Any) -> np.ndarray:
    groups = x.shape[1] // weights.shape[1]
    return _chw(cpu.conv2d(_hwc(x), _hwc(weights), *_window(how, groups)))


def _dgrad(delta: Any, weights: Any, target: Any, how: Any) -> np.ndarray:
    n, c, h, w = target["dim"]
    groups = c // weights.shape[1]
    arguments = _hwc(delta), _hwc(weights), (n, h, w, c), *_window(how, groups)
    return _chw(cpu.conv2d_backward_input(*arguments))


def _wgrad(x: Any, delta: Any, target: Any, how: Any) -> np.ndarray:
    _, part, size, _ = target["dim"]
    groups = x.shape[1] // part
    arguments = _hwc(delta), _hwc(x), size, *_window(how, groups)
    return _chw(cpu.conv2d_backward_weights(*arguments))


OPERATIONS: dict[str, Callable[..., np.ndarray]] = {
    "fprop": _fprop,
    "dgrad": _dgrad,
    "wgrad": _wgrad,
    "add": lambda one, other, *_: one + other,
    "leaky": lambda x, _, how: np.where(x > 0, x, how["slope"] * x),
    "relu": lambda x, *_: np.maximum(x, 0),
    "sigmoid": lambda x, *_: 1 / (1 + np.exp(-x)),
    "tanh": lambda x, *_: np.tanh(x),
}


class StandIn(ModuleType):
    """The module. built, executed: how many plans were; deselected: what each plan must not do."""

    def __init__(self) -> None:
        super().__init__("cudnn")
        self.built = self.executed = 0
        self.deselected: list[set[str]] = []
        self.refuses: Callable[[list[str]], bool] = lambda names: False
        self.refusal: Exception = cudnnGraphNotSupportedError("no plan")
        self.forgets = False
        self.handle = object()
        self.streams: list[int] = []
        self.planned_on: list[int] = []
        """The handle's stream whenever it was asked for a plan."""
        self.data_type = SimpleNamespace(FLOAT=FLOAT, BFLOAT16=BFLOAT16)
        self.heur_mode = SimpleNamespace(A="A", FALLBACK="FALLBACK")
        notes = "NONDETERMINISTIC", "TENSOR_CORE", "DOWN_CONVERT_INPUTS", "WINOGRAD", "FFT"
        self.numerical_note = SimpleNamespace(**{note: note for note in notes})
        self.cudnnGraphNotSupportedError = cudnnGraphNotSupportedError
        self.__version__ = "1.28.0"

    def create_handle(self) -> object:
        return self.handle

    def set_stream(self, handle: object, stream: int) -> None:
        self.streams.append(stream)

    def backend_version(self) -> int:
        return 92801

    def pygraph(self, **place: Any) -> Graph:
        return Graph(self, **place)
