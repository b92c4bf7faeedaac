"""Checkpoints of a training: when and how they are saved, and how a run goes on from one."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from darknet_py.errors import StateError, TrainingError, WeightsError
from darknet_py.network import Network
from darknet_py.network.state import load_state, read_notes, save_state
from darknet_py.tasks.events import Event, Saved, SaveFailed, Saving
from darknet_py.tasks.run import Options, Progress, Run
from darknet_py.tasks.split import Split, unpack_split


@dataclass(frozen=True)
class Began:
    """How a run began. seed, share: that the pictures to validate with were drawn by; run: what
    tells it from others; own_table, replaces: see Progress."""

    seed: int
    share: float
    run: str
    own_table: bool
    replaces: Sequence[str]
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

    Raises StateError, also where options ask for another training than the state's.
    """
    progress = _progress(path, load_state(path, net))
    if options is not None:
        _check_same(path, net, options, progress)
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
        split = unpack_split(more["split"].tobytes())
    except ValueError as error:
        raise StateError(f"{path}: is damaged: {error}") from error
    own, replaces = progress.own_table, progress.replaces
    return Began(progress.seed, progress.share, progress.run, own, replaces, split)


def _progress(path: Path, notes: dict[str, Any]) -> Progress:
    try:
        return Progress(**notes)
    except TypeError as error:
        raise StateError(f"{path}: is no state of a training") from error


def _check_same(path: Path, net: Network, options: Options, progress: Progress) -> None:
    kept = {
        "class_weights": tuple(progress.class_weights or ()) or None,
        "balance": progress.balance,
        "ema": net.average.decay if net.average else 0,
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
            more = {} if split is None else {"split": np.frombuffer(split.packed, np.uint8)}
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
        with open(path, "rb") as file:
            header = file.read(20)
    except OSError:
        return False
    if len(header) < 20:
        return False
    (seen,) = struct.unpack("<Q", header[12:])
    return bool(seen // net.settings.batch == batch_num)
