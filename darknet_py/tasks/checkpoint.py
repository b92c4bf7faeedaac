"""Checkpoints of a training: when and how they are saved, and how a run goes on from one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from darknet_py.errors import StateError, TrainingError, WeightsError
from darknet_py.network import Network
from darknet_py.network.state import load_state, save_state
from darknet_py.tasks.events import Event, Saved, SaveFailed
from darknet_py.tasks.run import Options, Progress, Run


def start(net: Network, options: Options) -> Progress:
    """What a run begins with that is to go on as it began."""
    if options.ema:
        net.keep_average(options.ema)
    return Progress(seed=options.seed, class_weights=options.class_weights, balance=options.balance)


def resume(net: Network, path: Path, options: Options | None = None) -> Progress:
    """Puts a state into the network, and gives what train() needs to go on.

    Raises StateError, also where options ask for another training than the state's.
    """
    try:
        progress = Progress(**load_state(path, net))
    except TypeError as error:
        raise StateError(f"{path}: is no state of a training") from error
    if options is not None:
        _check_same(path, net, options, progress)
    return progress


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


def checkpoint(run: Run, final: bool) -> Iterator[Event]:
    """NAME.backup, or where it is final NAME.weights, and NAME.state."""
    run.saved_at = time.monotonic()
    suffix = ".weights" if final else ".backup"
    return save(run, suffix, ".state", final=final, averaged=final)


def save(
    run: Run,
    weights: str,
    state: str | None = None,
    *,
    final: bool = False,
    averaged: bool = False,
) -> Iterator[Event]:
    """The state first: it is what a run goes on from. Then the weights, for everybody else."""
    try:
        run.options.backup.mkdir(parents=True, exist_ok=True)
        if state:
            save_state(run.path(state), run.net, run.progress.notes())
        with run.net.averaged() if averaged else nullcontext():
            run.net.save_weights(run.path(weights))
    except (OSError, StateError, WeightsError) as error:
        if final:
            raise TrainingError(f"the end of the training is not saved: {error}") from error
        yield SaveFailed(TrainingError(str(error)))
    else:
        yield Saved(run.path(weights))
