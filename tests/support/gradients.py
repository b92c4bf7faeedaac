"""One harness for every layer: backward against numerical derivatives, in float64.

`backward` is the transpose of the derivative, applied to delta. So for any fixed delta the
function sum(delta * forward(x)) has the gradient that backward returns for x, and that it adds to
the updates of each parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.layers import Layer, Wanted
from darknet_py.network.builder import build

STEP = 1e-6
SAMPLES = 40
"""Values of each array that are moved one by one; fewer where there are fewer."""

ops = devices.for_device("cpu")


def make_layer(text: str, seed: int = 0, rules: str | None = None) -> Layer:
    """The last layer of a cfg, its parameters random in float64, variances positive."""
    layer = build(parse_sections(text), "<text>", rules=rules).layers[-1]
    rng = np.random.default_rng(seed)
    for parameter in layer.parameters():
        parameter.value = rng.normal(size=parameter.shape)
        if "variance" in parameter.name:
            parameter.value = rng.uniform(0.5, 2, parameter.shape)
        if parameter.learned:
            parameter.updates = np.zeros(parameter.shape)
    return layer


def make_inputs(text: str, n: int = 2, seed: int = 1) -> list[np.ndarray]:
    """Random float64 maps (n, h, w, c) of the shapes that the last layer reads."""
    plan = build(parse_sections(text), "<text>")
    shapes = [
        plan.settings.shape if i < 0 else plan.layers[i].out_shape for i in plan.layers[-1].inputs
    ]
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, *shape)) for shape in shapes]


def forward_once(layer: Layer, inputs: Sequence[np.ndarray], train: bool) -> tuple[np.ndarray, Any]:
    """As a network does, with the key of the layer's next draw: output, saved."""
    if not (train and layer.is_random):
        return layer.forward(*inputs, ops, train)
    key = layer.key()
    layer.draws += 1
    return layer.forward(*inputs, ops, train, key=key)


def check_layer(
    text: str,
    *,
    train: bool = True,
    n: int = 2,
    tolerance: float = 1e-6,
    rules: str | None = None,
) -> None:
    """Asserts that the last layer of a cfg keeps the contract of layers/base.py.

    Gradients equal numerical ones, relative to the largest; inputs and delta are not edited;
    what is not wanted is not computed, and does not change what is.
    """
    layer, inputs = make_layer(text, rules=rules), make_inputs(text, n)
    state = layer.state()

    def forward() -> tuple[np.ndarray, Any]:
        layer.restore(state)
        return forward_once(layer, inputs, train)

    before = [x.copy() for x in inputs]
    y, saved = forward()
    assert y.shape == (n, *layer.out_shape)
    assert y.dtype == np.float64
    delta = np.random.default_rng(2).normal(size=y.shape)
    delta_before = delta.copy()
    deltas = layer.backward(delta, saved, ops, Wanted(input_deltas=True, updates=True))
    for x, old in zip([*inputs, delta], [*before, delta_before], strict=True):
        np.testing.assert_array_equal(x, old, "forward or backward edited what it was given")

    learned = [parameter for parameter in layer.parameters() if parameter.learned]
    updates = [parameter.updates.copy() for parameter in learned]
    kept = [p.value.copy() for p in layer.parameters() if not p.learned]

    def objective() -> float:
        for parameter, value in zip(
            (p for p in layer.parameters() if not p.learned), kept, strict=True
        ):
            parameter.value[...] = value
        return float((delta * forward()[0]).sum())

    assert len(deltas) == len(inputs)
    for i, (x, x_delta) in enumerate(zip(inputs, deltas, strict=True)):
        assert x_delta.shape == x.shape
        _compare(objective, x, x_delta, tolerance, f"the delta of input {i}")
    for parameter, update in zip(learned, updates, strict=True):
        _compare(objective, parameter.value, update, tolerance, f"updates of {parameter.name}")
    _check_wanted(layer, forward, delta, deltas, updates)


def _check_wanted(
    layer: Layer,
    forward: Callable[[], tuple[np.ndarray, Any]],
    delta: np.ndarray,
    deltas: list[np.ndarray],
    updates: list[np.ndarray],
) -> None:
    """Updates add up where wanted, stay where not; deltas do not depend on it."""
    learned = [parameter for parameter in layer.parameters() if parameter.learned]
    again = layer.backward(delta, forward()[1], ops, Wanted(input_deltas=True, updates=False))
    for x_delta, same in zip(deltas, again, strict=True):
        np.testing.assert_allclose(same, x_delta, rtol=1e-9, atol=1e-12)
    for parameter, update in zip(learned, updates, strict=True):
        np.testing.assert_array_equal(parameter.updates, update)
    if not learned:
        return
    layer.backward(delta, forward()[1], ops, Wanted(input_deltas=False, updates=True))
    for parameter, update in zip(learned, updates, strict=True):
        np.testing.assert_allclose(parameter.updates, 2 * update, rtol=1e-9, atol=1e-12)


def _compare(
    objective: Callable[[], float], x: np.ndarray, gradient: np.ndarray, tolerance: float, what: str
) -> None:
    """Moves some values of x, one at a time and in place, and compares."""
    flat = x.reshape(-1)
    places = np.random.default_rng(3).permutation(flat.size)[:SAMPLES]
    numerical = np.empty(len(places))
    for k, place in enumerate(places):
        value = flat[place]
        flat[place] = value + STEP
        above = objective()
        flat[place] = value - STEP
        below = objective()
        flat[place] = value
        numerical[k] = (above - below) / (2 * STEP)
    exact = gradient.reshape(-1)[places]
    scale = max(np.abs(numerical).max(), np.abs(exact).max(), 1e-3)
    error = np.abs(numerical - exact).max() / scale
    assert error < tolerance, f"{what}: off by {error:.2g} of the largest"
