"""A graph without calls that nothing needs, and without those that only hand a map on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from darknet_py.ops.graph import Graph, Node, TensorSpec, replaced
from darknet_py.ops.normalize import EPSILON, deviation


def simplify(graph: Graph) -> Graph:
    """The same outputs with fewer calls."""
    return _needed(_with_factors(_needed(_averages_first(_without_identities(graph)))))


def batchnorm_scale(delta: Any, scales: Any, variance: Any) -> Any:
    """delta times what batch normalisation with fixed statistics multiplies with."""
    return delta * (scales / (deviation(variance) + EPSILON))


def _with_factors(graph: Graph) -> Graph:
    """Of fixed statistics' way back, where nothing is learned, only the factor is left: it needs
    no map of the way forward."""
    read = {x for call in graph.calls for x in call.maps()}.union(graph.outputs)
    calls = []
    for call in graph.calls:
        if call.name == "batchnorm_fixed_backward" and read.isdisjoint(call.results[1:]):
            delta, _, scales, _, variance = call.arguments
            arguments = delta, scales, variance
            call = Node("batchnorm_scale", arguments, call.results[:1], batchnorm_scale)
        calls.append(call)
    return Graph(graph.inputs, calls, graph.outputs)


def _without_identities(graph: Graph) -> Graph:
    same: dict[TensorSpec, TensorSpec] = {}

    def current(x: TensorSpec) -> TensorSpec:
        return same.get(x, x)

    calls = []
    for call in graph.calls:
        arguments = replaced(call.arguments, current)
        passes_on = _IDENTITIES.get(call.name)
        through = passes_on(arguments) if passes_on else None
        if through is None:
            calls.append(Node(call.name, arguments, call.results, call.function))
        else:
            same.update(dict.fromkeys(call.results, through))
    return Graph(graph.inputs, calls, [current(y) for y in graph.outputs])


def _needed(graph: Graph) -> Graph:
    """Without calls that no output depends on; those without a result stay for their effect."""
    wanted = set(graph.outputs)
    kept = []
    for call in reversed(graph.calls):
        if not call.results or not wanted.isdisjoint(call.results):
            kept.append(call)
            wanted.update(call.maps())
    return Graph(graph.inputs, kept[::-1], graph.outputs)


def _if_linear(arguments: Any) -> TensorSpec | None:
    x: TensorSpec = arguments[0]
    return x if arguments[-1] == "linear" else None


def _if_alone(arguments: Any) -> TensorSpec | None:
    parts = arguments[0]
    return parts[0] if len(parts) == 1 else None


def _if_one_part(arguments: Any) -> TensorSpec | None:
    delta, channels = arguments
    return delta if len(channels) == 1 else None


def _if_times_one(arguments: Any) -> TensorSpec | None:
    x, factor = arguments
    return x if factor == 1 else None


def _if_sum_of_equals(arguments: Any) -> TensorSpec | None:
    delta, shape, alpha, beta = arguments
    return delta if tuple(shape) == delta.shape and (alpha, beta) == (1, 1) else None


_IDENTITIES: dict[str, Callable[[Any], TensorSpec | None]] = {
    "activate": _if_linear,
    "activate_backward": _if_linear,
    "concat": _if_alone,
    "concat_backward": _if_one_part,
    "scale": _if_times_one,
    "shortcut_backward": _if_sum_of_equals,
}
"""Calls whose results may all be one of their maps, by what their arguments are."""


def _averages_first(graph: Graph) -> Graph:
    """Averages before a 1x1 convolution, which then has one pixel left to do.

        avgpool(w x + b) = w avgpool(x) + b

    as a sum of means is the mean of sums. Networks that end in a convolution with a filter for each
    class, as Darknet's do, spend a tenth of their time in it otherwise. What is read nowhere any
    more is left in.
    """
    writers = {x: call for call in graph.calls for x in call.results}
    calls: list[Node] = []
    for call in graph.calls:
        chain = _convolution_before(call, writers, graph) if call.name == "avgpool" else []
        calls += _averaged_first(call, chain) if chain else [call]
    return Graph(graph.inputs, calls, graph.outputs)


def _convolution_before(average: Node, writers: dict[TensorSpec, Node], graph: Graph) -> list[Node]:
    """A convolution and what follows it up to the average, if they may change places."""
    shared = _read_twice(graph)
    chain: list[Node] = []
    x: TensorSpec = average.arguments[0]
    if x.shape[1:3] == (1, 1):
        return []
    while x in writers and x not in shared and _is_linear(writers[x]):
        chain.insert(0, writers[x])
        if chain[0].name == "conv2d":
            return chain
        x = chain[0].arguments[0]
    return []


def _read_twice(graph: Graph) -> set[TensorSpec]:
    """Maps with several readers, or that are outputs."""
    read: set[TensorSpec] = set(graph.outputs)
    twice = set(graph.outputs)
    for call in graph.calls:
        maps = set(call.maps())
        twice |= maps & read
        read |= maps
    return twice


def _is_linear(call: Node) -> bool:
    """Whether it does the same linear thing to each pixel."""
    if len(call.maps()) != 1:
        return False
    if call.name == "conv2d":
        _, weights, stride, padding, _ = call.arguments
        return weights.shape[1:3] == (1, 1) and (stride, padding) == (1, 0)
    if call.name == "add_biases":
        return bool(call.arguments[1].ndim == 1)
    return call.name == "batchnorm"


def _averaged_first(average: Node, chain: list[Node]) -> list[Node]:
    x: TensorSpec = chain[0].arguments[0]
    means = TensorSpec((x.shape[0], 1, 1, x.shape[3]), x.tracer)
    calls = [Node("avgpool", (x,), [means], average.function)]
    for call in chain:
        y = TensorSpec((x.shape[0], 1, 1, call.result.shape[3]), x.tracer)
        calls.append(Node(call.name, (means, *call.arguments[1:]), [y], call.function))
        means = y
    calls[-1].results = average.results
    return calls
