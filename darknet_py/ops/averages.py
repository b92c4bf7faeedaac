"""Averages taken early: before a 1x1 convolution, which then has one pixel left to do.

    avgpool(w x + b) = w avgpool(x) + b

as a sum of means is the mean of sums. Networks that end in a convolution with a filter for each
class, as Darknet's do, spend a tenth of their time in it otherwise.
"""

from __future__ import annotations

from darknet_py.ops.graph import Graph, Node, TensorSpec


def averages_first(recording: Graph) -> Graph:
    """The same outputs; what is read nowhere any more is left in."""
    writers = {x: call for call in recording.calls for x in call.results}
    calls: list[Node] = []
    for call in recording.calls:
        chain = _convolution_before(call, writers, recording) if call.name == "avgpool" else []
        calls += _averaged_first(call, chain) if chain else [call]
    return Graph(recording.inputs, calls, recording.outputs)


def _convolution_before(
    average: Node, writers: dict[TensorSpec, Node], recording: Graph
) -> list[Node]:
    """A convolution and what follows it up to the average, if they may change places."""
    shared = _read_twice(recording)
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


def _read_twice(recording: Graph) -> set[TensorSpec]:
    """Maps with several readers, or that are outputs."""
    read: set[TensorSpec] = set(recording.outputs)
    twice = set(recording.outputs)
    for call in recording.calls:
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
