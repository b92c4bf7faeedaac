"""Training a classifier: batches in, checkpoints out, and an event for whatever happens."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from darknet_py.errors import DarknetError, PictureError, TrainingError
from darknet_py.images import Dataset, Loader
from darknet_py.network import Network
from darknet_py.network.learning import check_trainable
from darknet_py.tasks import plateau
from darknet_py.tasks.check import batch_too_large
from darknet_py.tasks.checkpoint import are_of, checkpoint, go_on, is_due, save, start
from darknet_py.tasks.class_weights import weigh
from darknet_py.tasks.events import Event, Finished, LeftOut, Trained, Validated
from darknet_py.tasks.initialization import first_bad_value
from darknet_py.tasks.run import Evaluate, Options, Progress, Run, Source, nothing
from darknet_py.tasks.split import split_of
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
    begin: Callable[[], None] = nothing,
) -> Iterator[Event]:
    """Trains on pictures until max_batches, and yields what happens: see train_on.

    progress: of a run that goes on (resume()); None: a new one. processes: how many compute each
    batch, of which this is the first; share(source): the source that has the others do so (see
    team.py). begin: see Run.
    """
    check_outputs(net, len(data.names))
    goes_on = progress is not None
    if progress is None:
        progress = start(net, options)
    else:
        options = go_on(progress, options)
    progress.split = split_of(data, valid)
    loader = share(loader_of(net, data, options, progress, (0, processes)))

    def on_valid(net: Network) -> Evaluation:
        assert valid is not None
        return evaluate(net, valid, options.top)

    run = Run(net, loader, len(data), on_valid if valid else None, options, progress, begin)
    yield from _run(run, goes_on)


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
    evaluate: Evaluate | None,
    options: Options,
    progress: Progress,
) -> Iterator[Event]:
    """Trains until max_batches on what `source` gives, `epoch` pictures an epoch.

    Writes into options.backup: NAME.backup and NAME.state at every checkpoint, NAME_best.weights
    after the best validation, NAME.weights at the end, and, each with its state, what options.keep
    and options.snapshot ask for; from a state a run goes on bit for bit. Where the network keeps an
    average, it is what is validated and what the best and the last weights are. Nothing is written
    before the run is sure to begin, nor what holds values that are no numbers.
    Raises TrainingError where the run cannot begin, or a loss is no number.
    """
    yield from _run(Run(net, source, epoch, evaluate, options, progress), goes_on=False)


def _run(run: Run, goes_on: bool) -> Iterator[Event]:
    net, options = run.net, run.options
    check_trainable(net)
    reason = why_ended(net, options, run.progress)
    if reason is not None:
        yield from _ended_before(run, reason, goes_on)
        return
    plateau.begin(net)
    yield from checkpoint(run, first=True)
    run.begin()
    run.progress.replaces = ()
    try:
        yield from _batches(run, _last(net, options))
    except MemoryError as error:
        size = 1 if net.communicator is None else net.communicator.size
        raise TrainingError(batch_too_large(net, net.average is not None, size)) from error


def why_ended(net: Network, options: Options, progress: Progress) -> str | None:
    """Why a run that has come so far is at its end: "done" or "patience"; None: it is not."""
    last = _last(net, options)
    if last and net.batch_num >= last:
        return "done"
    return "patience" if options.patience and progress.since_best >= options.patience else None


def _last(net: Network, options: Options) -> int:
    return net.settings.max_batches if options.batches is None else options.batches


def _ended_before(run: Run, reason: str, goes_on: bool) -> Iterator[Event]:
    """A run that was at its end: at most its weights are missing."""
    net, since = run.net, run.progress.since_best
    seen = f"{net.batch_num} of {_last(net, run.options)} batches"
    if not goes_on:
        raise TrainingError(
            f"{net.path}: seen is already past max_batches ({seen}): use -clear to start counting "
            "again"
        )
    if are_of(run.path(".weights"), net, net.batch_num):
        ended = {
            "done": f"is at its end ({seen}): to go on, raise max_batches in it or --max-iter",
            "patience": f"has ended: of the last {since} validations none was better: to go on, "
            "raise --patience (0: without it)",
        }
        raise TrainingError(
            f"{net.path}: the training {ended[reason]}; its weights are {run.path('.weights')}"
        )
    run.begin()
    yield from checkpoint(run, final=True)
    yield _finished(run, reason)


def _batches(run: Run, last: int) -> Iterator[Event]:
    net, options = run.net, run.options
    epoch_length = run.epoch
    valid_every = options.valid_every or -(-epoch_length // net.settings.batch)
    batches, reason = run.source.batches(net.batch_num), "done"
    try:
        while True:
            try:
                batch = next(batches)
            except (DarknetError, MemoryError):
                # nothing of this batch has been begun: what was learnt is not lost
                if net.values_are_finite():
                    yield from checkpoint(run)
                raise
            yield from _left_out(run, run.source.untold())
            yield from train_batch(run, batch)
            # one that is stopped goes on later as if it had not been: it validates nothing extra
            ended, stops = bool(last and net.batch_num >= last), options.stop()
            epoch, before = (
                seen // epoch_length for seen in (net.seen, net.seen - net.settings.batch)
            )
            keeps = bool(options.keep and epoch // options.keep > before // options.keep)
            snaps = bool(options.snapshot and net.batch_num % options.snapshot == 0)
            in_turn = net.batch_num % valid_every == 0
            validates = run.evaluate is not None and (in_turn or ended)
            due = is_due(run)
            saves = ended or stops or keeps or snaps or validates or due
            if saves and not net.values_are_finite():
                if net.plateau is None or ended:
                    raise TrainingError(_diverged(run, first_bad_value(net)))
                continue  # the next batch's loss is no number either, and goes back
            if validates and run.evaluate is not None:
                yield from _validate(run, run.evaluate, ended, in_turn)
            if keeps:
                yield from save(run, f"_{epoch}.weights", state=f"_{epoch}.state")
            if snaps:
                name = f"_iter_{net.batch_num}"
                yield from save(run, f"{name}.weights", state=f"{name}.state")
            if options.patience and run.progress.since_best >= options.patience:
                reason = "patience"
                break
            if ended or stops:
                reason = "done" if ended else "stopped"
                break
            # a state that knows of the best weights stands beside them
            if due or (validates and run.progress.best_batch == net.batch_num):
                yield from checkpoint(run)
    finally:
        # a loader's threads end with it
        del batches
    yield from checkpoint(run, final=reason != "stopped")
    yield _finished(run, reason)


def _finished(run: Run, reason: str) -> Finished:
    return Finished(reason, run.net.batch_num, run.progress.best, run.progress.best_batch)


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
    index = net.first_nonfinite_layer(x)
    layer = f"layer {index} [{net.layers[index].kind}]" if index is not None else "the gradient"
    pictures = [str(path) for path in run.source.paths(net.batch_num)]
    shown = ", ".join(pictures[:3]) + (f" and {len(pictures) - 3} more" if pictures[3:] else "")
    return (
        f"batch {net.batch_num + 1}: the loss is {loss:g}, and {layer} is the first with a value "
        f"that is no number: {run.path('.backup')} has the last good weights; try a lower "
        f"learning_rate (pictures: {shown})"
    )


def _diverged(run: Run, what: str) -> str:
    return (
        f"batch {run.net.batch_num}: {what}: {run.path('.backup')} has the last good weights; try "
        "a lower learning_rate"
    )


def _left_out(run: Run, errors: Iterable[PictureError]) -> Iterator[Event]:
    """Says of each picture once that it cannot be read any more."""
    for error in errors:
        if str(error) not in run.told:
            run.told.add(str(error))
            yield LeftOut(error)


def _validate(run: Run, evaluate: Evaluate, is_end: bool, in_turn: bool) -> Iterator[Event]:
    """A validation whose loss is no number is never the best; without policy=plateau, which goes
    back by itself while there are batches left, the training ends with it. One that is not in turn,
    as the end alone has brought it, may be the best, and does not try anyone's patience."""
    net, progress = run.net, run.progress
    try:
        with net.averaged():
            evaluation = evaluate(net)
    except DarknetError:  # none of the pictures to validate with can be read any more
        yield from checkpoint(run)
        raise
    yield from _left_out(run, evaluation.refused)
    is_number = math.isfinite(evaluation.loss)
    patience = run.options.patience
    is_end = is_end or bool(patience and progress.since_best + in_turn >= patience)
    if not is_number and (net.plateau is None or is_end):
        what = f"validation: the loss is {evaluation.loss:g}, as outputs are no numbers"
        raise TrainingError(_diverged(run, what))
    best = is_number and (progress.best is None or evaluation.top1 > progress.best)
    progress.since_best = 0 if best else progress.since_best + in_turn
    if best:
        progress.best, progress.best_batch = evaluation.top1, net.batch_num
    yield Validated(net.batch_num, evaluation, best)
    if best:
        yield from save(run, "_best.weights", averaged=True)
