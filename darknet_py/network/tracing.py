"""A network's functions, traced to graphs for its engine, for one size of picture.

Raises ShapeError for pictures of other shapes than the network's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from darknet_py.errors import OutOfMemoryError
from darknet_py.layers import Wanted
from darknet_py.network import io_checks
from darknet_py.network.derived import sized as sized_for
from darknet_py.network.io_checks import normalize_input, normalize_input_backward
from darknet_py.network.model import Model
from darknet_py.network.passes import backward, drawing, final_loss, forward
from darknet_py.network.targets import Target
from darknet_py.ops.execution import LazyGraph
from darknet_py.ops.graph import Graph, Tracer

Array = Any


@dataclass(frozen=True)
class TracedFunction:
    """A function to trace, and its arguments. given: pictures (n, c, h, w) and others; the rest as
    in LazyGraph."""

    name: str
    trace: Callable[[int], Graph]
    given: Sequence[np.ndarray]
    changing: bool = False

    def run(self, net: Model) -> list[np.ndarray]:
        """The outputs (n, h, w, c) of the graph."""
        with net.engine.lock:
            notice(net)
            try:
                ys: list[np.ndarray] = net.engine.run(self._lazy(net), *self.given)
            except OutOfMemoryError as error:
                if self.changing:
                    raise
                raise self._advised(net, error) from error
            return ys

    def times(self, net: Model, rounds: int) -> Any:
        """A profile of its steps."""
        try:
            return net.engine.times(self._lazy(net), *self.given, rounds=rounds)
        except OutOfMemoryError as error:
            raise self._advised(net, error) from error

    def _advised(self, net: Model, error: OutOfMemoryError) -> OutOfMemoryError:
        """The same error with the batch that would fit; in training see learning._with_advice."""
        n, _, h, w = self.given[0].shape
        advice = f"one picture of {w} x {h} is too much for it"
        if n > 1 and error.fits:
            advice = f"{min(error.fits, n - 1):,} at once would fit"
        return OutOfMemoryError(f"{net.path}: {error}: {advice}", error.fits)

    def _lazy(self, net: Model) -> LazyGraph:
        frozen = tuple(layer.frozen for layer in net.layers)
        shapes = tuple(each.shape[1:] for each in self.given)
        parameters = net.parameters()
        values = [each.data for each in parameters]
        updates = [each.updates for each in parameters if self.changing and each.learned]
        return LazyGraph(
            (self.name, shapes, frozen),
            self.trace,
            values + updates,
            self.changing,
            net.settings.time_steps,
        )


def notice(net: Model) -> None:
    """Invalidates what the engine derived of parameters that callers have changed in place."""
    known = net.engine.versions
    for layer in net.layers:
        for parameter in layer.parameters():
            if not parameter.has_views:
                continue
            version = parameter.version(net.ops.to_host)
            if known.get(parameter, 0) != version:
                known[parameter] = version
                # programs that train read learned parameters in each run, and hold frozen ones
                invalidate = net.engine.clear if layer.frozen else net.engine.moved
                invalidate()


def prediction(net: Model, x: np.ndarray) -> TracedFunction:
    """The output of the network's output layer."""
    return _inference(net, "predict", x, [net.output_layer])


def activations(net: Model, x: np.ndarray) -> TracedFunction:
    """The outputs of all layers."""
    return _inference(net, "activations", x, range(len(net.layers)))


def outputs(net: Model, x: np.ndarray, layers: Sequence[int]) -> TracedFunction:
    """The outputs of these layers."""
    return _inference(net, f"outputs {list(layers)}", x, layers)


def _inference(net: Model, name: str, x: np.ndarray, wanted: Sequence[int]) -> TracedFunction:
    x = io_checks.checked_any_size(net, x)

    def trace(n: int) -> Graph:
        sized = sized_for(net, x)
        tracer = Tracer(sized.ops)
        start = normalize_input(tracer.input((n, *x.shape[1:])), tracer, net.settings)
        outputs = forward(sized.layers, tracer, start, max(wanted), train=False).outputs
        return tracer.graph([outputs[index] for index in wanted])

    return TracedFunction(name, trace, [x])


def dream(net: Model, x: np.ndarray, targets: Sequence[Target]) -> TracedFunction:
    """The delta of the picture for the sum of all targets."""
    x = io_checks.checked_any_size(net, x)
    given = [array for target in targets for array in target.given]

    def trace(n: int) -> Graph:
        sized = sized_for(net, x)
        tracer = Tracer(sized.ops)
        start = normalize_input(tracer.input((n, *x.shape[1:])), tracer, net.settings)
        inputs = iter([tracer.input(array.shape) for array in given])
        last = max(target.layer for target in targets)
        tape = forward(sized.layers, tracer, start, last, train=False)
        deltas: dict[int, Array] = {}
        for target in targets:
            mine = [next(inputs) for _ in target.given]
            delta = target.delta(tracer, tape.outputs[target.layer], *mine)
            other = deltas.get(target.layer)
            deltas[target.layer] = delta if other is None else tracer.add(other, delta)
        wanted = Wanted(input_deltas=True, updates=False)
        x_delta = backward(sized.layers, tracer, tape, deltas, wanted)
        x_delta = normalize_input_backward(x_delta, tracer, net.settings)
        return tracer.graph([x_delta])

    return TracedFunction(f"dream {[target.name for target in targets]}", trace, [x, *given])


def training(
    net: Model, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
) -> TracedFunction:
    """The loss of pictures (n, c, h, w) with truths (n, outputs) and weights (n,), if any; updates
    are accumulated."""
    others = [each.reshape(len(y), 1, 1, -1) for each in (y, weights) if each is not None]
    last = len(net.layers) - 1

    def trace(n: int) -> Graph:
        tracer = Tracer(net.ops, changing=True)
        start = normalize_input(tracer.input((n, *x.shape[1:])), tracer, net.settings)
        truth, *rest = (tracer.input((n, *each.shape[1:])) for each in others)
        tape = forward(net.layers, tracer, start, last, train=True, keys=_inputs(tracer, keys))
        loss, delta, entry = final_loss(net.layers, tracer, tape.outputs, truth, *rest)
        backward(net.layers, tracer, tape, {entry: delta}, Wanted(input_deltas=False, updates=True))
        return tracer.graph([loss])

    keys = random_keys(net, last)
    given = [x, *others, *keys.values()]
    return TracedFunction(f"train {len(others)}", trace, given, changing=True)


def statistics(net: Model, x: np.ndarray) -> TracedFunction:
    """The forward pass of training, for its update of rolling statistics."""
    last = net.output_layer

    def trace(n: int) -> Graph:
        tracer = Tracer(net.ops)
        start = normalize_input(tracer.input((n, *x.shape[1:])), tracer, net.settings)
        tape = forward(net.layers, tracer, start, last, train=True, keys=_inputs(tracer, keys))
        return tracer.graph([tape.outputs[last]])

    keys = random_keys(net, last)
    return TracedFunction("statistics", trace, [x, *keys.values()], changing=True)


def random_keys(net: Model, last: int) -> dict[int, np.ndarray]:
    """The keys of the next draws of layers 0 to last in training; see count_draws."""
    return {i: net.layers[i].key() for i in drawing(net.layers, last)}


def count_draws(net: Model, last: int) -> None:
    """Advances the random keys of layers 0 to last."""
    for i in drawing(net.layers, last):
        net.layers[i].draws += 1


def _inputs(tracer: Tracer, keys: dict[int, np.ndarray]) -> dict[int, Array]:
    return {i: tracer.input(key.shape) for i, key in keys.items()}
