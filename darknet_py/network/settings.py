"""The [net] section: the network's input and its training."""

from __future__ import annotations

from dataclasses import dataclass

from darknet_py.cfg.augmentation import Augmentation, read_augmentation
from darknet_py.cfg.keys import read_others
from darknet_py.cfg.rules import Rules
from darknet_py.cfg.sections import Section
from darknet_py.layers.base import Shape
from darknet_py.network.optimiser import METHODS, OptimiserSettings
from darknet_py.network.plateau import PlateauSettings
from darknet_py.network.schedule import Schedule


@dataclass(frozen=True)
class Settings:
    """The [net] section, and whose rules hold in all. `batch` pictures make one update; memory
    holds batch / subdivisions."""

    shape: Shape
    is_vector: bool
    """Whether the input has no height and width: inputs=N."""
    batch: int
    subdivisions: int
    time_steps: int
    max_batches: int
    clip: float
    """Weights are clipped to -clip..clip after each update; 0: not at all."""
    seed: int
    optimiser: OptimiserSettings
    schedule: Schedule
    plateau: PlateauSettings | None
    """With policy=plateau."""
    augmentation: Augmentation
    mean: tuple[float, ...]
    """Subtracted from the input: a number a channel, one for all, or none."""
    deviation: tuple[float, ...]
    """The standard deviations that it is then divided by, likewise."""
    rules: Rules
    letter_box: bool
    """Whether a detector by AlexeyAB's rules is given pictures whole, on grey."""


def read_settings(section: Section, rules: Rules | None = None) -> Settings:
    """Reads [net] or [network]. Raises CfgError for invalid values; those that are invalid in
    training alone are warnings until `section.check_trainable`."""
    batch, subdivisions = _read_batch(section)
    max_batches = section.get_int("max_batches", 0, minimum=0, training=True)
    schedule = _read_schedule(section, max_batches)
    if section.get_flag("adam"):
        # The C program's CPU code reads the key and trains with SGD.
        section.warn(
            "adam=1 trains with SGD, as the C program does on a CPU: for Adam say optimizer=adam",
            "adam",
        )
    shape, is_vector = _read_shape(section)
    clip = section.get_float("clip", 0, minimum=0, training=True)
    settings = Settings(
        shape=shape,
        is_vector=is_vector,
        batch=batch,
        subdivisions=subdivisions,
        time_steps=section.get_int("time_steps", 1, minimum=1),
        max_batches=max_batches,
        clip=clip,
        seed=section.get_int("seed", 0, minimum=0, training=True),
        optimiser=_read_optimiser(section),
        schedule=schedule,
        plateau=_read_plateau(section, schedule) if schedule.policy == "plateau" else None,
        augmentation=read_augmentation(section, shape.w),
        mean=_read_per_channel(section, "mean", shape.c),
        deviation=_read_per_channel(section, "std", shape.c),
        rules=rules or Rules(),
        letter_box=section.get_flag("letter_box"),
    )
    read_others(section, "net")
    return settings


