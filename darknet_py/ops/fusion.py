"""Calls that follow one another and become one, on every device: a chain in which each map is the
other's only reader.

A rule begins with a call and takes what follows it: batch norm, biases, an activation, a residual.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Generic, TypeVar

from darknet_py.ops.graph import Graph, Node, TensorSpec
from darknet_py.ops.normalize import can_fold


class Readers:
    """Who reads and who writes each map of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.readers: dict[TensorSpec, list[Node]] = {}
        self.writer: dict[TensorSpec, int] = {}
        """Places of the calls that give a map; -1 for what the program is given."""
        for place, call in enumerate(graph.calls):
            for x in call.maps():
                self.readers.setdefault(x, []).append(call)
            self.writer.update(dict.fromkeys(call.results, place))
        self.writer.update(dict.fromkeys(graph.inputs, -1))
        self.outputs = set(graph.outputs)
        self.places = {id(call): place for place, call in enumerate(graph.calls)}

    def only_reader(self, x: TensorSpec) -> Node | None:
        """The call that alone reads x; None if there are several, or x is an output."""
        readers = self.readers.get(x, [])
        return readers[0] if len(readers) == 1 and x not in self.outputs else None


R = TypeVar("R", bound=Readers)


class Chain(Generic[R]):
    """Calls that become one; `y` is what the last of them gives."""

    def __init__(self, lowering: R, call: Node, place: int) -> None:
        self.lowering = lowering
        self.call = call
        self.taken = [place]
        self.y = call.results[0] if call.results else None

    @property
    def result(self) -> TensorSpec:
        """y, where the last of the calls gives something."""
        assert self.y is not None
        return self.y

    def next(self, name: str, accept: Callable[[Node], bool]) -> Node | None:
        """Takes the only reader of y, if it is a call of this name and may be taken."""
        call = None if self.y is None else self.lowering.only_reader(self.y)
        if call is None or call.name != name or not accept(call):
            return None
        self.take(call)
        self.y = call.results[0] if call.results else None
        return call

    def take(self, call: Node) -> None:
        self.taken.append(self.lowering.places[id(call)])

    def is_before(self, x: TensorSpec) -> bool:
        """Whether x is there before the first call of the chain."""
        return self.lowering.writer[x] < self.taken[0]


def is_constant(*values: Any) -> bool:
    """Whether these are known before the graph runs: parameters, numbers."""
    return not any(isinstance(value, TensorSpec) for value in values)


def take_norm(chain: Chain[Any]) -> Node | None:
    """A batch norm by constants, which can be folded into weights."""
    return chain.next(
        "batchnorm",
        lambda call: is_constant(*call.arguments[1:]) and can_fold(*call.arguments[3:6]),
    )


def take_biases(chain: Chain[Any]) -> Any:
    """Biases (c,) that are added; None where there are none."""
    call = chain.next(
        "add_biases", lambda call: is_constant(call.arguments[1]) and call.arguments[1].ndim == 1
    )
    return call.arguments[1] if call else None


def take_activation(chain: Chain[Any], known: Container[str] | None = None) -> str:
    """An activation, of those that are known (None: any); "linear" where there is none."""
    call = chain.next("activate", lambda call: known is None or call.arguments[1] in known)
    return str(call.arguments[1]) if call else "linear"


def take_residual(chain: Chain[Any]) -> TensorSpec | None:
    """A map of the same shape that is added as it is, and is there before the chain begins."""

    def is_sum(call: Node) -> bool:
        one, other, alpha, beta = call.arguments
        return one.shape == other.shape and one is not other and (alpha, beta) == (1, 1)

    return take_other(chain, "shortcut", is_sum)


def take_other(chain: Chain[Any], name: str, accept: Callable[[Node], bool]) -> TensorSpec | None:
    """The other map of a call of this name that adds two, if it is there before the chain."""

    def other_of(call: Node) -> TensorSpec:
        one, other = call.arguments[:2]
        found: TensorSpec = other if one is y else one
        return found

    y = chain.y
    call = chain.next(name, lambda call: accept(call) and chain.is_before(other_of(call)))
    return other_of(call) if call else None
