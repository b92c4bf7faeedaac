"""Convolutions, and dense layers as such: what is fused into one, and which algorithm computes it.

The file of an algorithm has `fits` (whether it can, and should), `scratch` and `row`; direct.py can
all. The cost model chooses between direct.py and winograd.py."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from darknet_py.ops.cpu.compile.allocate import FLOAT, Alias, Memory, padded
from darknet_py.ops.cpu.compile.match import (
    Chain,
    Rules,
    take_activation,
    take_mask,
    take_pooling,
    take_residual,
)
from darknet_py.ops.cpu.compile.step import Binding, Row, Rows, Step
from darknet_py.ops.cpu.operations.convolution import (
    direct,
    narrow_output,
    one_pixel,
    small_groups,
    winograd,
)
from darknet_py.ops.cpu.operations.convolution.cost import cheapest
from darknet_py.ops.cpu.operations.convolution.packing import Norm, Packing
from darknet_py.ops.cpu.operations.convolution.spec import ConvolutionSpec, Operands
from darknet_py.ops.execution import joined_name
from darknet_py.ops.fusion import is_constant, take_biases, take_norm, take_other
from darknet_py.ops.graph import Node, TensorSpec
from darknet_py.ops.pooling import BLURS, blur_padding
from darknet_py.ops.sizes import dilated, pair, stride_name


class Algorithm(Protocol):
    """What the file of an algorithm has."""

    def scratch(self, spec: ConvolutionSpec) -> int:
        """Bytes a thread."""

    def row(self, spec: ConvolutionSpec, operands: Operands) -> Row:
        """The row that computes it."""


@dataclass
class Convolution(ConvolutionSpec, Step):
    """The step: see ConvolutionSpec."""

    @property
    def residuals(self) -> list[TensorSpec]:
        others = self.residual, self.residual_after, self.mask and self.mask[0]
        return [x for x in others if x is not None]

    @property
    def reads(self) -> list[TensorSpec]:
        return [self.source or self.x, *self.residuals]

    @property
    def name(self) -> str:
        groups = f", {self.groups} groups" if self.groups > 1 else ""
        dilation = f", dilation {self.dilation}" if self.dilation > 1 else ""
        high, wide = self.window
        kind = "delta " if self.backward else ""
        return joined_name(
            f"{kind}{wide}x{high}/{stride_name(self.stride)} {self.filters}{groups}{dilation}",
            self.activation,
            "add" if self.residual is not None or self.residual_after is not None else "",
            "maxpool" if self.pooled else "",
            f"delta {self.mask[1]}" if self.mask else "",
        )

    @property
    def algorithm(self) -> str:
        return self.choice.algorithm if self.choice else ""

    def operations(self) -> int:
        return 2 * int(self.weights.size) * self.x.shape[0] * self.out[0] * self.out[1]

    def choose(self, threads: int) -> None:
        n, _, _, c = self.x.shape
        self.choice = cheapest(
            (n, *self.out),
            c,
            self.filters,
            self.window,
            max(self.stride),
            self.groups,
            threads,
            self.exact or self.dilation > 1 or narrow_output.fits(self),
        )

    @property
    def computed_by(self) -> Algorithm:
        """The algorithm's file."""
        if self.chosen.m:
            return winograd
        special = small_groups, narrow_output, one_pixel
        return next((each for each in special if each.fits(self)), direct)

    def prepare(self, memory: Memory, threads: int) -> None:
        memory.same_layout += [(x, self.y) for x in self.residuals]
        request = memory.request(self.x)
        _, h, w, _ = self.x.shape
        # where a stride leaves pixels over, windows at the right and below go further
        lasts = ((out - 1) * step for out, step in zip(self.out, self.stride, strict=True))
        ends = (last + reach for last, reach in zip(lasts, self.reach, strict=True))
        beyond = max(end - length for end, length in zip(ends, (h, w), strict=True))
        request.border = max(request.border, self.padding, beyond - self.padding)
        if self.chosen.m:
            request.below = max(request.below, -self.out[0] % self.chosen.m)
            request.tail |= self.out[1] % self.chosen.m > 0

    def scratch(self, threads: int) -> int:
        return threads * self.computed_by.scratch(self)

    def packed_size(self) -> int:
        """Bytes of its packed weights, about."""
        packing = Packing(self.chosen.m, padded(self.x.shape[3]), backward=self.backward)
        return FLOAT * packing.floats(self.weights)

    def rows(self, binding: Binding) -> Rows:
        operands = Operands(self, binding)
        row = self.computed_by.row(self, operands)
        return [*operands.before, row]


def match_conv2d(chain: Chain) -> Step | None:
    x, weights, stride, padding, groups, dilation = chain.call.arguments
    if not is_constant(weights) or (groups > 1 and chain.lowering.changing):
        return None
    step = Convolution(x, chain.call.result, weights, pair(stride), padding, groups, dilation)
    return _fused(chain, step)


