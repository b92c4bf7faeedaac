"""A network: layers in order, run forward and backward on one device.

Arrays are numpy's, in darknet's order: pictures and maps (n, c, h, w), float32, pictures from 0 to
1; vectors (n, outputs). Integers are refused (ShapeError: divide by 255), and so is a NaN or an
infinity (NotFiniteError); pictures far beyond 0..1 bring a warning. In inference pictures may be of
any size that the layers can take.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.rules import PROGRAMS
from darknet_py.cfg.sections import read_sections
from darknet_py.errors import ShapeError, TrainingError, WeightsError
from darknet_py.layers.parts.head import Size
from darknet_py.network import derived, init, io_checks, learning, statistics, tracing
from darknet_py.network.boxes import boxes_in, heads
from darknet_py.network.model import Model
from darknet_py.network.optimiser import Average
from darknet_py.network.targets import StandOut, Target
from darknet_py.network.vjp import Vjp
from darknet_py.network.vjp import vjp as compute_vjp
from darknet_py.network.weights import Loaded, read_revision, read_weights, write_weights
from darknet_py.options import File, Word, read_argument
from darknet_py.resources import find_resource


class Network(Model):
    """A Model (layers, settings, counters, copies) with its operations."""

    @classmethod
    def from_cfg(
        cls,
        cfg: str | Path,
        device: str = "auto",
        *,
        strict: bool = False,
        exact: bool = False,
        half: bool = False,
        rules: str | None = None,
    ) -> Network:
        """A network whose parameters have no values yet. Raises as load_network."""
        ops, sections = devices.for_device(device), read_sections(cfg)
        return cls(sections, str(cfg), ops, strict=strict, exact=exact, half=half, rules=rules)

    def resized(self, w: int, h: int) -> Network:
        """A network for pictures of another size, with the same parameters (not copies).

        Raises ShapeError where a layer's weights depend on the size, as [connected]'s do.
        """
        return derived.resized(self, w, h)

    def next_size(self, w: int, h: int) -> tuple[int, int]:
        """The smallest width and height from these on that the network can be resized to: maps of
        [route], say, must have one size. Searched for each side within 64 pixels, by shapes alone.
        Raises ShapeError."""
        key = len(self.layers), w, h
        if key not in self.next_sizes:
            self.next_sizes[key] = derived.next_size(self, w, h)
        return self.next_sizes[key]

    def truncated(self, last: int) -> Network:
        """Layers 0 to `last` alone; best before weights are loaded, so that the others need no
        memory. Raises ShapeError where there is no such layer."""
        return derived.truncated(self, last)

    # Weights

    def initialise(self, seed: int | None = None) -> None:
        """Draws parameters that have no values yet, and moves all to the device."""
        init.initialise(self, seed)

    def reinitialise(self, layers: Sequence[int], seed: int) -> None:
        """Re-initialises these layers, by seed and index of the layer alone, with their moments and
        averages. Raises ShapeError where there is no such layer, DarknetError where one has no
        weights."""
        init.reinitialise(self, layers, seed)

    def load_weights(
        self, path: str | Path, *, partial: bool = False, clear: bool = False, begin: bool = False
    ) -> Loaded:
        """Reads a `.weights` file; `clear` sets `seen` back to 0. Raises WeightsError.

        begin: at the start of training, where layers with dontload=1 are left alone; else they are
        read where the file has them, and `warnings` names those it has not. For a `truncated`
        network the file is the whole one's, or may end after its last layer.
        """
        rules = self.settings.rules
        before = rules.program, rules.why
        has_changed = rules.read_header(read_revision(path), path)
        try:
            loaded = read_weights(path, self.whole, partial, len(self.layers), begin)
        except WeightsError:
            rules.program, rules.why = before
            raise
        if not begin:
            self.warnings += [
                f"{path}: has nothing of layer {index} [{self.layers[index].kind}], which has "
                "dontload=1: its weights are random"
                for index in loaded.left
            ]
        if has_changed:
            self.changed()
        self.seen = 0 if clear else loaded.header.seen
        self.initialise()
        self.weights_path = str(path)
        return loaded

    def save_weights(self, path: str | Path) -> None:
        """Writes a `.weights` file, whole or not at all. Raises WeightsError."""
        io_checks.check_initialised(self)
        revision = self.settings.rules.revision
        write_weights(path, self.layers, self.seen, self.ops.to_host, revision)

    # Forward and backward

    def predict(self, x: np.ndarray) -> np.ndarray:
        """x (n, c, h, w) floats, 0..1 -> (n, outputs) float32.

        Raises ShapeError for another shape and for integers, NotFiniteError for a NaN or an
        infinity; warns (UserWarning) of pictures far beyond 0..1.
        """
        io_checks.check_values(self, x)
        (y,) = tracing.prediction(self, x).run(self)
        found = io_checks.layer_to_outside(self, y, self.layers[self.output_layer])
        return found.reshape(len(found), math.prod(found.shape[1:]))

    def activations(self, x: np.ndarray) -> list[np.ndarray]:
        """Every layer's output in inference: (n, c, h, w), vectors as (n, outputs).

        x and errors: as of `predict`.
        """
        io_checks.check_values(self, x)
        ys = zip(tracing.activations(self, x).run(self), self.layers, strict=True)
        return [io_checks.layer_to_outside(self, y, layer) for y, layer in ys]

    def output(self, x: np.ndarray, layer: int) -> np.ndarray:
        """One layer's output in inference, (n, c, h, w), vectors as (n, outputs); layers after it
        are not computed. x and errors: as of `predict`; ShapeError where there is no such layer."""
        io_checks.check_layers(self, [layer])
        io_checks.check_values(self, x)
        (y,) = tracing.outputs(self, x, [layer]).run(self)
        return io_checks.layer_to_outside(self, y, self.layers[layer])

    def vjp(self, x: np.ndarray, delta: np.ndarray, start: int, ends: Sequence[int]) -> Vjp:
        """Runs x to layer `start`, and `delta` from its output back to the outputs of `ends`.

        The vector-Jacobian product, in inference. x (n, c, h, w), 0..1; delta (n, outputs of
        `start`), in darknet's order, or (n, c, h, w); ends: layers before `start`, or -1 for the
        picture. Raises ShapeError for layers that are none, or lead nowhere to `start`.
        """
        io_checks.check_values(self, x)
        return compute_vjp(self, x, delta, start, ends)

    def image_delta(self, x: np.ndarray, layer: int, thresh: float) -> np.ndarray:
        """The delta of the picture that amplifies what `layer` responds to (DeepDream).

        The layer's output where it exceeds its mean by `thresh` standard deviations, else 0, is the
        layer's delta, which is backpropagated. x (n, c, h, w) or (c, h, w) -> the same. Errors: as
        of `predict`.
        """
        return self.delta_towards(x, [StandOut(layer, thresh)])

    def delta_towards(self, x: np.ndarray, targets: Sequence[Target]) -> np.ndarray:
        """The delta of the picture for the sum of these objectives: see targets.py. x (n, c, h, w)
        or (c, h, w) -> the same."""
        io_checks.check_layers(self, [target.layer for target in targets])
        io_checks.check_values(self, x)
        (x_delta,) = tracing.dream(self, x if x.ndim == 4 else x[None], targets).run(self)
        result = io_checks.to_outside(self, x_delta, is_vector=False)
        return result if x.ndim == 4 else result[0]

    def outputs_of(self, x: np.ndarray, layers: Sequence[int]) -> list[np.ndarray]:
        """The outputs (n, c, h, w) of these layers, for x (n, c, h, w)."""
        io_checks.check_layers(self, layers)
        io_checks.check_values(self, x)
        ys = tracing.outputs(self, x, layers).run(self)
        return [io_checks.to_outside(self, y, is_vector=False) for y in ys]

    def boxes(
        self,
        x: np.ndarray,
        thresh: float,
        picture: tuple[int, int] | None = None,
        letter_box: bool = False,
        hier: float = 0.5,
    ) -> np.ndarray:
        """The boxes that a detector finds in one picture x (1, c, h, w), 0..1, before any is
        suppressed: (k, 5 + classes).

        Rows are x, y, w, h, of the centre and the size, relative to the picture (of [detection] in
        its pixels); objectness; and a probability a class, 0 where it is not above `thresh`. All
        heads in order, each in the order of the C program whose rules hold: [yolo] has the boxes
        whose objectness is above `thresh`, [region] and [detection] all.

        picture: width and height of what x was made from, x's own unless given. letter_box: x was
        letterboxed; by pjreddie's rules it always is, but for [detection]. hier: the least
        probability on the way down a tree of classes. Raises as `predict`, ShapeError where there
        are no boxes.
        """
        heads(self)
        if len(np.shape(x)) != 4 or len(x) != 1:
            raise ShapeError(f"{self.path}: expected one picture (1, c, h, w), found {np.shape(x)}")
        shown = Size(x.shape[3], x.shape[2])
        size = shown if picture is None else Size(*picture)
        outputs = [y[0] for y in self.head_outputs(x)]
        is_letterboxed = letter_box or not self.settings.rules.is_alexeyab
        return boxes_in(self, outputs, shown, size, thresh, hier, is_letterboxed)

    def head_outputs(self, x: np.ndarray) -> list[np.ndarray]:
        """The outputs (n, h, w, c) of all layers that hold boxes, for x (n, c, h, w)."""
        io_checks.check_values(self, x)
        return [self.ops.to_host(y) for y in tracing.outputs(self, x, heads(self)).run(self)]

    def times(self, x: np.ndarray, y: np.ndarray | None = None, rounds: int = 7) -> Any:
        """A profile of each step of a prediction, or with truths y of training: see
        ops.execution.Times. Raises CfgError where training cannot be compiled."""
        io_checks.check_values(self, x)
        if y is None:
            return tracing.prediction(self, x).times(self, rounds)
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
        """The first half of train_step: forward and backward; updates accumulate in the parameters.
        With a communicator, x and y are this process's part, and the updates the whole batch's."""
        io_checks.check_values(self, x)
        return learning.accumulate(self, x, y, weights)

    def update(self, rate: float | None = None) -> None:
        """The second half of train_step: the batch counts as seen, and the parameters are updated,
        at the rate of the cfg or at another one."""
        settings = self.settings
        io_checks.check_initialised(self)
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
        """Recomputes batch norm's rolling statistics over these batches (batch, c, h, w) of the
        cfg's size: see statistics.py. Frozen layers keep theirs. PyTorch's swa_utils.update_bn."""
        statistics.update_bn(self, batches)

    def keep_average(self, decay: float) -> None:
        """Keeps a moving average of the parameters from now on: see optimiser.Average."""
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
        """Whether all accumulated updates are finite."""
        updates = [each.updates for each in self.parameters() if each.updates is not None]
        return bool(self.ops.is_finite(*updates))

    def values_are_finite(self) -> bool:
        """Whether all parameters, and their moving averages, are finite."""
        io_checks.check_initialised(self)
        values = [parameter.data for parameter in self.parameters()]
        if self.average is not None:
            values += self.average.values.values()
        return bool(self.ops.is_finite(*values))

    def first_nonfinite_layer(self, x: np.ndarray) -> int | None:
        """The first layer whose output of x, in training, is not finite; None if none."""
        return learning.first_nonfinite_layer(self, x)

    # What it takes

    def sized(self, x: np.ndarray) -> Network:
        """This network, or one resized to the pictures (n, c, h, w)."""
        return derived.sized(self, x)


def check_network(net: Any) -> None:
    """Raises TypeError for what is no network: a name of a cfg, say."""
    if not isinstance(net, Network):
        raise TypeError(f"expected a network, as load_network gives, found {net!r:.80}")


def load_network(
    cfg: str | Path,
    weights: str | Path | None = None,
    device: str = "auto",
    *,
    strict: bool = False,
    partial: bool = False,
    exact: bool = False,
    half: bool = False,
    rules: str | None = None,
) -> Network:
    """Reads a `.cfg` and, if given, `.weights`; without them the weights are drawn at random. Names
    are looked for as the command line does: also among what is installed, and weights among those
    that `darknet weights fetch` has put away.

    device: "cpu", "gpu", "gpu:N" or "auto". strict: warnings about the cfg are errors. partial: a
    weights file may hold only the first layers. exact: convolutions are computed directly, without
    algorithms that are faster and round more. half: on a GPU, maps are bfloat16. rules: "pjreddie"
    or "alexeyab", where the two C programs compute otherwise (batch norm's epsilon, [region]'s
    boxes, letterbox or stretch); None: as what only one of them knows in the cfg, or the weights'
    header, says: `net.settings.rules`. Raises CfgError, WeightsError, DeviceError.
    """
    cfg = read_argument("cfg", cfg, File())
    weights = read_argument("weights", weights, File(), or_none=True)
    device = read_argument("device", device, None)
    cfg = find_resource(str(cfg)) or cfg
    rules = read_argument("rules", rules, Word(PROGRAMS), or_none=True)
    network = Network.from_cfg(cfg, device, strict=strict, exact=exact, half=half, rules=rules)
    if weights is not None:
        network.load_weights(find_resource(str(weights)) or weights, partial=partial)
    network.initialise()
    return network
