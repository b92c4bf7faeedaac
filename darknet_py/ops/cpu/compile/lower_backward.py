"""Rules for what carries deltas back: see lower.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.compile.allocate import Within
from darknet_py.ops.cpu.compile.chain import Chain, Rules
from darknet_py.ops.cpu.compile.step import Step
from darknet_py.ops.cpu.operations.batchnorm_backward import BiasGradient, NormalizeBackward
from darknet_py.ops.cpu.operations.convolution.convolution import Convolution, Norm
from darknet_py.ops.cpu.operations.convolution.weight_gradient import WeightGradient
from darknet_py.ops.cpu.operations.elementwise import ActivateBackward, Add, DreamDelta
from darknet_py.ops.cpu.operations.pooling import AvgpoolBackward, MaxpoolBackward
from darknet_py.ops.graph import Node, TensorSpec

NORMS = "batchnorm_backward", "batchnorm_fixed_backward"
"""Ways back through batch norm: with the batch's statistics, and with rolling ones."""


def input_delta(chain: Chain) -> Step | None:
    """The delta of a convolution's input: a convolution of stride 1 with the weights turned.

    A stride leaves gaps of zeros between the deltas, in which they lie from the start.
    """
    return _input_delta(chain, chain.call, None)


def scaled_input_delta(chain: Chain) -> Step | None:
    """The same with the factors of a batch normalisation in the weights."""
    _, scales, variance = chain.call.arguments
    call = chain.next("conv2d_backward_input", lambda call: _is_possible(chain, call))
    if call is None:
        return None
    step = _input_delta(chain, call, (scales, np.zeros_like(scales), variance))
    assert isinstance(step, Convolution)
    return step


def _is_possible(chain: Chain, call: Node) -> bool:
    _, weights, _, stride, padding, groups = call.arguments
    delta, lowering = chain.call.arguments[0], chain.lowering
    # a map between gaps has pitches that nothing it is added to has
    is_free = stride == 1 or (delta not in lowering.inside and delta not in lowering.twins)
    is_made = isinstance(weights, TensorSpec)  # in each run, as of binary=1
    return groups == 1 and padding < weights.shape[1] and is_free and not is_made


def _input_delta(chain: Chain, call: Node, norm: Norm | None) -> Step | None:
    if not _is_possible(chain, call):
        return None
    _, weights, _, stride, padding, _ = call.arguments
    delta: TensorSpec = chain.call.arguments[0]
    x = delta
    if stride > 1:
        n, h, w, c = delta.shape
        x = TensorSpec((n, (h - 1) * stride + 1, (w - 1) * stride + 1, c), delta.tracer)
        chain.lowering.inside[delta] = Within(x, 0, stride)
    step = Convolution(
        x,
        call.result,
        weights,
        1,
        weights.shape[1] - 1 - padding,
        1,
        norm=norm,
        exact=chain.lowering.exact,
        backward=True,
        changing=chain.lowering.changing,
        source=delta,
    )
    take_sum(chain, step)
    if not _will_have_gaps(chain):
        gate = _gate(chain, None)
        step.gate = gate.arguments[1:3] if gate else None
    assert chain.y is not None
    step.y = chain.y
    if step.added is not None or step.gate is not None:
        chain.lowering.twins.add(step.y)
    return step


def _will_have_gaps(chain: Chain) -> bool:
    """Whether what comes after the next activation is the way back through a stride."""
    call = None if chain.y is None else chain.lowering.only_reader(chain.y)
    while call is not None and call.name in ("activate_backward", "scale_channels"):
        call = chain.lowering.only_reader(call.result)
    return call is not None and call.name == "conv2d_backward_input" and call.arguments[3] > 1


def take_sum(chain: Chain, step: Convolution) -> None:
    """A delta of the same map, from another layer, added."""
    y = chain.y

    def other_of(call: Node) -> Any:
        one, other = call.arguments
        return other if one is y else one

    call = chain.next("add", lambda call: chain.is_before(other_of(call)))
    if call:
        step.added = other_of(call)


