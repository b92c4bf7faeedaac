"""A fine-tuning: stage after stage, each from where the one before it ended."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from darknet_py.atomic import remove_leftovers, write_text
from darknet_py.cfg.augmentation import Augmentation
from darknet_py.cfg.write import write_sections
from darknet_py.errors import TrainingError
from darknet_py.images import Dataset, Loader, Views, order_of
from darknet_py.network import Network
from darknet_py.network.derived import backbone_end, head
from darknet_py.tasks.checkpoint import are_of, resume
from darknet_py.tasks.checkpoint import start as begin
from darknet_py.tasks.events import Event, Finished, Validated
from darknet_py.tasks.features import (
    Backbone,
    Cached,
    FeatureSource,
    cached_features,
    predictions_of,
)
from darknet_py.tasks.features.cache import Features, features_bytes
from darknet_py.tasks.finetune.folder import Folder
from darknet_py.tasks.finetune.stages import Stage
from darknet_py.tasks.run import Evaluate, Options, Source
from darknet_py.tasks.train import train_on, why_ended
from darknet_py.tasks.valid import Evaluation, evaluate, tally

_VALIDATIONS = 10
"""In a stage, at most; and not more than one an epoch."""
_COUNTED = 1024
"""Pictures over which batch norm's statistics are counted before a validation, at least."""


@dataclass(frozen=True)
class How:
    """How stages run, beside what they are. cache: the folder for features, None: none are kept.
    views: of each picture that features are kept of, None: as many as suit; cache_bytes: the most
    that they may take."""

    cache: Path | None
    views: int | None
    cache_bytes: float
    seed: int
    top: int
    patience: int | None = None
    class_weights: tuple[float, ...] | None = None
    balance: bool = False
    ema: float = 0
    workers: int | None = None
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Began:
    """A stage begins; cached: the layer whose outputs are kept, None where pictures go through the
    whole network."""

    stage: Stage
    cached: int | None


@dataclass(frozen=True)
class Ended:
    """A stage is over, now or in an earlier run; found: top-1 (0..1) and loss."""

    stage: Stage
    found: dict[str, float] | None


@dataclass(frozen=True)
class Kept:
    """The weights of this stage are the result."""

    stage: Stage
    weights: Path


FinetuneEvent = Event | Began | Cached | Ended | Kept
OpenNetwork = Callable[[Path], Network]
"""Builds a network on paper from a cfg."""


def finetune(
    open_network: OpenNetwork,
    folder: Folder,
    train: Dataset,
    valid: Dataset | None,
    how: How,
) -> Iterator[FinetuneEvent]:
    """Runs the stages that are not done yet, and yields what happens.

    The folder holds NAME_start.weights, and NAME_STAGE.cfg for each stage. After each there is
    NAME_STAGE.weights, in the end NAME.weights: those of the stage that knows the validation set
    best (of equals the last one; without such a set the last one's). A run that was killed goes on
    where it was; one that is stopped ends with Finished("stopped"). Raises DarknetError.
    """
    before = folder.file("_start.weights")
    for stage in folder.stages:
        after = folder.file(f"_{stage.name}.weights")
        remove_leftovers(folder.stage(stage.name))
        if stage.name not in folder.done:
            net = open_network(folder.file(f"_{stage.name}.cfg"))
            net.load_weights(before)
            net.seen = 0
            try:
                over = yield from _run_stage(net, folder, stage, train, valid, how)
            except TrainingError:
                if folder.done:  # what came before has a result
                    yield _keep(open_network, folder)
                raise
            if over is None:
                return
            net.seen = 0
            net.save_weights(after)
            folder.finish(stage.name, over.found)
        folder.clear_states(stage.name)
        yield Ended(stage, folder.done[stage.name])
        before = after
    yield _keep(open_network, folder)


@dataclass(frozen=True)
class _Over:
    found: dict[str, float] | None


def _run_stage(
    net: Network, folder: Folder, stage: Stage, train: Dataset, valid: Dataset | None, how: How
) -> Generator[FinetuneEvent, None, _Over | None]:
    """Trains a stage to its end; None where it was stopped before."""
    last = backbone_end(net.layers)
    backbone = Backbone(net, last) if last >= 0 else None
    if backbone is None or how.cache is None or not _fits(backbone, train, valid, how):
        yield Began(stage, None)
        evaluate = None if valid is None else _evaluate_on_pictures(valid, how.top)
        loader = _loader(net, train, stage, how)
        return (yield from _train(net, loader, len(train), evaluate, folder, stage, how))
    yield Began(stage, last)
    views = _views(net, train, how, net.settings.augmentation)
    features = yield from _gathered(backbone, train, views, how.cache, how)
    if features is None:
        return None
    evaluate = None
    if valid is not None:
        fitted = _views(net, valid, how, None)
        held = yield from _gathered(backbone, valid, fitted, how.cache, how)
        if held is None:
            return None
        evaluate = _evaluate_on_features(valid, held, how.top)
    learning = head(net, last)
    order = order_of(train, how.seed, balance=how.balance)
    source = FeatureSource(train, features, stage.batch, order)
    over = yield from _train(learning, source, len(train), evaluate, folder, stage, how)
    net.changed()
    return over


