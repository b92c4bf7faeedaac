"""The stages of a fine-tuning: the head alone, then more of the network at lower rates.

The defaults follow what transfer learning has found: the fewer pictures there are, the more layers
keep what they have (Yosinski et al. 2014). Their figures were found with Tiny Darknet on CIFAR-10:
see the README.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from darknet_py.cfg.sections import Section
from darknet_py.cfg.write import changed
from darknet_py.errors import TrainingError
from darknet_py.layers import Layer
from darknet_py.tasks.options import StageOptions
from darknet_py.tasks.outputs import learning_layers

FEW, MANY = 100, 3000
"""Below so many pictures the head alone is trained; from so many on, all layers; between them, a
quarter of the layers with weights."""
_FULL = 64
"""A batch, where there are pictures enough."""
_RATE = 0.003
"""Of stages after the head's, with such batches."""
_LITTLE = 1e-4
"""Decay where nothing says how much there should be."""
_SCHEDULE = (
    *("policy", "learning_rate_min", "burn_in", "power", "step", "scale", "steps", "scales"),
    *("gamma", "sgdr_cycle", "sgdr_mult", "peak", "adam", "optimizer", "momentum", "decay"),
    *("plateau_window", "plateau_climb", "plateau_factor", "plateau_threshold"),
    *("plateau_patience", "plateau_step"),
    *("B1", "B2", "rho", "eps", "subdivisions", "max_batches", "learning_rate"),
)
"""Keys of [net] that say how a network was trained."""


@dataclass(frozen=True)
class Stage:
    """One training. first: the first layer that learns; batches: of `batch` pictures; rate: of the
    head, others having rate * layer_decay^(layers with weights between them and it)."""

    name: str
    first: int
    batches: int
    batch: int
    rate: float
    layer_decay: float
    method: str
    decay: float


def plan_stages(
    layers: Sequence[Layer],
    head: int,
    new: Sequence[int],
    pictures: int,
    options: StageOptions,
    head_decay: float | None = None,
) -> list[Stage]:
    """The stages for so many pictures. head: the new last layer; new: all layers whose weights are
    drawn, which learn from the start; head_decay: of the first stage, None: a little. Raises
    TrainingError for layers that are none."""
    batch = options.batch or _batch(pictures)
    before = [index for index in learning_layers(layers) if index < head]
    first = min(new)
    decay = _LITTLE if head_decay is None else float(f"{head_decay:.3g}")
    stages = [_head_stage(first, pictures, batch, options, decay)]
    for name, start in _later(before, head, pictures, options, layers):
        if start < first:
            first = start
            stages.append(_later_stage(name, start, pictures, batch, options))
    return stages


def stage_sections(
    sections: Sequence[Section], layers: Sequence[Layer], stage: Stage
) -> list[Section]:
    """The cfg of a stage: layers before `first` frozen, those after it with their rates."""
    net, *rest = sections
    own = {"batch": stage.batch, "subdivisions": _subdivisions(net, stage.batch)}
    keys = dict.fromkeys(_SCHEDULE) | own | _schedule_keys(stage)
    learning = learning_layers(layers)
    frozen = [index for index in learning if index < stage.first]
    written = [changed(net, **keys)]
    for index, section in enumerate(rest):
        if frozen and index == frozen[-1]:
            section = changed(section, stopbackward=1)
        elif index in learning and index >= stage.first and layer_rate(learning, index, stage) != 1:
            section = changed(section, learning_rate=f"{layer_rate(learning, index, stage):.6g}")
        written.append(section)
    return written


def layer_rate(learning: Sequence[int], index: int, stage: Stage) -> float:
    """What the stage's rate is multiplied by in a layer; 0: it is frozen."""
    if index < stage.first:
        return 0.0
    between = len([other for other in learning if other > index])
    return float(stage.layer_decay**between)


def _later(
    before: list[int], head: int, pictures: int, options: StageOptions, layers: Sequence[Layer]
) -> list[tuple[str, int]]:
    """Names and first layers of the stages after the head's."""
    if options.start is not None and not 0 <= options.start <= head:
        raise TrainingError(
            f"there is no layer {options.start} to train from: expected 0 to {head}"
        )
    unfreeze, whole = options.unfreeze, options.all
    if (options.start, unfreeze, whole) == (None, None, False) and pictures >= FEW:
        whole = pictures >= MANY
        unfreeze = 0 if whole else max(round(len(before) / 4), 1)
    stages = []
    if options.start is not None:
        stages.append(("last", options.start))
    elif unfreeze and before:
        stages.append(("last", before[-unfreeze:][0]))
    if whole:
        stages.append(("all", 0))
    return stages


def _head_stage(
    first: int, pictures: int, batch: int, options: StageOptions, decay: float
) -> Stage:
    least = -(-1000 * batch // pictures)
    epochs = options.head_epochs or max(15, min(least, 100))
    batches = max(epochs * pictures // batch, 1)
    return Stage("head", first, batches, batch, options.head_rate, 1.0, "adam", decay)


def _later_stage(name: str, first: int, pictures: int, batch: int, options: StageOptions) -> Stage:
    epochs = options.epochs or max(8, min(20000 // pictures, 30))
    batches = max(epochs * pictures // batch, 1)
    # as many pictures move the weights as far, whatever the batch (Goyal et al. 2017)
    rate = options.rate or _RATE * min(batch / _FULL, 1)
    return Stage(name, first, batches, batch, rate, options.layer_decay, "sgd", 5e-4)


def _batch(pictures: int) -> int:
    """64, or a tenth of the pictures where that is less, as a power of two from 4."""
    return max(4, min(_FULL, 1 << (max(pictures // 10, 1).bit_length() - 1)))


def _subdivisions(net: Section, batch: int) -> int:
    """So many that no more pictures are in memory than the cfg has there, as far as that goes."""
    most = max(net.get_int("batch", 1) // net.get_int("subdivisions", 1), 1)
    return next(
        parts for parts in range(1, batch + 1) if batch % parts == 0 and batch // parts <= most
    )


def _schedule_keys(stage: Stage) -> dict[str, str | float | None]:
    keys: dict[str, str | float | None] = {
        "max_batches": stage.batches,
        "learning_rate": f"{stage.rate:.6g}",
        "decay": f"{stage.decay:.6g}",
    }
    if stage.method == "adam":
        return keys | {"optimizer": "adam", "policy": "sgdr"}
    return keys | {"momentum": "0.9", "policy": "onecycle", "peak": "0.2"}
