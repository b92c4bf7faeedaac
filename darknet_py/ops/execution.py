"""What the engines of both devices take and return; a graph computed call by call."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from darknet_py.ops.array_types import Array
from darknet_py.ops.graph import Graph, Node, TensorSpec, replaced


@dataclass(frozen=True)
class LazyGraph:
    """A graph that is traced once its batch is known: an engine compiles it, and keeps what it made
    of it by its key."""

    key: Hashable
    """What is computed, and for which size of picture."""
    trace: Callable[[int], Graph]
    """The graph of a batch of n."""
    parameters: Sequence[Any] = ()
    """Arrays that it reads; where they are no float32, all is computed as they are."""
    changing: bool = False
    """Whether parameters move between runs, and are read in each."""
    time_steps: int = 1
    """So many rows make a sequence, and a batch of them is not cut."""


class Times(NamedTuple):
    """steps: of each its name, the shape of what it writes, its algorithm, its operations, seconds;
    peak: of the device, in GFLOP/s; megabytes: of the maps. whole: seconds of one CUDA graph of all
    of them, or None; apart: why they are not one."""

    steps: list[tuple[str, tuple[int, ...], str, int, float]]
    peak: float
    megabytes: float
    whole: float | None = None
    apart: str = ""


def joined_name(*parts: str) -> str:
    """A step's name, of what is computed and fused: without "linear", and what is not there."""
    return " + ".join(part for part in parts if part and part != "linear")


Compute = Callable[[Node, tuple[Any, ...]], Any]


def compute(call: Node, arguments: tuple[Any, ...]) -> Any:
    """What a call gives for its arguments."""
    assert call.function is not None, call.name
    return call.function(*arguments)


def replay(graph: Graph, given: Sequence[Array], compute: Compute = compute) -> list[Array]:
    """The outputs of a graph for the arrays that it is given.

    An array goes after its last reader. compute: what is done for each call.
    """
    arrays: dict[TensorSpec, Array] = dict(zip(graph.inputs, given, strict=True))
    for call, done in with_last_uses(graph):
        result = compute(call, replaced(call.arguments, arrays.__getitem__))
        if call.results:  # else it was for its effect
            results = result if isinstance(result, tuple | list) else [result]
            arrays.update(zip(call.results, results, strict=True))
            del results
        del result
        for x in done:
            del arrays[x]
    return [arrays[y] for y in graph.outputs]


def with_last_uses(graph: Graph) -> Iterator[tuple[Node, list[TensorSpec]]]:
    """Calls in order, each with the maps that nothing needs after it."""
    last: dict[TensorSpec, int] = {}
    for place, call in enumerate(graph.calls):
        last.update(dict.fromkeys((*call.results, *call.maps()), place))
    kept = set(graph.outputs)
    done: list[list[TensorSpec]] = [[] for _ in graph.calls]
    for x, place in last.items():
        if x not in kept:
            done[place].append(x)
    return zip(graph.calls, done, strict=True)


def peak_bytes(graph: Graph, item: int = 4) -> int:
    """Bytes that its maps take at most at one time, `item` for each value; for a batch of twice the
    pictures, twice as much."""
    held = peak = item * sum(x.size for x in graph.inputs)
    for call, done in with_last_uses(graph):
        held += item * sum(y.size for y in call.results)
        peak = max(peak, held)
        held -= item * sum(x.size for x in done)
    return peak
