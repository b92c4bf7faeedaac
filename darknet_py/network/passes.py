"""Layers run in order, forward and backward; the one place where deltas of one map add up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from darknet_py.layers import Layer, Wanted

Array = Any


def forward(
    layers: Sequence[Layer], ops: Any, x: Array, last: int, *, train: bool, keep: bool
) -> dict[int, Array]:
    """Outputs of layers 0 to last; -1 is x. Unless `keep`, each goes after its last reader."""
    outputs = {-1: x}
    last_reader = {i: reader for reader in range(last + 1) for i in layers[reader].inputs}
    for index, layer in enumerate(layers[: last + 1]):
        inputs = [outputs[i] for i in layer.inputs]
        fixed = layer.frozen or layer.use_global_stats
        outputs[index] = layer.forward(*inputs, ops, train and not fixed)
        if not keep:
            layer.saved = None
            for i in layer.inputs:
                if last_reader[i] == index:
                    outputs.pop(i, None)
    return outputs


def backward(
    layers: Sequence[Layer], ops: Any, entering: Mapping[int, Array], wanted: Wanted
) -> Array:
    """Carries the deltas of these layers' outputs back; the delta of the network's input."""
    first = 0 if wanted.input_deltas else first_learning(layers)
    return carry(layers, ops, entering, wanted, first).get(-1)


def carry(
    layers: Sequence[Layer],
    ops: Any,
    entering: Mapping[int, Array],
    wanted: Wanted,
    first: int,
    kept: Collection[int] = (),
) -> dict[int, Array]:
    """The same back through layer `first`; deltas by layer: what arrived before it, and of `kept`.

    Others go once they are used.
    """
    deltas = dict(entering)
    for index in range(max(deltas), first - 1, -1):
        if index not in deltas:
            continue
        layer = layers[index]
        asked = Wanted(
            input_deltas=wanted.input_deltas or max(layer.inputs) >= first,
            updates=wanted.updates and not layer.frozen,
        )
        delta = deltas[index] if index in kept else deltas.pop(index)
        input_deltas = layer.backward(delta, ops, asked)
        for i, input_delta in zip(layer.inputs, input_deltas, strict=True):
            if input_delta is not None:
                deltas[i] = ops.add(deltas[i], input_delta) if i in deltas else input_delta
    return deltas


def final_loss(
    layers: Sequence[Layer],
    ops: Any,
    outputs: dict[int, Array],
    truth: Array,
    weights: Array | None = None,
) -> tuple[Array, Array, int]:
    """Loss, summed over the batch, delta, and the layer at whose output the delta enters.

    truth is (n, outputs); weights, (n, 1, 1, 1), multiply loss and delta of each picture.

    Of several layers at the end that have a loss, as [softmax] and [cost], the last says the
    figure and the first gives the delta.
    """
    index, losses, delta = len(layers), None, None
    while index > 0 and layers[index - 1].is_loss:
        index -= 1
        layer = layers[index]
        h, w, c = layer.out_shape
        shaped = ops.to_hwc(truth.reshape(truth.shape[0], c, h, w))
        these, delta = layer.loss(outputs[index], shaped, ops)
        losses = these if losses is None else losses
    if weights is not None:
        losses, delta = ops.multiply(losses, weights), ops.multiply(delta, weights)
    return ops.batch_loss(losses), delta, index - 1


def forget(layers: Sequence[Layer]) -> None:
    """Lets go of what forward left for backward."""
    for layer in layers:
        layer.saved = None


def first_learning(layers: Sequence[Layer]) -> int:
    """The first layer whose parameters move in training; len(layers) where none does."""
    learning = (
        index
        for index, layer in enumerate(layers)
        if not layer.frozen and any(parameter.learned for parameter in layer.parameters())
    )
    return next(learning, len(layers))
