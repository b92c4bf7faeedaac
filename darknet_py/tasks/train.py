"""Training a classifier: batches in, checkpoints out, and an event for whatever happens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from darknet_py.atomic import remove_leftovers
from darknet_py.errors import DarknetError, PictureError, TrainingError
from darknet_py.images import Dataset, Loader
from darknet_py.network import Network
from darknet_py.tasks import plateau
from darknet_py.tasks.checkpoint import checkpoint, is_due, save, start
from darknet_py.tasks.class_weights import weigh
from darknet_py.tasks.events import Event, Finished, LeftOut, Trained, Validated
from darknet_py.tasks.run import Judge, Options, Progress, Run, Source
from darknet_py.tasks.targets import check_outputs, targets_of
from darknet_py.tasks.valid import Evaluation, evaluate


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
    yield from checkpoint(run, final=False)
    yield from _batches(run, last)


def _batches(run: Run, last: int) -> Iterator[Event]:
    net, options = run.net, run.options
    epoch_length = run.epoch
    valid_every = options.valid_every or -(-epoch_length // net.settings.batch)
    batches, reason = run.source.batches(net.batch_num), "done"
    try:
        while True:
            try:
                batch = next(batches)
            except DarknetError:  # most of the pictures are gone; what was learnt is not
                yield from checkpoint(run, final=False)
                raise
            yield from _left_out(run, run.source.untold())
            yield from train_batch(run, batch)
            ended = (last and net.batch_num >= last) or options.stop()
            if run.judge is not None and (net.batch_num % valid_every == 0 or ended):
                yield from _validate(run, run.judge)
            is_new = net.seen // epoch_length > (net.seen - net.settings.batch) // epoch_length
            if options.epochs and is_new:
                epoch = net.seen // epoch_length
                yield from save(run, f"_{epoch}.weights", state=f"_{epoch}.state")
            if options.snapshot and net.batch_num % options.snapshot == 0:
                name = f"_iter_{net.batch_num}"
                yield from save(run, f"{name}.weights", state=f"{name}.state")
            if options.patience and run.progress.since_best >= options.patience:
                reason = "patience"
                break
            if ended:
                reason = "done" if last and net.batch_num >= last else "stopped"
                break
            if is_due(run):
                yield from checkpoint(run, final=False)
    finally:
        # a loader's threads end with it
        del batches
    yield from checkpoint(run, final=reason != "stopped")
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


def _left_out(run: Run, errors: Iterable[PictureError]) -> Iterator[Event]:
    """Says of each picture once that it cannot be read any more."""
    for error in errors:
        if str(error) not in run.told:
            run.told.add(str(error))
            yield LeftOut(error)


def _validate(run: Run, judge: Judge) -> Iterator[Event]:
    try:
        with run.net.averaged():
            evaluation = judge(run.net)
    except DarknetError:  # none of the pictures to validate with can be read any more
        yield from checkpoint(run, final=False)
        raise
    yield from _left_out(run, evaluation.refused)
    best = run.progress.best is None or evaluation.top1 > run.progress.best
    run.progress.since_best = 0 if best else run.progress.since_best + 1
    if best:
        run.progress.best = evaluation.top1
    yield Validated(run.net.batch_num, evaluation, best)
    if best:
        yield from save(run, "_best.weights", averaged=True)
