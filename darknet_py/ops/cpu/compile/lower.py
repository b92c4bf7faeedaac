"""The passes of the compiler, from a graph to steps and their memory, in order:

1. simplify (ops/simplify.py): calls that nothing needs, or that only hand a map on, go; no device
2. match: chains of calls become steps, by the operations' rules
3. share_slices, share_concats: parts of a map's channels lie within it, and what is concatenated
   is written side by side from the start
4. choose: the algorithm of each convolution, by the cost model
5. allocate: each map's layout, as its readers need it, and its place in one arena

What matches nothing is a Fallback step. program.py makes a table of rows of the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from darknet_py.ops.cpu.compile.allocate import Alias, Memory
from darknet_py.ops.cpu.compile.match import Chain, Lowering, Rules
from darknet_py.ops.cpu.compile.step import Step
from darknet_py.ops.cpu.operations import (
    activation,
    batchnorm,
    batchnorm_backward,
    channels,
    detection,
    dream,
    dropout,
    elementwise,
    gather,
    image_input,
    multiply,
    pooling,
    softmax,
    upsample,
    weighted_sum,
)
from darknet_py.ops.cpu.operations.channels import Concat, SliceChannels
from darknet_py.ops.cpu.operations.convolution import convolution, weight_gradient
from darknet_py.ops.cpu.operations.convolution.convolution import Convolution
from darknet_py.ops.cpu.operations.convolution.weight_gradient import WeightGradient
from darknet_py.ops.cpu.operations.image_input import ImageInput
from darknet_py.ops.graph import Graph, TensorSpec
from darknet_py.ops.simplify import simplify

OPERATIONS = (
    image_input,
    convolution,
    weight_gradient,
    batchnorm,
    batchnorm_backward,
    pooling,
    elementwise,
    multiply,
    weighted_sum,
    channels,
    upsample,
    activation,
    softmax,
    detection,
    gather,
    dropout,
    dream,
)
"""Of several rules for one call, the first that gives a step counts."""


@dataclass
class Lowered:
    """What the passes work on. threads: that will run it; exact: no algorithm that rounds more than
    the plain one; changing: parameters move between runs."""

    graph: Graph
    threads: int
    exact: bool
    changing: bool
    steps: list[Step] = field(default_factory=list)
    memory: Memory = field(default_factory=Memory)


def lower(graph: Graph, threads: int, exact: bool, changing: bool) -> Lowered:
    """Steps in an order in which they can run, and where their maps lie."""
    lowered = Lowered(graph, threads, exact, changing)
    for run in PASSES:
        run(lowered)
    return lowered


def run_simplify(lowered: Lowered) -> None:
    lowered.graph = simplify(lowered.graph)


def match(lowered: Lowered) -> None:
    lowering = Lowering(lowered.graph, _RULES, lowered.exact, lowered.changing)
    lowered.steps, lowered.memory.aliases = lowering.steps(), lowering.aliases


def share_slices(lowered: Lowered) -> None:
    """Leaves parts of a map's channels where they are, if their readers can walk over them."""
    aliases = lowered.memory.aliases
    bound = _walked_alike(lowered.steps).union(aliases)
    for step in lowered.steps:
        if isinstance(step, SliceChannels) and step.is_in_place and step.y not in bound:
            aliases[step.y] = Alias(step.x, step.first)


def share_concats(lowered: Lowered) -> None:
    """Writes maps where a concatenation has them, if they may be."""
    aliases: dict[TensorSpec, Alias] = {}
    steps = lowered.steps
    keep = _walked_alike(steps).union(lowered.graph.outputs)
    # a map in whose place lies one that must keep its pitches keeps them too
    keep.update([alias.map for x, alias in lowered.memory.aliases.items() if x in keep])
    written = {x for step in steps if not isinstance(step, ImageInput) for x in step.writes}
    # the last first, so that a concatenation within another ends up in the outermost
    for step in reversed(steps):
        if not isinstance(step, Concat) or len(set(step.parts)) < len(step.parts):
            continue
        for part, channel in step.in_place():
            if part in written and part not in aliases and part not in keep:
                aliases[part] = Alias(step.y, channel)
    lowered.memory.aliases = {**aliases, **lowered.memory.aliases}


def _walked_alike(steps: Sequence[Step]) -> set[TensorSpec]:
    """Maps that a kernel walks with the pitches of another: residuals, and what they are added
    to."""
    return {x for step in steps if step.residuals for x in (*step.writes[:1], *step.residuals)}


def choose(lowered: Lowered) -> None:
    for step in lowered.steps:
        if isinstance(step, Convolution | WeightGradient):
            step.choose(lowered.threads)


def allocate(lowered: Lowered) -> None:
    for step in lowered.steps:
        step.prepare(lowered.memory, lowered.threads)
    lives = live_ranges(lowered.steps, lowered.graph.inputs[1:])
    lowered.memory.allocate(lives, lowered.graph.outputs)


PASSES: tuple[Callable[[Lowered], None], ...] = (
    run_simplify,
    match,
    share_slices,
    share_concats,
    choose,
    allocate,
)


def _first_of(rules: Sequence[Callable[[Chain], Step | None]]) -> Callable[[Chain], Step | None]:
    def rule(chain: Chain) -> Step | None:
        return next((step for each in rules if (step := each(chain)) is not None), None)

    return rule


_RULES: Rules = {
    name: _first_of([each.RULES[name] for each in OPERATIONS if name in each.RULES])
    for name in {name for each in OPERATIONS for name in each.RULES}
}


def live_ranges(
    steps: Sequence[Step], given: Sequence[TensorSpec]
) -> dict[TensorSpec, tuple[int, int]]:
    """The first and last step that needs each map; what is given is there before all steps."""
    lives: dict[TensorSpec, tuple[int, int]] = dict.fromkeys(given, (-1, -1))
    for number, step in enumerate(steps):
        for x in (*step.reads, *step.writes):
            first, _ = lives.get(x, (number, number))
            lives[x] = first, number
    return lives