def _read_batch(section: Section) -> tuple[int, int]:
    """batch and subdivisions. The C program keeps batch // subdivisions pictures in memory, and
    learns from subdivisions times as many: less than batch, where it does not divide."""
    batch = section.get_int("batch", 1, minimum=1, training=True)
    subdivisions = section.get_int("subdivisions", 1, minimum=1, training=True)
    used = max(batch // subdivisions, 1) * subdivisions
    if used != batch:
        section.warn(
            f"batch={batch} is read as {used}, as subdivisions={subdivisions} does not divide it",
            "subdivisions",
        )
    return used, subdivisions


def _read_shape(section: Section) -> tuple[Shape, bool]:
    h, w, c = (section.get_int(key, 0, minimum=0) for key in ("height", "width", "channels"))
    inputs = section.get_int("inputs", h * w * c, minimum=1)
    if h * w * c:
        if inputs != h * w * c:
            section.fail(
                f"inputs={inputs} is not width x height x channels = {h * w * c}", "inputs"
            )
        return Shape(h, w, c), False
    if not inputs:
        section.fail("expected width, height and channels above 0, or inputs")
    return Shape(1, 1, inputs), True


def _read_per_channel(section: Section, key: str, channels: int) -> tuple[float, ...]:
    """mean= or std=: numbers from 0 to 1, as pixels are; the second above 0."""
    values = tuple(section.get_floats(key))
    if len(values) not in (0, 1, channels):
        of_all = f"one for all channels or {channels}, one a channel"
        section.fail(f"{key}= has {len(values)} numbers: expected {of_all}", key)
    least = 0 if key == "mean" else 1e-6
    if any(not least <= value <= 1 for value in values):
        section.fail(f"{key}: expected numbers from {least:g} to 1, as pixels are", key)
    return values


def _read_optimiser(section: Section) -> OptimiserSettings:
    return OptimiserSettings(
        method=section.get_choice("optimizer", "sgd", METHODS, training=True),
        momentum=section.get_float("momentum", 0.9, minimum=0, maximum=1, training=True),
        decay=section.get_float("decay", 0.0001, minimum=0, training=True),
        beta1=section.get_float("B1", 0.9, minimum=0, maximum=1, training=True),
        beta2=section.get_float("B2", 0.999, minimum=0, maximum=1, training=True),
        rho=section.get_float("rho", 0.9, minimum=0, maximum=1, training=True),
        epsilon=section.get_float("eps", 1e-7, minimum=0, training=True),
    )


def _read_plateau(section: Section, schedule: Schedule) -> PlateauSettings:
    return PlateauSettings(
        window=section.get_int("plateau_window", 100, minimum=1, training=True),
        climb=section.get_float("plateau_climb", 0.1, minimum=0, training=True),
        factor=section.get_float("plateau_factor", 5, minimum=1, training=True),
        threshold=section.get_float("plateau_threshold", 0.01, minimum=0, maximum=1, training=True),
        patience=section.get_int("plateau_patience", 3, minimum=2, training=True),
        step=section.get_float("plateau_step", 2, minimum=1, training=True),
        least=schedule.learning_rate_min / max(schedule.learning_rate, 1e-30),
    )


def _read_schedule(section: Section, max_batches: int) -> Schedule:
    # The C program knows the sigmoid as `sigmoid`, and takes `sig` for no policy.
    policy = section.get_choice("policy", "constant", Schedule.POLICIES, fallback="constant")
    steps, scales = _read_steps(section, policy)
    sgdr_cycle = section.get_int("sgdr_cycle", max_batches, minimum=1, training=True)
    if not max_batches and (policy in ("poly", "onecycle") or (policy, sgdr_cycle) == ("sgdr", 0)):
        section.fail_in_training(f"policy={policy} needs max_batches", "policy")
    return Schedule(
        policy=policy,
        learning_rate=section.get_float("learning_rate", 0.001, minimum=0, training=True),
        burn_in=section.get_int("burn_in", 0, minimum=0, training=True),
        power=section.get_float("power", 4, minimum=0, training=True),
        max_batches=max_batches,
        step=section.get_int("step", 1, minimum=1, training=True),
        scale=section.get_float("scale", 1, minimum=0, training=True),
        steps=tuple(steps),
        scales=tuple(scales),
        learning_rate_min=section.get_float("learning_rate_min", 0, minimum=0, training=True),
        sgdr_cycle=sgdr_cycle,
        sgdr_mult=section.get_int("sgdr_mult", 2, minimum=1, training=True),
        peak=section.get_float("peak", 0.3, minimum=0.01, maximum=0.99, training=True),
        gamma=section.get_float("gamma", 1, minimum=0, training=True),
        seed=section.get_int("seed", 0, minimum=0, training=True),
    )


def _read_steps(section: Section, policy: str) -> tuple[list[int], list[float]]:
    """steps and scales, as many of each. The C program reads a scale for each step: it ignores
    further ones, and ends where there are fewer."""
    if policy != "steps":
        section.skip(["steps", "scales"])
        return [], []
    steps = section.get_ints("steps", comment=True)
    scales = section.get_floats("scales", comment=True, training=True)
    found = f"policy=steps has {len(steps)} steps and {len(scales)} scales"
    if not steps or len(steps) > len(scales):
        section.fail_in_training(
            f"{found}: expected as many of each, as in steps=400,800 and scales=.1,.1", "steps"
        )
    elif len(steps) < len(scales):
        section.warn(f"{found}: the last scales do not count", "scales")
    if any(scale < 0 for scale in scales):
        section.fail_in_training("scales: expected numbers of 0 or more", "scales")
    pairs = min(len(steps), len(scales))
    return steps[:pairs], scales[:pairs]
