"""Calls of ops to steps: batch norm folded, activation, sum and pooling fused into convolutions.

A chain of calls becomes one step where each map between them has no other reader and is no output.
What matches nothing is a Plain step.
"""

from __future__ import annotations

from typing import Any

from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.compile import lower_backward
from darknet_py.ops.cpu.compile.allocate import Within, padded
from darknet_py.ops.cpu.compile.chain import Chain, Lowering, Rules
from darknet_py.ops.cpu.compile.concats import share_concats
from darknet_py.ops.cpu.compile.step import Step
from darknet_py.ops.cpu.operations.batchnorm import Normalize
from darknet_py.ops.cpu.operations.convolution import direct
from darknet_py.ops.cpu.operations.convolution import small_groups as grouped
from darknet_py.ops.cpu.operations.convolution.convolution import Convolution
from darknet_py.ops.cpu.operations.convolution.small_groups_kernel import can_group
from darknet_py.ops.cpu.operations.elementwise import Activate, Add, Concat, Picture, Softmax
from darknet_py.ops.cpu.operations.pooling import Avgpool, Maxpool
from darknet_py.ops.graph import Graph, Node, TensorSpec
from darknet_py.ops.normalize import can_fold


def lower(
    recording: Graph, exact: bool, changing: bool
) -> tuple[list[Step], dict[TensorSpec, Within]]:
    """The steps of a simplified recording in an order in which they can run, and maps that lie
    within others. changing: parameters move between runs."""
    lowering = Lowering(recording, {**_RULES, **lower_backward.RULES}, exact, changing)
    steps = lowering.steps()
    return steps, {**share_concats(steps, recording.outputs), **lowering.inside}


def _constant(*values: Any) -> bool:
    return not any(isinstance(value, TensorSpec) for value in values)


def _convolution(chain: Chain) -> Step | None:
    x, weights, stride, padding, groups = chain.call.arguments
    shares = can_group(x.shape[3], weights.shape[0], groups)
    if not _constant(weights) or not (shares or direct.merge(groups, weights.shape[0])):
        return None
    if groups > 1 and chain.lowering.changing:
        return None
    return _finished(chain, x, weights, stride, padding, groups)


def _dense(chain: Chain) -> Step | None:
    x, weights = chain.call.arguments
    if not _constant(weights):
        return None
    _, h, w, c = x.shape
    window = weights.reshape(weights.shape[0], h, w, c)
    return _finished(chain, x, window, 1, 0, 1)


def _finished(
    chain: Chain, x: TensorSpec, weights: Any, stride: int, padding: int, groups: int
) -> Step:
    """A convolution with whatever may be fused into it."""
    step = Convolution(
        x,
        chain.call.result,
        weights,
        stride,
        padding,
        groups,
        exact=chain.lowering.exact,
        changing=chain.lowering.changing,
    )
    norm = chain.next(
        "batchnorm", lambda call: _constant(*call.arguments[1:]) and can_fold(*call.arguments[3:])
    )
    if norm:
        _, scales, step.biases, mean, variance = norm.arguments
        step.norm = scales, mean, variance
    else:
        biases = chain.next("add_biases", lambda call: _constant(call.arguments[1]))
        step.biases = biases.arguments[1] if biases else None
        if step.biases is not None and step.biases.ndim > 1:
            step.biases = step.biases.reshape(-1)
    _take_activation(chain, step)
    _take_sum(chain, step)
    if not grouped.fits(step):
        _take_pooling(chain, step)
    assert chain.y is not None
    step.y = chain.y
    return step


def _take_activation(chain: Chain, step: Convolution | Add | Normalize) -> None:
    if step.activation == "linear":
        call = chain.next("activate", lambda call: call.arguments[1] in SLOPES)
        if call:
            step.activation = call.arguments[1]


