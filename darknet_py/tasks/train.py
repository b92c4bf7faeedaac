"""Training a classifier: batches in, checkpoints out, and an event for whatever happens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from darknet_py.atomic import remove_leftovers
from darknet_py.errors import StateError, TrainingError, WeightsError
from darknet_py.images import Batch, Dataset, Loader
from darknet_py.network import Network
from darknet_py.network.state import load_state, save_state
from darknet_py.tasks import plateau
from darknet_py.tasks.class_weights import weigh
from darknet_py.tasks.events import Event, Finished, Saved, SaveFailed, Trained, Validated
from darknet_py.tasks.targets import check_outputs, targets_of
from darknet_py.tasks.valid import Evaluation, evaluate


def never() -> bool:
    """No stop is asked for."""
    return False


@dataclass(frozen=True)
class Options:
    """How to train.

    batches: stop after so many in all (None: the cfg's max_batches; 0 there: for ever).
    save_every: batches between checkpoints, at most save_seconds apart. epochs: keep
    NAME_EPOCH.weights. snapshot: keep NAME_iter_BATCH.weights every so many batches (None: none).
    valid_every: batches between validations (None: an epoch). patience: validations without a
    better one before the run stops (None: never). class_weights: how much the pictures of each
    class count, see there (None: alike). balance: classes come equally often. ema: decay of the
    average of the parameters that is validated and is the outcome (0: none). stop: asked after each
    batch.
    """

    backup: Path
    name: str
    seed: int = 0
    batches: int | None = None
    save_every: int = 100
    save_seconds: float = 600
    epochs: bool = True
    snapshot: int | None = None
    valid_every: int | None = None
    patience: int | None = None
    class_weights: tuple[float, ...] | None = None
    balance: bool = False
    ema: float = 0
    top: int = 5
    workers: int | None = None
    stop: Callable[[], bool] = never


@dataclass
class Progress:
    """What a run remembers beside the network, and its state file keeps."""

    average: float | None = None
    best: float | None = None
    since_best: int = 0
    seed: int = 0
    class_weights: Sequence[float] | None = None
    balance: bool = False

    def notes(self) -> dict[str, Any]:
        """As JSON."""
        return dict(vars(self))


class Source(Protocol):
    """Where batches come from: images.Loader is one. See there."""

    @property
    def waited(self) -> float: ...

    def batches(self, start: int = 0) -> Generator[Batch]: ...

    def paths(self, number: int) -> list[Path]: ...


Judge = Callable[[Network], Evaluation]
"""How well a network knows the validation set."""


@dataclass
class Run:
    """A training on its way."""

    net: Network
    source: Source
    epoch: int
    """Pictures in an epoch."""
    judge: Judge | None
    options: Options
    progress: Progress
    saved_at: float = field(default_factory=time.monotonic)

    def path(self, suffix: str) -> Path:
        return self.options.backup / f"{self.options.name}{suffix}"


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


def train(
    net: Network,
    data: Dataset,
    valid: Dataset | None,
    options: Options,
    progress: Progress | None = None,
    share: Callable[[Source], Source] = lambda source: source,
    processes: int = 1,
) -> Iterator[Event]:
    """Trains on pictures until max_batches, and yields what happens: see train_on.

    processes: how many compute each batch, of which this is the first; share(source): the source
    that has the others do so (see team.py).
    """
    check_outputs(net, len(data.names))
    progress = progress or start(net, options)
    loader = share(loader_of(net, data, options, progress, (0, processes)))

    def judge(net: Network) -> Evaluation:
        assert valid is not None
        return evaluate(net, valid, options.top)

    yield from train_on(net, loader, len(data), judge if valid else None, options, progress)


def loader_of(
    net: Network, data: Dataset, options: Options, progress: Progress, part: tuple[int, int]
) -> Loader:
    """The batches that a run trains on, or part r of n of each: (r, n)."""
    h, w, c = net.in_shape
    return Loader(
        data,
        *(w, h, c, net.settings.batch),
        net.settings.augmentation,
        progress.seed,
        options.workers,
        balance=progress.balance,
        part=part,
    )


def train_on(
    net: Network,
    source: Source,
    epoch: int,
    judge: Judge | None,
    options: Options,
    progress: Progress,
) -> Iterator[Event]:
    """Trains until max_batches on what `source` gives, `epoch` pictures an epoch.

    Writes into options.backup: NAME.backup at every checkpoint, NAME_EPOCH.weights after each
    epoch, NAME_best.weights after the best validation, NAME.weights at the end; these two, and what
    is validated, are the average where the network keeps one. Beside NAME.backup and NAME.weights
    stands NAME.state, beside NAME_EPOCH.weights NAME_EPOCH.state, and so for NAME_iter_BATCH; from
    each a run goes on bit for bit.
    Raises TrainingError where the run cannot begin, or a loss is no number.
    """
    last = net.settings.max_batches if options.batches is None else options.batches
    if last and net.batch_num >= last:
        raise TrainingError(
            f"{net.path}: seen is already past max_batches ({net.batch_num} of {last} batches): "
            "use -clear to start counting again"
        )
    run = Run(net, source, epoch, judge, options, progress)
    plateau.begin(net)
    remove_leftovers(options.backup)
    yield from _checkpoint(run, final=False)
    yield from _batches(run, last)


def _batches(run: Run, last: int) -> Iterator[Event]:
    net, options = run.net, run.options
    epoch_length = run.epoch
    valid_every = options.valid_every or -(-epoch_length // net.settings.batch)
    batches, reason = run.source.batches(net.batch_num), "done"
    try:
        while True:
            yield from train_batch(run, next(batches))
            ended = (last and net.batch_num >= last) or options.stop()
            if run.judge is not None and (net.batch_num % valid_every == 0 or ended):
                yield from _validate(run, run.judge)
            is_new = net.seen // epoch_length > (net.seen - net.settings.batch) // epoch_length
            if options.epochs and is_new:
                epoch = net.seen // epoch_length
                yield from _save(run, f"_{epoch}.weights", state=f"_{epoch}.state")
            if options.snapshot and net.batch_num % options.snapshot == 0:
                name = f"_iter_{net.batch_num}"
                yield from _save(run, f"{name}.weights", state=f"{name}.state")
            if options.patience and run.progress.since_best >= options.patience:
                reason = "patience"
                break
            if ended:
                reason = "done" if last and net.batch_num >= last else "stopped"
                break
            if _is_due(run):
                yield from _checkpoint(run, final=False)
    finally:
        # a loader's threads end with it
        del batches
    yield from _checkpoint(run, final=reason != "stopped")
    yield Finished(reason)


def train_batch(run: Run, batch: tuple[np.ndarray, np.ndarray]) -> Iterator[Event]:
    """A batch, or this process's part of one. Raises TrainingError for a loss that is no number."""
    net, start = run.net, time.monotonic()
    (x, truth), weights = batch, None
    if run.progress.class_weights:
        truth, weights = weigh(truth, run.progress.class_weights)
    loss = net.accumulate(x, targets_of(truth, net.outputs), weights)
    if not math.isfinite(loss) or not net.updates_are_finite():
        back = plateau.retreat(net)
        if back is None:
            raise TrainingError(_what_went_bad(run, x, loss))
        yield back
        return
    net.update()
    average = run.progress.average
    run.progress.average = loss if average is None else 0.9 * average + 0.1 * loss
    yield Trained(
        batch=net.batch_num,
        epoch=net.seen / run.epoch,
        loss=loss,
        average=run.progress.average,
        rate=net.rate,
        seconds=time.monotonic() - start,
        images=net.seen,
        waited=run.source.waited,
    )
    adjusted = plateau.steer(net, loss)
    if adjusted is not None:
        yield adjusted


def _what_went_bad(run: Run, x: np.ndarray, loss: float) -> str:
    net = run.net
    index = net.first_bad_layer(x)
    layer = f"layer {index} [{net.layers[index].kind}]" if index is not None else "the gradient"
    pictures = [str(path) for path in run.source.paths(net.batch_num)]
    shown = ", ".join(pictures[:3]) + (f" and {len(pictures) - 3} more" if pictures[3:] else "")
    return (
        f"batch {net.batch_num + 1}: the loss is {loss:g}, and {layer} is the first with a value "
        f"that is no number: {run.path('.backup')} has the last good weights; try a lower "
        f"learning_rate (pictures: {shown})"
    )


def _validate(run: Run, judge: Judge) -> Iterator[Event]:
    with run.net.averaged():
        evaluation = judge(run.net)
    best = run.progress.best is None or evaluation.top1 > run.progress.best
    run.progress.since_best = 0 if best else run.progress.since_best + 1
    if best:
        run.progress.best = evaluation.top1
    yield Validated(run.net.batch_num, evaluation, best)
    if best:
        yield from _save(run, "_best.weights", averaged=True)


def _is_due(run: Run) -> bool:
    late = time.monotonic() - run.saved_at >= run.options.save_seconds
    return late or run.net.batch_num % run.options.save_every == 0


def _checkpoint(run: Run, final: bool) -> Iterator[Event]:
    run.saved_at = time.monotonic()
    suffix = ".weights" if final else ".backup"
    return _save(run, suffix, ".state", final=final, averaged=final)


def _save(
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
