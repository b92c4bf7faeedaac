"""A network: layers in order, run forward and backward on one device.

Where the outside world sees arrays they are numpy's, in darknet's order: pictures and maps
(n, c, h, w), float32, pictures from 0 to 1; vectors (n, outputs). Bytes, or any integers, are
refused (ShapeError: divide by 255), and so is a NaN or an infinity (NotFiniteError); pictures far
beyond 0..1 bring a warning. In inference pictures may be of
any size that the layers can take, as in the C program after resize_network.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import Section, read_sections
from darknet_py.errors import TrainingError
from darknet_py.layers import Layer, Parameter, Shape
from darknet_py.network import (
    copies,
    derived,
    draw,
    edges,
    gradients,
    learning,
    parallel,
    recordings,
    statistics,
)
from darknet_py.network.average import Average
from darknet_py.network.builder import build
from darknet_py.network.entrance import enter
from darknet_py.network.optimiser import Optimiser
from darknet_py.network.plateau import Plateau
from darknet_py.network.settings import Settings
from darknet_py.network.targets import StandOut, Target
from darknet_py.network.weights import Loaded, read_weights, write_weights

Array = Any


class Network:
    """Layers, their settings and the training's counter.

    `layers` and `settings` may be read freely. `warnings` says what in the cfg seemed odd.
    `copy.deepcopy` and `pickle` give one that predicts and learns on alike, on the same device;
    `copy.copy` gives one on the same parameters. As any pickle, one from a stranger is not safe.
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
        self.weights_path: str | None = None
        """The file that its weights were read from last, or are to be read from."""
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
        self.next_sizes: dict[tuple[int, int, int], tuple[int, int]] = {}
        """What next_size has found, by how many layers and which size."""
        self.say: Callable[[str], None] = warnings.warn
        self._said: set[str] = set()
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

    # Copies and pickles: see copies.py

    def __copy__(self) -> Network:
        return copies.shared(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Network:
        return copies.deep(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        return copies.on_device, (type(self), devices.device_name(self.ops)), copies.kept(self)

    def __setstate__(self, kept: dict[str, Any]) -> None:
        copies.fill(self, kept)

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
        return derived.resized(self, w, h)

    def next_size(self, w: int, h: int) -> tuple[int, int]:
        """The smallest width and height, none smaller than these, of pictures that the network
        takes: these, unless maps that meet later on (in [route], say) would be of several sizes,
        or a window larger than its map.

        Found by shapes alone, each side by itself, within 64 pixels. Raises ShapeError.
        """
        key = len(self.layers), w, h
        if key not in self.next_sizes:
            self.next_sizes[key] = derived.next_size(self, w, h)
        return self.next_sizes[key]

    def note(self, text: str) -> None:
        """Says what is done otherwise than was asked for, once: to `say`, a warning of Python's
        unless the command line has put something else there."""
        if text not in self._said:
            self._said.add(text)
            self.say(text)

    def upto(self, last: int) -> Network:
        """Layers 0 to `last` alone, to be taken before weights are loaded: the others then need
        no memory, and what they ask of a picture's size does not matter.

        Raises ShapeError where there is no such layer.
        """
        return derived.upto(self, last)

    # Weights

    def changed(self) -> None:
        """Forgets what was made of parameters, to be called after their `data` were changed; those
        who change or replace a `value` need not."""
        self.engine.clear()

    def initialise(self, seed: int | None = None) -> None:
        """Draws parameters that have no values yet, and moves all to the device."""
        draw.missing(self, seed)

    def reinitialise(self, layers: Sequence[int], seed: int) -> None:
        """Draws the parameters of these layers anew, as if they had never been trained.

        What a layer gets depends on the seed and its number alone. What the optimiser and an
        average remember of it goes. Raises ShapeError where there is no such layer, DarknetError
        where one has no weights.
        """
        draw.anew(self, layers, seed)

    def load_weights(
        self, path: str | Path, *, partial: bool = False, clear: bool = False, begin: bool = False
    ) -> Loaded:
        """Reads a `.weights` file; `clear` sets `seen` back to 0. Raises WeightsError.

        begin: for a training to begin with: layers with dontload=1 are left alone; else they are
        read where the file has them, and `warnings` says of which it has none. Of a network that is
        `upto` a layer, the file is the whole one's, and may end after it.
        """
        loaded = read_weights(path, self.whole, partial, len(self.layers), begin)
        if not begin:
            self.warnings += [
                f"{path}: has nothing of layer {index} [{self.layers[index].kind}], which has "
                "dontload=1: its weights are random"
                for index in loaded.left
            ]
        self.seen = 0 if clear else loaded.header.seen
        self.initialise()
        self.weights_path = str(path)
        return loaded

    def save_weights(self, path: str | Path) -> None:
        """Writes a `.weights` file, whole or not at all. Raises WeightsError."""
        edges.check_there(self)
        write_weights(path, self.layers, self.seen, self.ops.to_host)

    # Forward and backward

    def predict(self, x: np.ndarray) -> np.ndarray:
        """x (n, c, h, w) floats, 0..1 -> (n, outputs) float32.

        Raises ShapeError for another shape and for integers, such as bytes of 0..255 (divide by
        255), NotFiniteError where x has a NaN or an infinity. Warns (UserWarning) of pictures far
        beyond 0..1.
        """
        edges.check_values(self, x)
        (y,) = recordings.prediction(self, x).run(self)
        return edges.to_outside(self, y, is_vector=True)

    def activations(self, x: np.ndarray) -> list[np.ndarray]:
        """Every layer's output in inference: (n, c, h, w), vectors as (n, outputs).

        x and errors: as of `predict`.
        """
        edges.check_values(self, x)
        ys = zip(recordings.activations(self, x).run(self), self.layers, strict=True)
        return [edges.to_outside(self, y, layer.is_vector) for y, layer in ys]

    def output(self, x: np.ndarray, layer: int) -> np.ndarray:
        """One layer's output in inference, (n, c, h, w), vectors as (n, outputs); layers after it
        are not computed. x and errors: as of `predict`; ShapeError where there is no such layer."""
        edges.check_layers(self, [layer])
        edges.check_values(self, x)
        (y,) = recordings.outputs(self, x, [layer]).run(self)
        return edges.to_outside(self, y, self.layers[layer].is_vector)

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
        edges.check_values(self, x)
        return gradients.carry_back(self, x, delta, start, ends)

    def image_delta(self, x: np.ndarray, layer: int, thresh: float) -> np.ndarray:
        """The delta of the picture that makes `layer` more of what it is: the heart of a dream.

        The layer's output where it exceeds its mean by `thresh` standard deviations, else 0,
        becomes the layer's delta and is carried back. x (n, c, h, w) or (c, h, w) -> the same.
        Errors: as of `predict`.
        """
        return self.delta_towards(x, [StandOut(layer, thresh)])

    def delta_towards(self, x: np.ndarray, targets: Sequence[Target]) -> np.ndarray:
        """The delta of the picture that brings it nearer to all of these: see targets.py.

        x (n, c, h, w) or (c, h, w) -> the same.
        """
        edges.check_layers(self, [target.layer for target in targets])
        edges.check_values(self, x)
        (x_delta,) = recordings.dream(self, x if x.ndim == 4 else x[None], targets).run(self)
        result = edges.to_outside(self, x_delta, is_vector=False)
        return result if x.ndim == 4 else result[0]

    def outputs_of(self, x: np.ndarray, layers: Sequence[int]) -> list[np.ndarray]:
        """The outputs (n, c, h, w) of these layers, for x (n, c, h, w)."""
        edges.check_layers(self, layers)
        edges.check_values(self, x)
        ys = recordings.outputs(self, x, layers).run(self)
        return [edges.to_outside(self, y, is_vector=False) for y in ys]

    def times(self, x: np.ndarray, y: np.ndarray | None = None, rounds: int = 7) -> Any:
        """How long each step of a prediction, or with truths y of training, takes: see
        ops.times.Times. Raises CfgError for training that is no program."""
        edges.check_values(self, x)
        if y is None:
            return recordings.prediction(self, x).times(self, rounds)
        return learning.times(self, x, y, rounds)

    # Training

    def train_step(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> float:
        """One batch of the cfg: forward, backward, update.

        x (batch, c, h, w), y (batch, outputs) -> the loss, a mean over the batch. weights (batch,),
        if given, multiply what each picture adds to loss and updates: 2 is to have it there twice,
        but for batch norm's statistics. Of a recurrent network x has batch * time_steps rows,
        ordered by subdivision, time, sequence. Raises ShapeError and NotFiniteError as `predict`.
        """
        with self.engine.lock:
            loss = self.accumulate(x, y, weights)
            self.update()
        return loss

    def accumulate(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> float:
        """The first half of train_step: forward and backward; updates wait in the parameters.

        With a communicator, x and y are this process's part; what is left is the whole batch's.
        """
        edges.check_values(self, x)
        return learning.accumulate(self, x, y, weights)

    def update(self, rate: float | None = None) -> None:
        """The second half of train_step: the batch counts as seen, and the parameters move, at the
        rate of the cfg or at another one."""
        settings = self.settings
        edges.check_there(self)
        if rate is not None and not 0 <= rate < math.inf:
            raise TrainingError(f"{self.path}: a learning rate of {rate}: expected 0 or more")
        with self.engine.lock:
            self.seen += settings.batch
            rate = self.rate if rate is None else rate
            self.optimiser.step(self.layers, rate, settings.batch * settings.time_steps)
            if self.average is not None:
                self.average.step(self.parameters())
            self.engine.moved()

    def update_bn(self, batches: Iterable[np.ndarray]) -> None:
        """Counts batch norm's rolling statistics again, as the mean and variance over these batches
        (batch, c, h, w) of the cfg's size, with the weights as they are: see statistics.py. Those
        of frozen layers stay. PyTorch's swa_utils.update_bn."""
        statistics.update_bn(self, batches)

    def keep_average(self, decay: float) -> None:
        """From now on every update moves an average of the parameters: see average.py."""
        if not 0 <= decay <= 1:
            raise TrainingError(f"{self.path}: an average's decay of {decay}: expected 0 to 1")
        self.average = Average(decay, self.ops)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within the block the parameters are their averages, if any are kept."""
        if self.average is None:
            yield
            return
        with self.engine.lock:
            self._swap()
            try:
                yield
            finally:
                self._swap()

    def _swap(self) -> None:
        assert self.average is not None
        self.average.swap(self.parameters())
        self.engine.moved()

    def updates_are_finite(self) -> bool:
        """Whether no update that waits in a parameter is infinite or no number."""
        updates = [each.updates for each in self.parameters() if each.updates is not None]
        return bool(self.ops.is_finite(*updates))

    def values_are_finite(self) -> bool:
        """Whether no parameter, nor an average that is kept of one, is infinite or no number."""
        edges.check_there(self)
        values = [parameter.data for parameter in self.parameters()]
        if self.average is not None:
            values += self.average.values.values()
        return bool(self.ops.is_finite(*values))

    def first_bad_layer(self, x: np.ndarray) -> int | None:
        """The first layer whose output of x, in training, is not finite; None if none."""
        return learning.first_bad_layer(self, x)

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

    def checked(self, x: np.ndarray) -> np.ndarray:
        """x as (n, c, h, w). Raises ShapeError where it is not what the network takes."""
        return edges.checked(self, x)