def _take_sum(chain: Chain, step: Convolution | Normalize) -> None:
    y = chain.y

    def accept(call: Node) -> bool:
        one, other, alpha, beta = call.arguments
        if one.shape != other.shape or one is other or (alpha, beta) != (1, 1):
            return False
        # what is added must be there already
        added = other if one is y else one
        return chain.is_before(added)

    call = chain.next("shortcut", accept)
    if not call:
        return
    one, other = call.arguments[:2]
    added = other if one is y else one
    if step.activation == "linear":
        step.added = added
        _take_activation(chain, step)
    else:
        step.added_after = added


def _take_pooling(chain: Chain, step: Convolution | Normalize) -> None:
    assert chain.y is not None
    _, h, w, _ = chain.y.shape

    def accept(call: Node) -> bool:
        size, stride, _ = call.arguments[1:]
        return (size, stride) == (2, 2) and call.result.shape[1:3] == (h // 2, w // 2)

    if step.added is None and step.added_after is None and h % 2 == 0 and w % 2 == 0:
        step.pooled = chain.next("maxpool", accept) is not None


def _batch_statistics(chain: Chain) -> Step | None:
    """Statistics, rolling averages and the normalisation by them."""
    (x,) = chain.call.arguments
    mean, variance = chain.call.results
    readers = [*chain.lowering.readers.get(mean, []), *chain.lowering.readers.get(variance, [])]
    norms = [call for call in readers if call.name == "batchnorm" and call.arguments[0] is x]
    if not norms or not {mean, variance}.isdisjoint(chain.lowering.outputs):
        return None
    _, scales, biases, *_ = norms[0].arguments
    averages = {call.arguments[1]: call for call in readers if call.name == "moving_average"}
    rolling = None
    if averages:
        rolling = averages[mean].arguments[0], averages[variance].arguments[0]
    for call in (norms[0], *averages.values()):
        chain.take(call)
    chain.y = norms[0].result
    return _normalized(chain, Normalize(x, chain.y, mean, variance, scales, biases, rolling))


def _fixed_statistics(chain: Chain) -> Step | None:
    """Normalisation by rolling statistics where scales learn; where they do not, it is part of a
    convolution, or Plain."""
    x, scales, biases, mean, variance = chain.call.arguments
    readers = chain.lowering.readers.get(x, [])
    learns = any(call.name == "batchnorm_fixed_backward" for call in readers)
    if not learns or not _constant(scales, biases, mean, variance):
        return None
    chain.y = chain.call.result
    one, other = TensorSpec(mean.shape, x.tracer), TensorSpec(mean.shape, x.tracer)
    step = Normalize(x, chain.y, one, other, scales, biases, (mean, variance), fixed=True)
    return _normalized(chain, step)


def _normalized(chain: Chain, step: Normalize) -> Step:
    """A normalisation with whatever may be fused into it."""
    _take_activation(chain, step)
    if not _take_pooling_both_ways(chain, step):
        _take_sum(chain, step)
        _take_pooling(chain, step)
    assert chain.y is not None
    step.y = chain.y
    chain.lowering.norms[step.x] = step
    return step


def _take_pooling_both_ways(chain: Chain, step: Normalize) -> bool:
    """Pooling whose input only the ways back through pooling, activation and norm read."""
    lowering, y = chain.lowering, chain.y
    assert y is not None
    _, h, w, _ = y.shape
    readers = {call.name: call for call in lowering.readers.get(y, [])}
    forward, back = readers.get("maxpool"), readers.get("maxpool_backward")
    if forward is None or back is None or y in lowering.outputs:
        return False
    expected = {"maxpool", "maxpool_backward"}
    last = back
    if step.activation != "linear":
        expected.add("activate_backward")
        activation = lowering.only_reader(back.result)
        if activation is None or activation is not readers.get("activate_backward"):
            return False
        last = activation
    norm = lowering.only_reader(last.result)
    is_square = forward.arguments[1:3] == (2, 2) and forward.result.shape[1:3] == (h / 2, w / 2)
    is_alone = readers.keys() == expected and len(lowering.readers[y]) == len(expected)
    if not (is_square and is_alone and norm and norm.name in lower_backward.NORMS):
        return False
    if norm.arguments[1] is not step.x:
        return False
    step.pooled = True
    lowering.pooled.add(y)
    chain.take(forward)
    chain.y = forward.result
    return True


def _picture(chain: Chain) -> Step | None:
    (x,) = chain.call.arguments
    if x not in chain.lowering.recording.inputs:
        return None
    step = Picture(x, chain.call.result)
    standard = chain.next("standardize", lambda call: _constant(*call.arguments[1:]))
    if standard:
        _, mean, deviation = standard.arguments
        step.scales, step.shifts = 1 / deviation, -mean / deviation
    crop = chain.next("crop", lambda call: not call.arguments[5])
    if crop:
        _, step.top, step.left, _, _, _, scale = crop.arguments
        step.scales, step.shifts = scale * step.scales, scale * step.shifts + (1 - scale)
    assert chain.y is not None
    step.y = chain.y
    readers = chain.lowering.readers.get(step.y, [])
    windows = "conv2d", "conv2d_backward_weights"
    step.dense = all(call.name in windows and call.arguments[-1] == 1 for call in readers)
    return step


def _maxpool(chain: Chain) -> Step | None:
    x, size, stride, padding = chain.call.arguments
    return Maxpool(x, chain.call.result, size, stride, padding)


def _avgpool(chain: Chain) -> Step | None:
    (x,) = chain.call.arguments
    return Avgpool(x, chain.call.result)


def _flatten(chain: Chain) -> Step | None:
    (x,) = chain.call.arguments
    call = chain.next("softmax", lambda call: call.arguments[1] == 1)
    assert chain.y is not None
    return Softmax(x, chain.y, call.arguments[2]) if call else None


def _softmax(chain: Chain) -> Step | None:
    x, groups, temperature = chain.call.arguments
    if groups != 1 or x.shape[1:3] != (1, 1):
        return None
    return Softmax(x, chain.call.result, temperature)


def _activate(chain: Chain) -> Step | None:
    x, activation = chain.call.arguments
    return Activate(x, chain.call.result, activation) if activation in SLOPES else None


def _concat(chain: Chain) -> Step | None:
    (parts,) = chain.call.arguments
    if any(x.shape[3] % vector_length() for x in parts[:-1]):
        return None
    return Concat(list(parts), chain.call.result)


def _shortcut(chain: Chain) -> Step | None:
    x, other, alpha, beta = chain.call.arguments
    if not _meet_evenly(x, other, alpha):
        return None
    step = Add(x, other, chain.call.result, alpha, beta)
    _take_activation(chain, step)
    assert chain.y is not None
    step.y = chain.y
    return step


def _meet_evenly(x: TensorSpec, other: TensorSpec, alpha: float) -> bool:
    """Whether the kernel's way of meeting is the op's: in whole vectors, at one sampling."""
    _, h, w, c = x.shape
    _, other_h, other_w, other_c = other.shape
    samples = {(max(a // b, 1), max(b // a, 1)) for a, b in ((h, other_h), (w, other_w))}
    whole = c == other_c or min(c, other_c) % vector_length() == 0
    return len(samples) == 1 and (
        whole or (alpha == 1 and padded(other_c) <= padded(c) and other_c < c)
    )


_RULES: Rules = {
    "activate": _activate,
    "avgpool": _avgpool,
    "batch_statistics": _batch_statistics,
    "batchnorm": _fixed_statistics,
    "concat": _concat,
    "conv2d": _convolution,
    "dense": _dense,
    "flatten_chw": _flatten,
    "maxpool": _maxpool,
    "shortcut": _shortcut,
    "softmax": _softmax,
    "to_hwc": _picture,
}
