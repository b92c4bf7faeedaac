"""Forward and backward passes; the one place where deltas of one map are summed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from darknet_py.layers import Layer, Wanted

Array = Any


class Tape(NamedTuple):
    """A forward pass by layer: outputs (-1 is the input), and what backward needs."""

    outputs: dict[int, Array]
    saved: dict[int, Any]


def drawing(layers: Sequence[Layer], last: int) -> list[int]:
    """Those of layers 0 to last that are random in training."""
    return [i for i in range(last + 1) if layers[i].is_random and not _fixed(layers[i])]


def forward(
    layers: Sequence[Layer],
    ops: Any,
    x: Array,
    last: int,
    *,
    train: bool,
    keys: Mapping[int, Array] | None = None,
) -> Tape:
    """Layers 0 to last. keys: of the layers that are `drawing`, in training."""
    tape = Tape({-1: x}, {})
    for index, layer in enumerate(layers[: last + 1]):
        inputs = [tape.outputs[i] for i in layer.inputs]
        learns = train and not _fixed(layer)
        drawn = {"key": keys[index]} if keys and index in keys else {}
        tape.outputs[index], tape.saved[index] = layer.forward(*inputs, ops, learns, **drawn)
    return tape


def _fixed(layer: Layer) -> bool:
    """Whether it runs in training as in inference."""
    is_fixed = layer.frozen or layer.use_global_stats
    return is_fixed or (layer.shares is not None and _fixed(layer.shares))


def _frozen(layer: Layer) -> bool:
    """Whether its parameters are, which may be another layer's."""
    return layer.frozen or (layer.shares is not None and _frozen(layer.shares))


def backward(
    layers: Sequence[Layer], ops: Any, tape: Tape, entering: Mapping[int, Array], wanted: Wanted
) -> Array:
    """Backpropagates the deltas of these layers' outputs; the delta of the network's input."""
    first = 0 if wanted.input_deltas else first_learning(layers)
    return backpropagate(layers, ops, tape, entering, wanted, first).get(-1)


def backpropagate(
    layers: Sequence[Layer],
    ops: Any,
    tape: Tape,
    entering: Mapping[int, Array],
    wanted: Wanted,
    first: int,
    kept: Collection[int] = (),
) -> dict[int, Array]:
    """The same back through layer `first`: the deltas of the outputs before it, and of `kept`.
    Others are freed once they are used, and so is what the tape saved."""
    deltas = dict(entering)
    for index in range(max(deltas), first - 1, -1):
        if index not in deltas:
            continue
        layer = layers[index]
        asked = Wanted(
            input_deltas=wanted.input_deltas or max(layer.inputs) >= first,
            updates=wanted.updates and not _frozen(layer),
        )
        delta = deltas[index] if index in kept else deltas.pop(index)
        input_deltas = layer.backward(delta, tape.saved.pop(index), ops, asked)
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

    truth is (n, outputs); weights, (n, 1, 1, 1), multiply loss and delta of each picture. Of
    several layers at the end that have a loss, as [softmax] and [cost], the loss is the last one's,
    the delta the first one's.
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


def first_learning(layers: Sequence[Layer]) -> int:
    """The first layer whose parameters learn in training; len(layers) where none does."""
    learning = (
        index
        for index, layer in enumerate(layers)
        if not layer.frozen and any(parameter.learned for parameter in layer.parameters())
    )
    return next(learning, len(layers))