def _gathered(
    backbone: Backbone, dataset: Dataset, views: Views, cache: Path, how: How
) -> Generator[FinetuneEvent, None, Features | None]:
    """The features of a set; None where the run was stopped before all were there."""
    growing = cached_features(backbone, dataset.paths, views, cache)
    while True:
        try:
            yield next(growing)
        except StopIteration as end:
            features: Features = end.value
            return features
        if how.stop():
            growing.close()
            yield Finished("stopped")
            return None


def _train(
    net: Network,
    source: Source,
    epoch: int,
    evaluate: Evaluate | None,
    folder: Folder,
    stage: Stage,
    how: How,
) -> Generator[FinetuneEvent, None, _Over | None]:
    options = Options(
        backup=folder.stage(stage.name),
        name=folder.name,
        seed=how.seed,
        batches=stage.batches,
        save_every=2**31,
        save_seconds=_seconds_between_states(net),
        valid_every=max(-(-epoch // stage.batch), -(-stage.batches // _VALIDATIONS)),
        patience=how.patience,
        class_weights=how.class_weights,
        balance=how.balance,
        ema=how.ema,
        top=how.top,
        workers=how.workers,
        stop=how.stop,
    )
    if evaluate is not None:
        evaluate = _counted_before(evaluate, source, stage)
    state = options.backup / f"{folder.name}.state"
    progress = resume(net, state, options) if state.exists() else begin(net, options)
    evaluation = None
    if why_ended(net, options, progress) is None:
        for event in train_on(net, source, epoch, evaluate, options, progress):
            yield event
            if isinstance(event, Validated) and event.best:
                evaluation = event.evaluation
            if isinstance(event, Finished) and event.reason == "stopped":
                return None
    # of what was validated the best counts, else the end
    result, batch = (".weights", net.batch_num)
    if progress.best_batch is not None:
        result, batch = ("_best.weights", progress.best_batch)
    weights = options.backup / f"{folder.name}{result}"
    if not are_of(weights, net, batch):
        # killed between the last state and the weights, or the disk was full
        evaluation = None
        with net.averaged():
            net.save_weights(weights)
    net.load_weights(weights)
    if evaluate is None:
        _update_bn(net, source, stage)
        return _Over(None)
    if evaluation is None:
        evaluation = evaluate(net)
    return _Over({"top1": evaluation.top1, "loss": evaluation.loss})


def _counted_before(evaluate: Evaluate, source: Source, stage: Stage) -> Evaluate:
    """The same, batch norm's statistics being counted first: rolling ones lag behind the weights of
    layers that were frozen until now, for a hundred batches and more."""

    def counted(net: Network) -> Evaluation:
        _update_bn(net, source, stage)
        return evaluate(net)

    return counted


def _update_bn(net: Network, source: Source, stage: Stage) -> None:
    """Over the first batches: always the same pictures, so that nothing but the weights changes."""
    with closing(source.batches()) as batches:
        some = islice(batches, -(-_COUNTED // stage.batch))
        net.update_bn(x for x, _ in some)


def _seconds_between_states(net: Network) -> float:
    """So few that little is computed twice, so many that writing takes little of the time."""
    return max(1.0, sum(parameter.size for parameter in net.parameters()) / 1e7)


def _fits(backbone: Backbone, train: Dataset, valid: Dataset | None, how: How) -> bool:
    """Whether features are small enough to be kept."""
    held = features_bytes(backbone, 1, len(valid)) if valid is not None else 0
    return features_bytes(backbone, _count(how), len(train)) + held <= how.cache_bytes


def _count(how: How) -> int:
    assert how.views is not None, "see prepare"
    return how.views


def _views(net: Network, dataset: Dataset, how: How, augmentation: Augmentation | None) -> Views:
    h, w, c = net.in_shape
    count = 1 if augmentation is None else _count(how)
    return Views(dataset.paths, w, h, c, count, augmentation, how.seed, how.workers)


def _loader(net: Network, train: Dataset, stage: Stage, how: How) -> Loader:
    h, w, c = net.in_shape
    augmentation = net.settings.augmentation
    return Loader(
        train,
        *(w, h, c, stage.batch),
        augmentation,
        how.seed,
        how.workers,
        balance=how.balance,
    )


def _evaluate_on_pictures(valid: Dataset, top: int) -> Evaluate:
    return lambda net: evaluate(net, valid, top)


def _evaluate_on_features(valid: Dataset, features: Features, top: int) -> Evaluate:
    there = valid.without(features.refused)
    refused = tuple(features.refused.values())
    return lambda net: replace(tally(there, predictions_of(net, features), top), refused=refused)


def _keep(open_network: OpenNetwork, folder: Folder) -> Kept:
    """Writes the result: cfg and weights of the best stage."""
    *_, best = stages = [stage for stage in folder.stages if stage.name in folder.done]
    for stage in reversed(stages):
        found, other = folder.done[stage.name], folder.done[best.name]
        if found and other and found["top1"] > other["top1"]:
            best = stage
    net = open_network(folder.file(f"_{best.name}.cfg"))
    net.load_weights(folder.file(f"_{best.name}.weights"))
    write_text(folder.file(".cfg"), write_sections(net.sections))
    net.save_weights(folder.file(".weights"))
    return Kept(best, folder.file(".weights"))