def weight_gradient(chain: Chain) -> Step | None:
    delta, x, _, stride, padding, groups = chain.call.arguments
    added = chain.next("accumulate", lambda call: True)
    if not added:
        return None
    updates = added.arguments[0]
    return WeightGradient(x, delta, updates, stride, padding, groups, chain.lowering.exact)


def add(chain: Chain) -> Step | None:
    one, other = chain.call.arguments
    return Add(one, other, chain.call.result, 1.0, 1.0)


def batchnorm(chain: Chain) -> Step | None:
    """With what comes before it: pooling, activation. Only where the way forward is a step, too."""
    lowering = chain.lowering
    activation, pooled = "linear", False
    if chain.call.name == "maxpool_backward":
        pooled = True
        if chain.call.arguments[1] not in lowering.pooled:
            return _maxpool(chain)
    call: Node | None = chain.call
    if pooled:
        call = chain.next("activate_backward", lambda call: True) or _next_norm(
            chain, lambda call: True
        )
    assert call is not None
    if call.name == "activate_backward":
        _, y, activation = call.arguments
        if not pooled and activation not in SLOPES:
            return _activation(chain)
        call = _next_norm(chain, lambda call: pooled or lowering.norm_of(call.arguments[1], y))
        if call is None:
            return _activation(chain)
    norm = lowering.norms.get(call.arguments[1])
    if norm is None:
        return None
    out, scale_updates, bias_updates = call.results
    arrays = [_updates(chain, result) for result in (scale_updates, bias_updates)]
    return NormalizeBackward(norm, chain.call.arguments[0], out, activation, pooled, *arrays)


def _next_norm(chain: Chain, accept: Callable[[Node], bool]) -> Node | None:
    found = (chain.next(name, accept) for name in NORMS)
    return next((call for call in found if call is not None), None)


def _maxpool(chain: Chain) -> Step:
    delta, x, size, stride, padding = chain.call.arguments
    step = MaxpoolBackward(delta, x, chain.call.result, size, stride, padding)
    if step.is_square:
        call = _gate(chain, x)
        step.activation = call.arguments[2] if call else "linear"
    assert chain.y is not None
    step.out = chain.y
    return step


def _gate(chain: Chain, y: TensorSpec | None) -> Node | None:
    """Takes the way back through an activation (whose output is y, if that is said), unless batch
    norm takes it."""

    def accept(call: Node) -> bool:
        is_same = y is None or call.arguments[1] is y
        after = chain.lowering.only_reader(call.result)
        is_norms = after is not None and after.name in NORMS
        return is_same and not is_norms and call.arguments[2] in SLOPES

    return chain.next("activate_backward", accept)


def _activation(chain: Chain) -> Step | None:
    delta, y, activation = chain.call.arguments
    if activation not in SLOPES:
        return None
    return ActivateBackward(delta, y, chain.call.result, activation)


def _updates(chain: Chain, result: TensorSpec) -> np.ndarray | None:
    """The array to which a result is added; nobody else may read it."""
    call = chain.lowering.only_reader(result)
    if call is None or call.name != "accumulate":
        return None
    chain.take(call)
    updates: np.ndarray = call.arguments[0]
    return updates


def biases(chain: Chain) -> Step | None:
    (delta,) = chain.call.arguments
    added = chain.next("accumulate", lambda call: True)
    return BiasGradient(delta, added.arguments[0]) if added else None


def avgpool(chain: Chain) -> Step | None:
    return AvgpoolBackward(chain.call.arguments[0], chain.call.result)


def dream(chain: Chain) -> Step | None:
    y, thresh = chain.call.arguments
    return DreamDelta(y, chain.call.result, thresh)


RULES: Rules = {
    "avgpool_backward": avgpool,
    "dream_delta": dream,
    "scale_channels": scaled_input_delta,
    "activate_backward": batchnorm,
    "batchnorm_backward": batchnorm,
    "batchnorm_fixed_backward": batchnorm,
    "biases_backward": biases,
    "maxpool_backward": batchnorm,
    "add": add,
    "conv2d_backward_input": input_delta,
    "conv2d_backward_weights": weight_gradient,
}
