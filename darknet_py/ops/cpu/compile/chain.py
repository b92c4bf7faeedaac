"""Calls that follow one another and become one step, while a recording is lowered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from darknet_py.ops import chain
from darknet_py.ops.cpu.compile.allocate import Within
from darknet_py.ops.cpu.compile.step import Plain, Step
from darknet_py.ops.cpu.operations.batchnorm import Normalize
from darknet_py.ops.graph import Graph, Node, TensorSpec

Chain: TypeAlias = "chain.Chain[Lowering]"
Rules: TypeAlias = "dict[str, Callable[[Chain], Step | None]]"


class Lowering(chain.Readers):
    """A recording on its way to steps. rules: by the name of a call, what begins with it."""

    def __init__(self, recording: Graph, rules: Rules, exact: bool, changing: bool) -> None:
        super().__init__(recording)
        self.rules = rules
        self.exact = exact
        self.changing = changing
        self.inside: dict[TensorSpec, Within] = {}
        """Maps that must lie within others."""
        self.twins: set[TensorSpec] = set()
        """Maps that a kernel walks with the pitches of another."""
        self.norms: dict[TensorSpec, Normalize] = {}
        """What normalises a raw map with the statistics of the batch."""
        self.pooled: set[TensorSpec] = set()
        """Maps that never are: the inputs of pooling that is part of a normalisation."""
        self._done: set[int] = set()

    def steps(self) -> list[Step]:
        """Each step stands where the last of its calls did."""
        at: dict[int, list[Step]] = {}
        for place, call in enumerate(self.recording.calls):
            if place not in self._done:
                last, step = self._step(place, call)
                at.setdefault(last, []).append(step)
        return [step for place in sorted(at) for step in at[place]]

    def _step(self, place: int, call: Node) -> tuple[int, Step]:
        chained: Chain = chain.Chain(self, call, place)
        rule = self.rules.get(call.name)
        step = rule(chained) if rule else None
        if step is None:
            return place, Plain(call)
        self._done.update(chained.taken)
        return max(chained.taken), step

    def norm_of(self, x: TensorSpec, y: TensorSpec) -> bool:
        """Whether y is x normalised and activated, and nothing else."""
        norm = self.norms.get(x)
        return norm is not None and norm.y is y and norm.added is None and not norm.pooled
