"""Calls that follow one another and may become one: where each map is the other's only reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from darknet_py.ops.graph import Graph, Node, TensorSpec


class Readers:
    """Who reads and who writes each map of a recording."""

    def __init__(self, recording: Graph) -> None:
        self.recording = recording
        self.readers: dict[TensorSpec, list[Node]] = {}
        self.writer: dict[TensorSpec, int] = {}
        """Places of the calls that give a map; -1 for what the program is given."""
        for place, call in enumerate(recording.calls):
            for x in call.maps():
                self.readers.setdefault(x, []).append(call)
            self.writer.update(dict.fromkeys(call.results, place))
        self.writer.update(dict.fromkeys(recording.inputs, -1))
        self.outputs = set(recording.outputs)
        self.places = {id(call): place for place, call in enumerate(recording.calls)}

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
