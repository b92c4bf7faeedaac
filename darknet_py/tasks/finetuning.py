"""A whole fine-tuning, from a folder of pictures to a folder with weights, names and a cfg: what
`darknet finetune` and `darknet_py.finetune` do."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

from darknet_py.network import Network
from darknet_py.options import File, check_function, read_argument, read_keywords, takes
from darknet_py.resources import find_resource
from darknet_py.tasks.check import Show, check
from darknet_py.tasks.class_weights import weights_of
from darknet_py.tasks.data import check_apart, open_data
from darknet_py.tasks.features import Cached
from darknet_py.tasks.finetune import (
    Began,
    Ended,
    Kept,
    Prepared,
    Stage,
    how_of,
    prepare,
    request_of,
    seed_of,
)
from darknet_py.tasks.finetune import finetune as run_stages
from darknet_py.tasks.finetune.run import FinetuneEvent
from darknet_py.tasks.keywords import FinetuneKeywords
from darknet_py.tasks.lock import only_process_in
from darknet_py.tasks.options import (
    ComputeOptions,
    DataOptions,
    FinetuneOptions,
    ImbalanceOptions,
    check_finetuning,
    check_imbalance,
)
from darknet_py.tasks.run import never
from darknet_py.tasks.run_log import RunLog
from darknet_py.tasks.training import (
    Checked,
    Note,
    OpenNetwork,
    Ready,
    Weighted,
    check_report,
    opener,
)

_NO_MIXING = "--mixup and --cutmix do nothing in stages that train on kept features: add --no-cache"
_AGAIN = "so the stages begin again; cached features of all other pictures are kept"


@dataclass(frozen=True)
class Planned:
    """The stages are planned, and what does not change any more is written."""

    prepared: Prepared


FinetuningEvent = FinetuneEvent | Note | Checked | Ready | Planned | Weighted


@dataclass(frozen=True, kw_only=True)
class Finetuning:
    """What is fine-tuned on what: see the options. seed: what was asked for, None: nothing, and a
    run that goes on has its own."""

    data: str
    cfg: str
    weights: str
    options: FinetuneOptions
    imbalance: ImbalanceOptions
    pictures: DataOptions
    seed: int | None = None


def run_finetuning(
    finetuning: Finetuning,
    open_network: OpenNetwork,
    stop: Callable[[], bool] = never,
    show: Show = lambda _done, _total: None,
) -> Generator[FinetuningEvent]:
    """Checks all, trains stage after stage, and yields what happens. Nobody else trains in the
    folder meanwhile.

    stop: called after each batch. show: told how many of the pictures were looked at. Raises
    DarknetError.
    """
    options, imbalance = finetuning.options, finetuning.imbalance
    labels, share, seed = vars(finetuning.pictures).values()
    net = open_network(finetuning.cfg, None)
    output = Path(options.output)
    if options.resume and finetuning.seed is None:
        seed = seed_of(output, seed)
    data = str(find_resource(finetuning.data) or finetuning.data)
    with only_process_in(output):
        yield Ready()
        opened = open_data(data, labels, share, seed, options.output)
        check_apart(output, opened, "-o")
        report = check(opened, show=show)
        yield Checked(report)
        check_report(report)
        train, valid = report.usable()
        how = replace(
            how_of(options, seed, opened.top, stop),
            class_weights=weights_of(imbalance, opened.names, train.counts()),
            balance=imbalance.balance,
            ema=imbalance.ema,
        )
        weights = str(find_resource(finetuning.weights) or finetuning.weights)
        request = request_of(options, net, weights, seed)
        prepared = prepare(net, request, replace(opened, train=train, valid=valid), how)
        for change in prepared.changes:
            yield Note(change, is_warning=True)
        if prepared.again:
            yield Note(_AGAIN, is_warning=True)
        yield Planned(prepared)
        yield Weighted(opened.names, how.class_weights)
        if how.cache is not None and (options.mixup or options.cutmix):
            yield Note(_NO_MIXING, is_warning=True)
        sets = prepared.data.training(), prepared.data.valid
        yield from run_stages(
            lambda cfg: open_network(str(cfg), None), prepared.folder, *sets, prepared.how
        )


@dataclass(frozen=True)
class FinetuneResult:
    """What a fine-tuning has led to.

    net: with the weights of the best stage. cfg, weights: its files, which every command takes;
    names: of the classes, in the order of the outputs. folder: where all of it lies. stage: which
    was the best. best: its share of right first guesses in validation, 0..1; None: there was none.
    """

    net: Network
    cfg: Path
    weights: Path
    names: tuple[str, ...]
    folder: Path
    stage: str
    best: float | None


@takes(FinetuneOptions, ImbalanceOptions, DataOptions, ComputeOptions)
def finetune(
    data: str | Path,
    cfg: str | Path,
    weights: str | Path,
    *,
    progress: Callable[[FinetuningEvent], object] | None = None,
    **options: Unpack[FinetuneKeywords],
) -> FinetuneResult:
    """Trains a trained network on other classes, as `darknet finetune` does: with the same options,
    defaults and checks, and the same weights in the end.

    data: a folder with one folder of pictures per class, a `.data` file, or Caffe's lists.
    progress: is given each event as it happens, those of `darknet_py.tasks.events` (Trained after
    each batch, Validated after each validation) and of `darknet_py.tasks.finetune` (Began and Ended
    of each stage). All others are the command's options, `--unfreeze-from` as unfreeze_from. A run
    that was interrupted goes on with `resume=True`.

    Raises TypeError for a keyword that there is not, ValueError for a value out of its range or
    options that do not go together, and DarknetError for all that the command refuses.
    """
    data, cfg, weights = (
        read_argument(name, value, File())
        for name, value in (("data", data), ("cfg", cfg), ("weights", weights))
    )
    check_function("progress", progress)
    tell = progress or (lambda _event: None)
    kinds = (FinetuneOptions, ImbalanceOptions, DataOptions, ComputeOptions)
    own, imbalance, pictures, compute = read_keywords(
        "finetune", options, *kinds, own=("progress",)
    )
    check_finetuning(own)
    check_imbalance(imbalance)
    finetuning = Finetuning(
        data=str(data),
        cfg=str(cfg),
        weights=str(weights),
        options=own,
        imbalance=imbalance,
        pictures=pictures,
        seed=options.get("seed"),
    )
    open_network = opener(compute)
    logs = _Logs(lambda text: tell(Note(text, is_warning=True)))
    ended: dict[str, dict[str, float] | None] = {}
    with closing(run_finetuning(finetuning, open_network)) as events, closing(logs):
        for event in events:
            logs.add(event)
            if isinstance(event, Planned):
                prepared = event.prepared
            elif isinstance(event, Ended):
                ended[event.stage.name] = event.found
            elif isinstance(event, Kept):
                kept = event
            tell(event)
    folder = prepared.folder
    written = folder.file(".cfg")
    net = open_network(str(written), None)
    net.load_weights(kept.weights)
    found = ended[kept.stage.name]
    return FinetuneResult(
        net=net,
        cfg=written,
        weights=kept.weights,
        names=prepared.data.names,
        folder=folder.path,
        stage=kept.stage.name,
        best=None if found is None else found["top1"],
    )


class _Logs:
    """The table and the chart of each stage."""

    def __init__(self, warn: Callable[[str], object]) -> None:
        self._warn = warn
        self._prepared: Prepared | None = None
        self._log: RunLog | None = None

    def add(self, event: FinetuningEvent) -> None:
        if isinstance(event, Planned):
            self._prepared = event.prepared
        elif isinstance(event, Began):
            self._log = self._open(event.stage)
        elif isinstance(event, Ended):
            self._log = self._log or self._open(event.stage)
            self.close()
        elif self._log is not None and not isinstance(event, _NOT_LOGGED):
            self._log.add(event)

    def close(self) -> None:
        if self._log is not None:
            self._log.close()
        self._log = None

    def _open(self, stage: Stage) -> RunLog:
        assert self._prepared is not None
        folder = self._prepared.folder.stage(stage.name)
        return RunLog(folder / "metrics.csv", folder / "chart.png", self._warn)


_NOT_LOGGED = (Note, Checked, Ready, Weighted, Cached, Kept)
