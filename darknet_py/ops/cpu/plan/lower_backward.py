"""Rules for what carries deltas back: see lower.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.ops.cpu.plan.chain import Chain
from darknet_py.ops.cpu.plan.convolution import Convolution
from darknet_py.ops.cpu.plan.learning import WeightGradient
from darknet_py.ops.cpu.plan.memory import Within
from darknet_py.ops.cpu.plan.moves import Add
from darknet_py.ops.cpu.plan.step import Step
from darknet_py.ops.record import Call, Map


def input_delta(chain: Chain) -> Step | None:
    """The delta of a convolution's input: a convolution of stride 1 with the weights turned.

    A stride leaves gaps of zeros between the deltas, in which they lie from the start.
    """
    delta, weights, shape, stride, padding, groups = chain.call.arguments
    size = weights.shape[1]
    if groups > 1 or padding >= size or not isinstance(weights, np.ndarray):
        return None
    x = delta
    if stride > 1:
        if delta in chain.lowering.inside:
            return None
        n, h, w, c = delta.shape
        x = Map((n, (h - 1) * stride + 1, (w - 1) * stride + 1, c), delta.recorder)
        chain.lowering.inside[delta] = Within(x, 0, stride)
    step = Convolution(
        x,
        chain.call.result,
        weights,
        1,
        size - 1 - padding,
        1,
        exact=chain.lowering.exact,
        backward=True,
        changing=chain.lowering.changing,
    )
    step.source = delta
    take_sum(chain, step)
    assert chain.y is not None
    step.y = chain.y
    return step


def take_sum(chain: Chain, step: Convolution) -> None:
    """A delta of the same map, from another layer, added."""
    y = chain.y

    def other_of(call: Call) -> Any:
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


RULES = {
    "add": add,
    "conv2d_backward_input": input_delta,
    "conv2d_backward_weights": weight_gradient,
}
