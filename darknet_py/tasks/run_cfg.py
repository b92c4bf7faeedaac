"""The cfg of a training: chosen for its pictures, fitted to their classes, changed by options.

What comes out is written as the run's own NAME.cfg, which every command takes with its weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from darknet_py.cfg.sections import Section, read_sections
from darknet_py.cfg.write import changed
from darknet_py.errors import DarknetError
from darknet_py.images import Dataset, picture_size
from darknet_py.network import Network
from darknet_py.tasks.options import CfgOptions
from darknet_py.tasks.outputs import fit_outputs, sized
from darknet_py.tasks.targets import class_count

Keys = dict[str, str | float | None]

SMALL, LARGE = "cfg/cifar_res.cfg", "cfg/tiny.cfg"
"""For pictures of some 32 pixels, and for photos."""
_SMALL_SIDE = 96
"""Pixels of the shorter side up to which a picture is small."""
_LOOKED_AT = 100
_BATCH = 128
"""What the two cfgs' learning rates are for."""


@dataclass(frozen=True)
class RunCfg:
    """sections: of the run's network. head: its layer that was given other outputs, None: none was.
    notes: what is another than in the cfg, a line each."""

    sections: list[Section]
    head: int | None
    notes: list[str]


def choose_cfg(pictures: Dataset) -> str:
    """The cfg for pictures of their size: the median of a hundred of them, evenly spread."""
    step = max(len(pictures) // _LOOKED_AT, 1)
    sides = []
    for path in pictures.paths[::step]:
        try:
            sides.append(min(picture_size(path)))
        except DarknetError:  # it is left out, and named, later
            continue
    return SMALL if sides and median(sides) <= _SMALL_SIDE else LARGE


def chosen_options(options: CfgOptions, pictures: int) -> CfgOptions:
    """Where nobody chose the cfg, its batch, rate and epochs are those for so many pictures; what
    options say stays.

    From CIFAR-10's 50,000 in 36 epochs, the fewer pictures the more epochs, by the root; batches
    that make an epoch of some 16, and a rate in proportion to them.
    """
    batch = options.batch or min(_BATCH, max(8, 2 ** round(math.log2(max(pictures / 16, 1)))))
    epochs = options.epochs or min(200, max(36, round(36 * math.sqrt(50_000 / max(pictures, 1)))))
    return replace(options, batch=batch, epochs=epochs)


def run_cfg(
    net: Network, classes: int, pictures: int, options: CfgOptions, is_chosen: bool
) -> RunCfg:
    """The sections of a training on so many pictures of these classes, from a network on paper.

    is_chosen: the cfg was chosen for the pictures. Raises TrainingError.
    """
    sections, head, notes = list(net.sections), None, []
    if classes != class_count(net):
        fitted = fit_outputs(net, classes)
        sections, head = fitted.sections, fitted.head
        was = f"{net.outputs} outputs" if not fitted.added else "no outputs for classes"
        notes.append(f"{net.path}: has {was}: layer {head} gets {classes} for the classes")
    if is_chosen:
        options = chosen_options(options, pictures)
    keys = _keys(net, pictures, options, is_chosen)
    if options.size is not None:
        sections = sized(sections, options.size)
    if keys:
        sections = [changed(sections[0], **keys), *sections[1:]]
    if options.size is not None:
        keys = {"width": options.size, "height": options.size, **keys}
    if keys:
        shown = " ".join(f"{key}={_text(value)}" for key, value in keys.items())
        notes.append(f"{net.path}: {shown}")
    return RunCfg(sections, head, notes)


def _text(value: str | float | None) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _keys(net: Network, pictures: int, options: CfgOptions, is_chosen: bool) -> Keys:
    """Keys of [net] that are others than in the cfg."""
    settings = net.settings
    keys: Keys = {}
    batch = options.batch or settings.batch
    if options.batch is not None and options.batch != settings.batch:
        parts = math.gcd(settings.subdivisions, options.batch)
        keys |= {"batch": options.batch, "subdivisions": parts}
    if options.lr is not None:
        keys["learning_rate"] = options.lr
    elif is_chosen:
        keys["learning_rate"] = float(f"{settings.schedule.learning_rate * batch / _BATCH:.4g}")
    if is_chosen:
        keys |= {"policy": "onecycle", "peak": 0.25}
    if options.optimizer is not None:
        keys["optimizer"] = options.optimizer
    if options.epochs is not None:
        batches = max(math.ceil(options.epochs * pictures / batch), 1)
        keys["max_batches"] = batches
        if settings.schedule.policy == "steps" and settings.max_batches and not is_chosen:
            share = batches / settings.max_batches
            steps = [max(round(step * share), 1) for step in settings.schedule.steps]
            keys["steps"] = ",".join(map(str, steps))
    return keys


def build_run(net: Network, cfg: RunCfg) -> Network:
    """The network of the run, on paper; `net` itself where nothing is another."""
    return same_kind(net, cfg.sections) if cfg.notes else net


def same_kind(net: Network, sections: Sequence[Section]) -> Network:
    """A network of other sections on the same device, computed in the same way."""
    exact, half, rules = net.engine.exact, net.engine.half, net.settings.rules.asked
    return Network(sections, net.path, net.ops, exact=exact, half=half, rules=rules)


def follow_rules(net: Network, source: Network) -> None:
    """A network that gets the parameters of another computes by the same program's rules."""
    rules = source.settings.rules
    if net.settings.rules.follow(rules.program, rules.why):
        net.changed()


def differences(net: Network, own: Path) -> list[str]:
    """In what keys of [net] a run's own cfg, written when it began, differs from how it goes on."""
    if not own.is_file():
        return []
    try:
        before = read_sections(own)[0]
    except (DarknetError, IndexError):
        return []
    now = net.sections[0]
    found = []
    for key in dict.fromkeys((*before.values, *now.values)):
        was, there = (
            f"{key}={each.values[key].text}" if key in each else f"no {key}="
            for each in (before, now)
        )
        if was != there:
            found.append(f"{own}: the run began with {was}, and goes on with {there}")
    return found
