"""Checkpoints of a training: when and how they are saved, and how a run goes on from one."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from darknet_py.errors import StateError, TrainingError, WeightsError
from darknet_py.network import Network
from darknet_py.network.state import read_notes, read_state, save_state
from darknet_py.tasks.events import Event, Saved, SaveFailed, Saving
from darknet_py.tasks.run import Options, Progress, Run
from darknet_py.tasks.split import Split, unpack_split
from darknet_py.untrusted import (
    BadValueError,
    boolean,
    fields,
    integer,
    items,
    number,
    open_file,
    optional,
    text,
)

_LARGEST, _HEAVIEST = 1e100, 1e30
"""Above all losses, which are float32, and all weights of classes, whose mean is 1."""


@dataclass(frozen=True)
class Began:
    """How a run began. seed, share: that the pictures to validate with were drawn by; run: what
    tells it from others; own_table: see Progress."""

    seed: int
    share: float
    run: str
    own_table: bool
    split: Split


def start(net: Network, options: Options) -> Progress:
    """What a run begins with that is to go on as it began."""
    if options.ema:
        net.keep_average(options.ema)
    return Progress(
        seed=options.seed,
        share=options.share,
        class_weights=options.class_weights,
        balance=options.balance,
        patience=options.patience,
        valid_every=options.valid_every,
        own_table=options.own_table,
        replaces=options.replaces,
    )


def go_on(progress: Progress, options: Options) -> Options:
    """The options of a run that goes on: what they leave open is what it began with."""
    if options.patience is not None:
        progress.patience = options.patience
    if options.valid_every is not None:
        progress.valid_every = options.valid_every
    progress.own_table, progress.replaces = options.own_table, options.replaces
    return replace(options, patience=progress.patience, valid_every=progress.valid_every)


def resume(net: Network, path: Path, options: Options | None = None) -> Progress:
    """Puts a state into the network, and gives what train() needs to go on.

    Raises StateError, also where options ask for another training than the state's; the network
    is then as it was.
    """
    state = read_state(path, net)
    progress = _progress(path, state.notes)
    if options is not None:
        _check_same(path, options, progress, state.decay)
    state.restore(net)
    return progress


def how_it_began(path: Path, seed: int | None = None, share: float | None = None) -> Began:
    """What a state says of its run, without a network.

    seed, share: those that are asked for, None: none. Raises StateError where the run had others.
    """
    notes, more = read_notes(path)
    progress = _progress(path, notes)
    if "split" not in more:
        raise StateError(f"{path}: does not say which pictures it was trained on: it cannot go on")
    for name, asked, was in (("seed", seed, progress.seed), ("share", share, progress.share)):
        if asked is not None and asked != was:
            raise StateError(
                f"{path}: was begun with --{name} {was}, not {asked}: leave it out, or begin anew"
            )
    try:
        split = unpack_split(more["split"])
    except ValueError as error:
        raise StateError(f"{path}: is damaged: {error}") from error
    if progress.class_weights and len(progress.class_weights) != len(split.names):
        raise StateError(f"{path}: is damaged: it has weights of other classes than its own")
    return Began(progress.seed, progress.share, progress.run, progress.own_table, split)


def _progress(path: Path, notes: Any) -> Progress:
    try:
        found = fields(notes, "notes", _NOTES)
        return Progress(**{name: check(found[name], name) for name, check in _NOTES.items()})
    except BadValueError as error:
        raise StateError(f"{path}: is no state of a training: {error}") from error


_any_count = partial(integer, most=None)
"""As large as the command line takes."""
_share = partial(number, least=0, most=1)
_NOTES: dict[str, Callable[[Any, str], Any]] = {
    "average": optional(partial(number, least=-_LARGEST, most=_LARGEST)),
    "best": optional(_share),
    "best_batch": optional(integer),
    "since_best": integer,
    "seed": _any_count,
    "share": _share,
    "class_weights": optional(
        partial(items, check=lambda weight, what: float(number(weight, what, 0, _HEAVIEST)))
    ),
    "balance": boolean,
    "patience": optional(_any_count),
    "valid_every": optional(_any_count),
    "own_table": boolean,
    "replaces": partial(items, check=partial(text, pattern=r"[^/\0]+")),
    "run": partial(text, pattern="[0-9a-f]{16}"),
}
"""What a state's notes may be: see Progress."""


def _check_same(path: Path, options: Options, progress: Progress, decay: float | None) -> None:
    kept = {
        "class_weights": tuple(progress.class_weights or ()) or None,
        "balance": progress.balance,
        "ema": decay or 0,
    }
    for name, value in kept.items():
        asked = getattr(options, name)
        if asked and asked != value:
            option = f"--{name.replace('_', '-')}"
            advice = "leave it out, or begin anew"
            raise StateError(f"{path}: was begun with another {option} than this: {advice}")


def is_due(run: Run) -> bool:
    """Whether enough batches, or seconds, have gone by since the last one."""
    late = time.monotonic() - run.saved_at >= run.options.save_seconds
    return late or run.net.batch_num % run.options.save_every == 0


def checkpoint(run: Run, *, final: bool = False, first: bool = False) -> Iterator[Event]:
    """NAME.backup, or where it is final NAME.weights, and NAME.state.

    Raises TrainingError where the first or the final one cannot be written.
    """
    run.saved_at = time.monotonic()
    suffix = ".weights" if final else ".backup"
    what = "the end of the training is not saved" if final else "the training cannot begin"
    return save(run, suffix, ".state", averaged=final, or_else=what if final or first else None)


def save(
    run: Run,
    weights: str,
    state: str | None = None,
    *,
    averaged: bool = False,
    or_else: str | None = None,
) -> Iterator[Event]:
    """The state first: it is what a run goes on from. Then the weights, for everybody else, even
    where the state was too large for the disk. or_else: what a TrainingError says that is raised
    where one of them cannot be written; None: SaveFailed is enough."""
    failures: list[str] = []
    if state:
        yield Saving()
    with _noted(failures):
        run.options.backup.mkdir(parents=True, exist_ok=True)
        if state:
            split = run.progress.split
            more = {} if split is None else {"split": split.packed}
            save_state(run.path(state), run.net, run.progress.notes(), more)
    with _noted(failures), run.net.averaged() if averaged else nullcontext():
        run.net.save_weights(run.path(weights))
    if failures and or_else:
        raise TrainingError(f"{or_else}: {failures[0]}")
    yield SaveFailed(TrainingError(failures[0])) if failures else Saved(run.path(weights))


@contextmanager
def _noted(failures: list[str]) -> Iterator[None]:
    try:
        yield
    except (OSError, StateError, WeightsError) as error:
        failures.append(str(error))


def are_of(path: Path, net: Network, batch_num: int) -> bool:
    """Whether there are weights as the network's were after so many batches."""
    try:
        with open_file(path) as file:
            header = file.read(20)
    except OSError:
        return False
    if len(header) < 20:
        return False
    (seen,) = struct.unpack("<Q", header[12:])
    return bool(seen // net.settings.batch == batch_num)
