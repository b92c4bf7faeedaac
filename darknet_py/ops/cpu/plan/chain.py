"""Calls that follow one another and become one step, while a recording is lowered."""

from __future__ import annotations

from collections.abc import Callable

from darknet_py.ops.cpu.plan.memory import Within
from darknet_py.ops.cpu.plan.normalize import Normalize
from darknet_py.ops.cpu.plan.step import Plain, Step
from darknet_py.ops.record import Call, Map, Recording

Rules = dict[str, "Callable[[Chain], Step | None]"]


class Lowering:
    """A recording on its way to steps. rules: by the name of a call, what begins with it."""

    def __init__(self, recording: Recording, rules: Rules, exact: bool, changing: bool) -> None:
        self.recording = recording
        self.rules = rules
        self.exact = exact
        self.changing = changing
        self.inside: dict[Map, Within] = {}
        """Maps that must lie within others."""
        self.twins: set[Map] = set()
        """Maps that a kernel walks with the pitches of another."""
        self.norms: dict[Map, Normalize] = {}
        """What normalises a raw map with the statistics of the batch."""
        self.pooled: set[Map] = set()
        """Maps that never are: the inputs of pooling that is part of a normalisation."""
        self.readers: dict[Map, list[Call]] = {}
        self.writer: dict[Map, int] = {}
        """Places of the calls that give a map; -1 for what the program is given."""
        for place, call in enumerate(recording.calls):
            for x in call.maps():
                self.readers.setdefault(x, []).append(call)
            self.writer.update(dict.fromkeys(call.results, place))
        self.writer.update(dict.fromkeys(recording.inputs, -1))
        self.outputs = set(recording.outputs)
        self.places = {id(call): place for place, call in enumerate(recording.calls)}
        self._done: set[int] = set()

    def steps(self) -> list[Step]:
        """Each step stands where the last of its calls did."""
        at: dict[int, list[Step]] = {}
        for place, call in enumerate(self.recording.calls):
            if place not in self._done:
                last, step = self._step(place, call)
                at.setdefault(last, []).append(step)
        return [step for place in sorted(at) for step in at[place]]

    def _step(self, place: int, call: Call) -> tuple[int, Step]:
        chain = Chain(self, call, place)
        rule = self.rules.get(call.name)
        step = rule(chain) if rule else None
        if step is None:
            return place, Plain(call)
        self._done.update(chain.taken)
        return max(chain.taken), step

    def only_reader(self, x: Map) -> Call | None:
        """The call that alone reads x; None if there are several, or x is an output."""
        readers = self.readers.get(x, [])
        return readers[0] if len(readers) == 1 and x not in self.outputs else None

    def norm_of(self, x: Map, y: Map) -> bool:
        """Whether y is x normalised and activated, and nothing else."""
        norm = self.norms.get(x)
        return norm is not None and norm.y is y and norm.added is None and not norm.pooled


class Chain:
    """One step's calls; `y` is what the last of them gives."""

    def __init__(self, lowering: Lowering, call: Call, place: int) -> None:
        self.lowering = lowering
        self.call = call
        self.taken = [place]
        self.y = call.results[0] if call.results else None

    def next(self, name: str, accept: Callable[[Call], bool]) -> Call | None:
        """Takes the only reader of y, if it is a call of this name and may be taken."""
        call = None if self.y is None else self.lowering.only_reader(self.y)
        if call is None or call.name != name or not accept(call):
            return None
        self.take(call)
        self.y = call.results[0] if call.results else None
        return call

    def take(self, call: Call) -> None:
        self.taken.append(self.lowering.places[id(call)])

    def is_before(self, x: Map) -> bool:
        """Whether x is there before the first call of the chain."""
        return self.lowering.writer[x] < self.taken[0]
