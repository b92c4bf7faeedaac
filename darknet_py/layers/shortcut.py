"""[shortcut]: the outputs of earlier layers added, as in a residual network."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.sections import Section
from darknet_py.layers.base import (
    Array,
    BuildContext,
    Layer,
    Ops,
    Parameter,
    Wanted,
    activate,
    ones,
    read_activation,
    register,
    table_shape,
)

_TYPES = ("none", "per_feature", "per_layer", "per_channel")
_NORMALIZATIONS = {"none": None, "relu": "relu", "avg_relu": "relu", "softmax": "softmax"}


@register("shortcut")
class Shortcut(Layer):
    """y = activation(alpha x + beta z), z the output of layer `from`.

    AlexeyAB's: y = activation(x + z_1 + ... + z_n), z_i the outputs of the n layers that `from`
    names; with weights y = activation(f_0 x + f_1 z_1 + ... + f_n z_n), where of the layer's
    weights w_i f_i = r_i / (r_0 + ... + r_n + 1e-4), r_i = max(w_i, 0) or e^(w_i - the largest w).

    Keys: from (needed: numbers from the start, or if negative from here), activation (linear);
    alpha (1), beta (1): for one layer without weights; weights_type (none; per_feature or
    per_layer: one weight for each map; per_channel), weights_normalization (none, which weights
    cannot do with; relu or avg_relu; softmax).

    in (h, w, c) and (h', w', c') of each -> out (h, w, c). The first min(c, c') channels are added.
    Where the sizes differ, which one layer without weights alone may do, every larger // smaller
    pixel is.

    Learned, with weights, in `.weights` order: weights (n + 1,), or per_channel (n + 1, c), those
    of x first; they begin as 1.
    Source: shortcut_layer.c of both programs. AlexeyAB's takes the derivative of f_i as 1; here the
    gradient is exact.
    """

    def __init__(self, section: Section, context: BuildContext) -> None:
        super().__init__(section, context)
        if "from" not in section:
            section.fail("from= is missing: expected a layer's number, as in from=-3")
        indices = [context.resolve(section, "from", index) for index in section.get_ints("from")]
        self.inputs = context.index - 1, *indices
        self.from_shape = context.out_shapes[indices[0]]
        self.activation = read_activation(section, "linear")
        self.alpha, self.beta = section.get_float("alpha", 1), section.get_float("beta", 1)
        self.normalization, self.weights = self._read_weights(section)
        if self.weights is not None or len(indices) > 1:
            self._check_several(section, context)

    def _read_weights(self, section: Section) -> tuple[str | None, Parameter | None]:
        kind = section.get_choice("weights_type", "none", _TYPES)
        if kind == "none":
            section.skip(["weights_normalization"])
            return None, None
        normalization = section.get_choice("weights_normalization", "none", _NORMALIZATIONS)
        if normalization == "none":
            section.fail(
                f"weights_type={kind} without weights_normalization: expected relu or softmax",
                "weights_type",
            )
        shape: tuple[int, ...] = (len(self.inputs),)
        if kind == "per_channel":
            shape = *shape, self.in_shape.c
        return _NORMALIZATIONS[normalization], Parameter("weights", shape, ones, decay=True)

    def _check_several(self, section: Section, context: BuildContext) -> None:
        for index in self.inputs[1:]:
            shape = context.out_shapes[index]
            if shape[:2] != self.in_shape[:2]:
                section.fail(
                    f"layer {index} gives {shape}, layer {self.inputs[0]} {self.in_shape}: "
                    "expected one width and height",
                    "from",
                )
        for key in ("alpha", "beta"):
            if section.get_float(key, 1) != 1:
                section.fail(f"{key} is for one layer, without weights", key)

    def forward(self, x: Array, *args: Array) -> tuple[Array, Any]:
        *others, ops, _train = args
        if self.weights is not None:
            factors = ops.shortcut_factors(self.weights.data, self.normalization)
            total = ops.weighted_sum([x, *others], factors)
        else:
            factors, total = None, x
            for other in others:
                total = ops.shortcut(total, other, self.alpha, self.beta)
        y, activated = activate(total, self.activation, ops)
        maps = [x, *others] if self.weights is not None else []
        return y, (activated, [other.shape for other in others], maps, factors)

    def backward(self, delta: Array, saved: Any, ops: Ops, wanted: Wanted) -> list[Array]:
        activated, other_shapes, maps, factors = saved
        delta = ops.activate_backward(delta, activated, self.activation)
        if self.weights is not None:
            deltas: list[Array]
            *deltas, factors_delta = ops.weighted_sum_backward(delta, maps, factors)
            if wanted.updates:
                updates = ops.shortcut_factors_backward(
                    factors_delta, self.weights.data, self.normalization
                )
                ops.accumulate(self.weights.updates, updates)
            return deltas
        deltas = []
        for shape in other_shapes:
            delta, other_delta = ops.shortcut_backward(delta, shape, self.alpha, self.beta)
            deltas.append(other_delta)
        return [delta, *deltas]

    def parameters(self) -> list[Parameter]:
        return [] if self.weights is None else [self.weights]

    def describe(self) -> str:
        head = "res  " + " ".join(f"{index:3d}" for index in self.inputs[1:])
        return f"{head:<24}{table_shape(self.from_shape)}   ->  {table_shape(self.out_shape)}"