def match_dense(chain: Chain) -> Step | None:
    x, weights = chain.call.arguments
    if not is_constant(weights):
        return None
    _, h, w, c = x.shape
    weights = weights.reshape(weights.shape[0], h, w, c)
    return _fused(chain, Convolution(x, chain.call.result, weights, (1, 1), 0, 1))


def match_blur(chain: Chain) -> Step:
    """A depthwise convolution, whose weights never move."""
    x, size, stride = chain.call.arguments
    c = x.shape[3]
    weights = _blur_weights(c, size)
    padding = blur_padding(size)
    step = Convolution(x, chain.call.result, weights, pair(stride), padding, c)
    step.exact = chain.lowering.exact
    return step


@lru_cache(maxsize=64)
def _blur_weights(c: int, size: int) -> np.ndarray:
    """(c, size, size, 1): kept, so that they are packed once."""
    row = np.array(BLURS[size], np.float32)
    return np.tile(np.outer(row, row)[:, :, None], (c, 1, 1, 1))


def _fused(chain: Chain, step: Convolution) -> Step:
    """A convolution with whatever may be fused into it."""
    lowering = chain.lowering
    step.exact, step.changing = lowering.exact, lowering.changing
    norm = take_norm(chain)
    if norm:
        _, scales, step.biases, *statistics = norm.arguments
        step.norm = Norm(scales, *statistics)
    else:
        step.biases = take_biases(chain)
    activation = take_activation(chain)
    step.activation, step.residual, step.residual_after = take_residual(chain, activation)
    if not step.residuals and not small_groups.fits(step):
        step.pooled = take_pooling(chain)
    step.y = chain.result
    return step


def match_input_delta(chain: Chain) -> Step | None:
    """The delta of a convolution's input: a convolution of stride 1 with the weights turned. A
    stride leaves gaps of zeros between the deltas, which are stored so from the start."""
    return _input_delta(chain, chain.call, None)


def match_scaled_input_delta(chain: Chain) -> Step | None:
    """The same with the factors of a batch normalisation in the weights."""
    _, scales, variance, epsilon = chain.call.arguments
    call = chain.next("conv2d_backward_input", lambda call: _is_possible(chain, call))
    if call is None:
        return None
    return _input_delta(chain, call, Norm(scales, np.zeros_like(scales), variance, epsilon))


def _is_possible(chain: Chain, call: Node) -> bool:
    _, weights, _, stride, padding, groups, dilation = call.arguments
    delta, lowering = chain.call.arguments[0], chain.lowering
    down, right = pair(stride)
    # a map between gaps has pitches that nothing it is added to has
    is_free = down == 1 or (delta not in lowering.aliases and delta not in lowering.same_layout)
    # weights that are made in each run are those of binary=1
    is_whole = groups == 1 and down == right and padding < dilated(weights.shape[1], dilation)
    return is_whole and is_free and is_constant(weights)


def _input_delta(chain: Chain, call: Node, norm: Norm | None) -> Step | None:
    if not _is_possible(chain, call):
        return None
    _, weights, _, stride, padding, _, dilation = call.arguments
    lowering, stride = chain.lowering, pair(stride)[0]
    delta: TensorSpec = chain.call.arguments[0]
    x = delta
    if stride > 1:
        n, h, w, c = delta.shape
        x = TensorSpec((n, (h - 1) * stride + 1, (w - 1) * stride + 1, c), delta.tracer)
        lowering.aliases[delta] = Alias(x, 0, stride)
    padding = dilated(weights.shape[1], dilation) - 1 - padding
    step = Convolution(x, call.result, weights, (1, 1), padding, 1, dilation, norm=norm)
    step.exact, step.changing = lowering.exact, lowering.changing
    step.backward, step.source = True, delta
    # a delta of the same map, from another layer
    step.residual = take_other(chain, "add", lambda call: True)
    if not _will_have_gaps(chain):
        step.mask = take_mask(chain, None)
    step.y = chain.result
    if step.residuals:
        lowering.same_layout.add(step.y)
    return step


def _will_have_gaps(chain: Chain) -> bool:
    """Whether what comes after the next activation is the delta of a convolution with a stride."""
    call = None if chain.y is None else chain.lowering.only_reader(chain.y)
    while call is not None and call.name in ("activate_backward", "batchnorm_scale"):
        call = chain.lowering.only_reader(call.result)
    if call is None or call.name != "conv2d_backward_input":
        return False
    return max(pair(call.arguments[3])) > 1


RULES: Rules = {
    "blur": match_blur,
    "conv2d": match_conv2d,
    "dense": match_dense,
    "conv2d_backward_input": match_input_delta,
    "batchnorm_scale": match_scaled_input_delta,
}
