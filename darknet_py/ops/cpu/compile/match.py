"""Chains of calls made steps: what an operation's matching rule works with.

A rule stands in the operation's file, under the name of the call that its chain begins with; see
lower.py, which tries them in the graph's order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from darknet_py.ops import fusion
from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.compile.allocate import Alias
from darknet_py.ops.cpu.compile.step import Fallback, Step
from darknet_py.ops.graph import Graph, Node, TensorSpec

Chain: TypeAlias = "fusion.Chain[Lowering]"
Rules: TypeAlias = "dict[str, Callable[[Chain], Step | None]]"

NORMS_BACKWARD = "batchnorm_backward", "batchnorm_fixed_backward"
"""Deltas of batch norm: with the batch's statistics, and with rolling ones."""


class Lowering(fusion.Readers):
    """A graph on its way to steps. exact: no algorithm that rounds more than the plain one;
    changing: parameters move between runs."""

    def __init__(self, graph: Graph, rules: Rules, exact: bool, changing: bool) -> None:
        super().__init__(graph)
        self.rules = rules
        self.exact, self.changing = exact, changing
        self.aliases: dict[TensorSpec, Alias] = {}
        """Maps that must lie within others."""
        self.same_layout: set[TensorSpec] = set()
        """Maps that a kernel walks with the pitches of another."""
        self.norms: dict[TensorSpec, Any] = {}
        """Of raw maps, the steps that normalise them with the statistics of the batch."""
        self.pooled: set[TensorSpec] = set()
        """Maps that never are: the inputs of pooling that is part of a normalisation."""
        self._done: set[int] = set()

    def steps(self) -> list[Step]:
        """Each step stands where the last of its calls did."""
        at: dict[int, list[Step]] = {}
        for place, call in enumerate(self.graph.calls):
            if place not in self._done:
                last, step = self._step(place, call)
                at.setdefault(last, []).append(step)
        return [step for place in sorted(at) for step in at[place]]

    def _step(self, place: int, call: Node) -> tuple[int, Step]:
        chain: Chain = fusion.Chain(self, call, place)
        rule = self.rules.get(call.name)
        step = rule(chain) if rule else None
        if step is None:
            return place, Fallback(call)
        self._done.update(chain.taken)
        return max(chain.taken), step


def take_activation(chain: Chain) -> str:
    """An activation that kernels know; "linear" where there is none."""
    return fusion.take_activation(chain, SLOPES)


def take_residual(
    chain: Chain, activation: str
) -> tuple[str, TensorSpec | None, TensorSpec | None]:
    """A map that is added, after this activation or before another one: the activation, and what is
    added before and after it."""
    residual = fusion.take_residual(chain)
    if residual is not None and activation == "linear":
        return take_activation(chain), residual, None
    return activation, None, residual


def take_pooling(chain: Chain) -> bool:
    """Maximum pooling of 2x2 side by side."""
    _, h, w, _ = chain.result.shape

    def accept(call: Node) -> bool:
        size, stride, _ = call.arguments[1:]
        return (size, stride) == (2, 2) and call.result.shape[1:3] == (h // 2, w // 2)

    return h % 2 == 0 and w % 2 == 0 and chain.next("maxpool", accept) is not None


def take_mask(chain: Chain, y: TensorSpec | None) -> tuple[TensorSpec, str] | None:
    """The delta of an activation that kernels know: its output (y, if that is said) and name; not
    where batch norm takes it."""

    def accept(call: Node) -> bool:
        is_same = y is None or call.arguments[1] is y
        after = chain.lowering.only_reader(call.result)
        is_norms = after is not None and after.name in NORMS_BACKWARD
        return is_same and not is_norms and call.arguments[2] in SLOPES

    call = chain.next("activate_backward", accept)
    return call.arguments[1:3] if call else None


def take_accumulation(chain: Chain) -> Any:
    """The array to which the chain's result is added, where nothing else reads it."""
    call = chain.next("accumulate", lambda call: True)
    return call.arguments[0] if call else None
