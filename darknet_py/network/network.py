"""A network: layers in order, run forward and backward on one device.

Where the outside world sees arrays they are numpy's, in darknet's order: pictures and maps
(n, c, h, w), float32, pictures from 0 to 1; vectors (n, outputs). In inference pictures may be of
any size that the layers can take, as in the C program after resize_network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import Section, read_sections
from darknet_py.errors import CfgError, DarknetError, ShapeError
from darknet_py.layers import Layer, Parameter, Shape
from darknet_py.network import gradients, learning, parallel, recordings
from darknet_py.network.average import Average
from darknet_py.network.builder import MAX_MAP, build, build_layers
from darknet_py.network.entrance import enter
from darknet_py.network.optimiser import Optimiser
from darknet_py.network.passes import forget, forward
from darknet_py.network.plateau import Plateau
from darknet_py.network.settings import Settings
from darknet_py.network.targets import StandOut, Target
from darknet_py.network.weights import Loaded, read_weights, write_weights

Array = Any


def load_network(
    cfg: str | Path,
    weights: str | Path | None = None,
    device: str = "auto",
    *,
    strict: bool = False,
    partial: bool = False,
    exact: bool = False,
    half: bool = False,
) -> Network:
    """Reads a `.cfg` and, if given, `.weights`; without them the weights are drawn at random.

    device: "cpu", "gpu", "gpu:N" or "auto". strict: warnings about the cfg are errors. partial: a
    weights file may hold only the first layers. exact: convolutions are computed directly, without
    algorithms that are faster and round more. half: on a GPU, maps are bfloat16. Raises CfgError,
    WeightsError, DeviceError.
    """
    network = Network.from_cfg(cfg, device, strict=strict, exact=exact, half=half)
    if weights is not None:
        network.load_weights(weights, partial=partial)
    network.initialise()
    return network


class Network:
    """Layers, their settings and the training's counter.

    `layers` and `settings` may be read freely. `warnings` says what in the cfg seemed odd.
    """

    def __init__(
        self,
        sections: Sequence[Section],
        path: str,
        ops: Any,
        *,
        strict: bool = False,
        exact: bool = False,
        half: bool = False,
    ) -> None:
        plan = build(sections, path, strict)
        self.whole: Sequence[Layer] = plan.layers
        self.path = path
        self.ops = ops
        self.settings: Settings = plan.settings
        self.layers: list[Layer] = plan.layers
        self.warnings: list[str] = plan.warnings
        self.in_shape: Shape = plan.settings.shape
        self.seen = 0
        self.optimiser = Optimiser(plan.settings.optimiser, ops)
        self.sections = sections
        self.engine = ops.Engine(exact, half)
        self.average: Average | None = None
        self.communicator: parallel.Communicator | None = None
        """With other processes, where each has a part of every batch."""
        steering = plan.settings.plateau
        self.plateau = Plateau(steering) if steering is not None else None

    @classmethod
    def from_cfg(
        cls,
        cfg: str | Path,
        device: str = "auto",
        *,
        strict: bool = False,
        exact: bool = False,
        half: bool = False,
    ) -> Network:
        """A network on paper: its parameters have no values yet. Raises as load_network."""
        ops = devices.for_device(device)
        return cls(read_sections(cfg), str(cfg), ops, strict=strict, exact=exact, half=half)

    # What it is

    @property
    def output_layer(self) -> int:
        """The layer whose output is the prediction: the last that is no [cost]."""
        last = len(self.layers) - 1
        while last > 0 and self.layers[last].kind == "cost":
            last -= 1
        return last

    @property
    def outputs(self) -> int:
        """Numbers in a prediction."""
        return self.layers[self.output_layer].out_shape.size

    @property
    def batch_num(self) -> int:
        """Batches seen in training."""
        return self.seen // self.settings.batch

    @property
    def rate(self) -> float:
        """The learning rate of the batch that was seen last."""
        factor = 1.0 if self.plateau is None else self.plateau.factor
        return factor * self.settings.schedule.rate(self.batch_num)

    def parameters(self) -> list[Parameter]:
        """Of all layers, in `.weights` order."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def resized(self, w: int, h: int) -> Network:
        """A network for pictures of another size, with the same parameters (not copies).

        Raises ShapeError where a layer's weights depend on the size, as [connected]'s do.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.in_shape = Shape(h, w, self.in_shape.c)
        try:
            other.layers = build_layers(self.sections, self.settings, other.in_shape, self.layers)
        except CfgError as error:
            raise ShapeError(f"{error} (with a picture of {w} x {h})") from error
        for index, (layer, own) in enumerate(zip(other.layers, self.layers, strict=True)):
            layer.frozen = own.frozen
            for new, old in zip(layer.parameters(), own.parameters(), strict=True):
                if (new.shape, new.file_shape) != (old.shape, old.file_shape):
                    raise ShapeError(
                        f"{self.path}: layer {index} [{layer.kind}] only takes a map of "
                        f"{own.in_shape}, and a picture of {w} x {h} gives {layer.in_shape}"
                    )
                new.value, new.updates = old.value, old.updates
        return other

    def upto(self, last: int) -> Network:
        """Layers 0 to `last` alone, to be taken before weights are loaded: the others then need
        no memory, and what they ask of a picture's size does not matter.

        Raises ShapeError where there is no such layer.
        """
        self._check_layers([last])
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.layers = self.layers[: last + 1]
        other.sections = self.sections[: last + 2]
        return other

    # Weights

    def changed(self) -> None:
        """To be called after anything but this class has changed values of parameters in place."""
        self.engine.clear()

    def initialise(self, seed: int | None = None) -> None:
        """Draws parameters that have no values yet, and moves all to the device."""
        rng = np.random.default_rng(self.settings.seed if seed is None else seed)
        for parameter in self.parameters():
            if parameter.value is None:
                parameter.value = self._draw(parameter, rng)
            if isinstance(parameter.value, np.ndarray):
                parameter.value = self.ops.array(parameter.value)
        self.changed()

    def reinitialise(self, layers: Sequence[int], seed: int) -> None:
        """Draws the parameters of these layers anew, as if they had never been trained.

        What a layer gets depends on the seed and its number alone. What the optimiser and an
        average remember of it goes. Raises ShapeError where there is no such layer, DarknetError
        where one has no weights.
        """
        self._check_layers(layers)
        for index in layers:
            if not self.layers[index].parameters():
                kind = self.layers[index].kind
                raise DarknetError(f"{self.path}: layer {index} [{kind}] has no weights to draw")
        for index in layers:
            rng = np.random.default_rng((seed, index))
            for parameter in self.layers[index].parameters():
                parameter.value = self.ops.array(self._draw(parameter, rng))
                parameter.updates = None
                self.optimiser.forget(parameter)
                if self.average is not None:
                    self.average.forget(parameter)
        self.changed()

    def _draw(self, parameter: Parameter, rng: np.random.Generator) -> np.ndarray:
        try:
            if parameter.size <= MAX_MAP:
                return parameter.initialise(rng, parameter.shape)
        except MemoryError:
            pass
        raise CfgError(self.path, None, f"asks for {4 * parameter.size:,} bytes of weights at once")

    def load_weights(
        self, path: str | Path, *, partial: bool = False, clear: bool = False
    ) -> Loaded:
        """Reads a `.weights` file; `clear` sets `seen` back to 0. Raises WeightsError.

        Of a network that is `upto` a layer, the file is the whole one's, and may end after it.
        """
        loaded = read_weights(path, self.whole, partial, len(self.layers))
        self.seen = 0 if clear else loaded.header.seen
        self.initialise()
        return loaded

    def save_weights(self, path: str | Path) -> None:
        """Writes a `.weights` file, whole or not at all. Raises WeightsError."""
        on_device = {parameter: parameter.value for parameter in self.parameters()}
        try:
            for parameter, value in on_device.items():
                parameter.value = self.ops.to_host(value)
            write_weights(path, self.layers, self.seen)
        finally:
            for parameter, value in on_device.items():
                parameter.value = value

    # Forward and backward

    def predict(self, x: np.ndarray) -> np.ndarray:
        """x (n, c, h, w) float32, 0..1 -> (n, outputs)."""
        (y,) = recordings.prediction(self, self._any_size(x)).run(self)
        return self._to_outside(y, is_vector=True)

    def activations(self, x: np.ndarray) -> list[np.ndarray]:
        """Every layer's output in inference: (n, c, h, w), vectors as (n, outputs)."""
        ys = recordings.activations(self, self._any_size(x)).run(self)
        return [
            self._to_outside(y, layer.is_vector) for y, layer in zip(ys, self.layers, strict=True)
        ]

    def output(self, x: np.ndarray, layer: int) -> np.ndarray:
        """One layer's output in inference, (n, c, h, w), vectors as (n, outputs); layers after it
        are not computed. Raises ShapeError where there is no such layer."""
        self._check_layers([layer])
        (y,) = recordings.outputs(self, self._any_size(x), [layer]).run(self)
        return self._to_outside(y, self.layers[layer].is_vector)

    def carry_back(
        self, x: np.ndarray, delta: np.ndarray, start: int, ends: Sequence[int]
    ) -> gradients.Carried:
        """Runs x to layer `start`, and `delta` from its output back to the outputs of `ends`.

        x (n, c, h, w), 0..1, of any size that the layers can take; delta (n, outputs of `start` at
        that size), in darknet's order, or (n, c, h, w); ends: layers before `start`, or -1 for the
        picture. In inference. With a delta of one for one number of the output and zeros
        elsewhere, what arrives is the gradient of that number. Raises ShapeError for layers that
        are none, or from which nothing leads to `start`.
        """
        self._check_layers([start])
        for end in ends:
            if not gradients.PICTURE <= end < start:
                raise ShapeError(f"{self.path}: layer {end} is not before layer {start}")
        x = self._any_size(x)
        h, w, c = self.sized(x).layers[start].out_shape
        if delta.size != len(x) * c * h * w:
            expected = f"({len(x)}, {c * h * w})"
            raise ShapeError(f"{self.path}: expected a delta {expected}, found {delta.shape}")
        inside = np.ascontiguousarray(delta.reshape(-1, c, h, w).transpose(0, 2, 3, 1))
        found = gradients.carrying(self, x, inside, start, ends).run(self)
        outside = [np.ascontiguousarray(each.transpose(0, 3, 1, 2)) for each in found]
        found_maps, deltas = iter(outside[: -len(ends)]), outside[-len(ends) :]
        maps = [x if end == gradients.PICTURE else next(found_maps) for end in ends]
        return gradients.Carried(maps, deltas)

    def image_delta(self, x: np.ndarray, layer: int, thresh: float) -> np.ndarray:
        """The delta of the picture that makes `layer` more of what it is: the heart of a dream.

        The layer's output where it exceeds its mean by `thresh` standard deviations, else 0,
        becomes the layer's delta and is carried back. x (n, c, h, w) or (c, h, w) -> the same.
        """
        return self.delta_towards(x, [StandOut(layer, thresh)])

    def delta_towards(self, x: np.ndarray, targets: Sequence[Target]) -> np.ndarray:
        """The delta of the picture that brings it nearer to all of these: see targets.py.

        x (n, c, h, w) or (c, h, w) -> the same.
        """
        self._check_layers([target.layer for target in targets])
        batched = self._any_size(x if x.ndim == 4 else x[None])
        (x_delta,) = recordings.dream(self, batched, targets).run(self)
        result: np.ndarray = x_delta.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(result if x.ndim == 4 else result[0])

    def outputs_of(self, x: np.ndarray, layers: Sequence[int]) -> list[np.ndarray]:
        """The outputs (n, c, h, w) of these layers, for x (n, c, h, w)."""
        self._check_layers(layers)
        ys = recordings.outputs(self, self._any_size(x), layers).run(self)
        return [self._to_outside(y, is_vector=False) for y in ys]

    def times(self, x: np.ndarray, y: np.ndarray | None = None, rounds: int = 7) -> Any:
        """How long each step of a prediction, or with truths y of training, takes: see
        ops.times.Times. Raises CfgError for training that is no program."""
        if y is None:
            return recordings.prediction(self, self._any_size(x)).times(self, rounds)
        learning.check_trainable(self)
        if learning.draws(self):
            reason = "layers draw at random in training, which then goes layer by layer: no steps"
            raise CfgError(self.path, None, reason)
        learning.prepare_updates(self)
        return recordings.training(self, self.checked(x), y).times(self, rounds)

    # Training

    def train_step(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> float:
        """One batch of the cfg: forward, backward, update.

        x (batch, c, h, w), y (batch, outputs) -> the loss, a mean over the batch. weights (batch,),
        if given, multiply what each picture adds to loss and updates: 2 is to have it there twice,
        but for batch norm's statistics. Of a recurrent network x has batch * time_steps rows,
        ordered by subdivision, time, sequence. Raises ShapeError.
        """
        loss = self.accumulate(x, y, weights)
        self.update()
        return loss

    def accumulate(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The first half of train_step: forward and backward; updates wait in the parameters.

        With a communicator, x and y are this process's part; what is left is the whole batch's.
        """
        return learning.accumulate(self, x, y, weights)

    def update(self, rate: float | None = None) -> None:
        """The second half of train_step: the batch counts as seen, and the parameters move, at the
        rate of the cfg or at another one."""
        settings = self.settings
        self.seen += settings.batch
        rate = self.rate if rate is None else rate
        self.optimiser.step(self.layers, rate, settings.batch * settings.time_steps)
        if self.average is not None:
            self.average.step(self.parameters())
        self.engine.moved()

    def keep_average(self, decay: float) -> None:
        """From now on every update moves an average of the parameters: see average.py."""
        self.average = Average(decay, self.ops)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within the block the parameters are their averages, if any are kept."""
        if self.average is None:
            yield
            return
        self.average.swap(self.parameters())
        self.engine.moved()
        try:
            yield
        finally:
            self.average.swap(self.parameters())
            self.engine.moved()

    def updates_are_finite(self) -> bool:
        """Whether no update that waits in a parameter is infinite or no number."""
        updates = [each.updates for each in self.parameters() if each.updates is not None]
        return bool(self.ops.is_finite(*updates))

    def first_bad_layer(self, x: np.ndarray) -> int | None:
        """The first layer whose output of x, in training, is not finite; None if none."""
        last = len(self.layers) - 1
        with np.errstate(all="ignore"):
            start = self.to_device(x)
            outputs = forward(self.layers, self.ops, start, last, train=True, keep=True)
        forget(self.layers)
        bad = (i for i in range(last + 1) if not self.ops.is_finite(outputs[i]))
        first = next(bad, last + 1)
        if self.communicator is not None:
            first = parallel.least(self, self.communicator, first)
        return first if first <= last else None

    # Edges

    def sized(self, x: np.ndarray) -> Network:
        """This network, or one resized to the pictures (n, c, h, w)."""
        shape = np.shape(x)
        if self.settings.is_vector or len(shape) != 4 or shape[2:] == self.in_shape[:2]:
            return self
        return self.resized(w=shape[3], h=shape[2])

    def to_device(self, x: np.ndarray) -> Array:
        """(n, c, h, w), or (n, inputs), to (n, h, w, c) on the device; see `enter`."""
        return enter(self.ops.array(self.checked(x)), self.ops, self.settings)

    def _any_size(self, x: np.ndarray) -> np.ndarray:
        """x as (n, c, h, w), where `sized` may have to make a network that takes it."""
        is_map = not self.settings.is_vector and np.ndim(x) == 4
        return x if is_map and x.shape[1] == self.in_shape.c else self.checked(x)

    def checked(self, x: np.ndarray) -> np.ndarray:
        """x as (n, c, h, w). Raises ShapeError where it is not what the network takes."""
        h, w, c = self.in_shape
        shape = np.shape(x)
        if not (shape[1:] == (c, h, w) or (len(shape) == 2 and shape[1] == self.in_shape.size)):
            expected = f"(n, {c}, {h}, {w})" if not self.settings.is_vector else f"(n, {c})"
            raise ShapeError(f"{self.path}: expected pictures of shape {expected}, found {shape}")
        return x.reshape(shape[0], c, h, w)

    def _to_outside(self, y: Array, is_vector: bool) -> np.ndarray:
        outside: np.ndarray = self.ops.to_host(self.ops.to_chw(y))
        n, *shape = outside.shape
        return outside.reshape(n, math.prod(shape)) if is_vector else outside

    def _check_layers(self, layers: Sequence[int]) -> None:
        for layer in layers:
            if not 0 <= layer < len(self.layers):
                raise ShapeError(
                    f"{self.path}: there is no layer {layer}: expected 0 to {len(self.layers) - 1}"
                )
