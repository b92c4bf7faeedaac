"""A whole training, from a folder of pictures to a folder with weights, names and a cfg: what
`darknet train` and `darknet_py.train` do."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from darknet_py import ops
from darknet_py.cfg.write import write_sections
from darknet_py.errors import TrainingError
from darknet_py.network import Network
from darknet_py.options import File, check_function, read_argument, read_keywords, takes
from darknet_py.resources import find_resource
from darknet_py.tasks.check import Report, Show, check, room_problem
from darknet_py.tasks.checkpoint import are_of, how_it_began
from darknet_py.tasks.class_weights import weights_of
from darknet_py.tasks.data import check_apart, open_data, results_folder
from darknet_py.tasks.data_parallel import Job, Team
from darknet_py.tasks.event_files import EventFile, check_tensorboard
from darknet_py.tasks.events import Event, Finished
from darknet_py.tasks.initialization import Initialization, begin, classes_warning
from darknet_py.tasks.keywords import TrainKeywords
from darknet_py.tasks.lock import only_process_in
from darknet_py.tasks.metrics import TABLE
from darknet_py.tasks.options import (
    CfgOptions,
    ComputeOptions,
    DataOptions,
    ImbalanceOptions,
    RunOptions,
    TrainOptions,
    check_imbalance,
    check_training,
)
from darknet_py.tasks.run import Options, never
from darknet_py.tasks.run_cfg import build_run, choose_cfg, differences, run_cfg
from darknet_py.tasks.run_folder import RunFolder, only_run
from darknet_py.tasks.run_log import RunLog
from darknet_py.tasks.split import check_classes, rejoin
from darknet_py.tasks.train import train as train_on_pictures

_NO_LISTS = (
    "no lists of the pictures are written: one is there twice, or has the end of a line in its name"
)


@dataclass(frozen=True)
class Note:
    """A line for the user: a warning, or how the training goes about it, which is a detail where
    whoever wants results alone need not know."""

    text: str
    is_warning: bool = False
    is_detail: bool = False


@dataclass(frozen=True)
class Built:
    """The network of the run, on paper."""

    net: Network


@dataclass(frozen=True)
class Checked:
    """The pictures were looked at. Where there are problems the training does not begin."""

    report: Report


@dataclass(frozen=True)
class Ready:
    """All is checked, and nothing was changed yet: from here on a training is stopped by `stop`
    alone, so that it is saved."""


@dataclass(frozen=True)
class Weighted:
    """How much the pictures of each class count, None: alike."""

    names: tuple[str, ...]
    weights: tuple[float, ...] | None


@dataclass(frozen=True)
class Began:
    """The first batch is next. folder: of the run. figures: the files of its table and chart, which
    are for whoever follows the events to write (see RunLog). last: the number of all batches, 0:
    no end."""

    net: Network
    folder: RunFolder
    figures: tuple[Path, Path]
    last: int
    cfg: str


TrainingEvent = Event | Note | Built | Checked | Ready | Weighted | Began
OpenNetwork = Callable[[str, str | None], Network]
"""Builds a network on paper from a cfg, on a device if one is named."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """What is trained on what: see the options. seed, share: what was asked for, None: nothing,
    and a run that goes on has its own."""

    data: str
    cfg: str | None
    weights: str | None
    options: TrainOptions
    run: RunOptions
    cfg_options: CfgOptions
    imbalance: ImbalanceOptions
    pictures: DataOptions
    seed: int | None = None
    share: float | None = None


def run_training(
    training: Training,
    open_network: OpenNetwork,
    stop: Callable[[], bool] = never,
    show: Show = lambda _done, _total: None,
) -> Generator[TrainingEvent]:
    """Checks all, trains, and yields what happens. Nobody else trains in the folder meanwhile.

    stop: called after each batch. show: told how many of the pictures
    were looked at. Raises DarknetError.
    """
    options, run, imbalance = training.options, training.run, training.imbalance
    data, cfg, weights = training.data, training.cfg, training.weights
    labels, share, seed = vars(training.pictures).values()
    state, backup, overwrite = options.state, options.backup, options.overwrite
    resume = options.resume or state is not None
    processes = max(len(options.gpus or ()), 1)
    device = f"gpu:{options.gpus[0]}" if options.gpus else None
    if options.tensorboard:
        check_tensorboard()
    rendezvous = ops.gpu_rendezvous(options.gpus) if options.gpus and processes > 1 else None
    is_chosen = cfg is None and not resume
    opened = open_data(data, labels, share, seed, backup) if is_chosen else None
    if opened is not None:
        cfg = choose_cfg(opened.training())
    cfg = cfg or only_run(results_folder(data, backup))
    folder = RunFolder(results_folder(data, backup), Path(cfg).stem)
    state_path = Path(state) if state else folder.path / f"{folder.name}.state"
    with only_process_in(folder.path):
        if resume:
            began = how_it_began(state_path, training.seed, training.share)
            seed, share = began.seed, began.share
            if not overwrite:
                folder.check_same_run(state_path, began.run)
        elif not overwrite:
            folder.check_no_run()
        opened = opened or open_data(data, labels, share, seed, backup)
        check_apart(folder.path, opened, "--backup")
        if resume:
            check_classes(began.split, opened.names, state_path)
        read = open_network(cfg, device)
        found = run_cfg(
            read, len(opened.names), len(opened.training()), training.cfg_options, is_chosen
        )
        net = build_run(read, found)
        net.warnings, net.say = read.warnings, read.say
        yield Built(net)
        if is_chosen:
            yield Note(f"{cfg} was chosen, by the sizes of the pictures")
        yield from map(Note, found.notes)
        if rendezvous is not None and weights and found.head is not None:
            raise TrainingError(f"{weights}: is for other classes: begin with it on one GPU")
        if resume:
            yield from _warnings(differences(net, folder.path / f"{folder.name}.cfg"))
        going_on = state_path if resume else None
        initialization = Initialization(
            weights, options.clear, options.reinit, going_on, found.head
        )
        report = check(opened, net, averaged=imbalance.ema > 0, processes=processes, show=show)
        yield Checked(report)
        check_report(report)
        pictures, valid = report.usable()
        if resume:
            # those that cannot be read any more keep their places, and so do all others
            held = opened.valid if valid else None
            pictures, valid, changes = rejoin(
                began.split, opened.training(), held, state_path, report.unreadable()
            )
            yield from _warnings(changes)
        mine = [data] if found.notes else [data, net.path]
        texts = folder.texts(net, replace(opened, train=pictures, valid=valid), mine)
        if not (resume or overwrite):
            folder.check_free(texts)
        folder.check_kept(bool(run.keep), bool(run.snapshot))
        figures = folder.figures()
        folder.check_files(texts, figures)
        if not folder.has_lists(texts):
            yield Note(_NO_LISTS, is_warning=True)
        problem = room_problem(net, imbalance.ema > 0, processes)
        if problem is not None and problem.is_certain:
            raise TrainingError(problem.line)
        if problem is not None:
            yield Note(problem.line, is_warning=True)
        yield Ready()
        how = Options(
            backup=folder.path,
            name=folder.name,
            seed=seed,
            share=share,
            workers=options.workers,
            **vars(run),
            class_weights=weights_of(imbalance, opened.names, pictures.counts()),
            balance=imbalance.balance,
            ema=imbalance.ema,
            top=opened.top,
            stop=stop,
            own_table=figures[0].name != TABLE,
            replaces=folder.left(figures, [state_path, weights or ""]) if overwrite else (),
        )
        progress = begin(net, how, initialization)
        if progress is not None and not overwrite:  # it may have been killed before they went
            how = replace(how, replaces=progress.replaces)
        last = run.batches or net.settings.max_batches
        counted = (how if progress is None else progress).class_weights
        yield Weighted(opened.names, None if counted is None else tuple(counted))
        warning = classes_warning(net, initialization, opened.names)
        if warning:
            yield Note(warning, is_warning=True)
        if resume:
            of = f" of {last}" if last else ""
            line = f"going on from batch {net.batch_num}{of}: {state_path}"
            yield Note(line, is_detail=True)

        def write() -> None:
            folder.clear(figures, how.replaces)
            folder.write(texts)

        train = partial(train_on_pictures, net, pictures, valid, how, progress, begin=write)
        began_event = Began(net, folder, figures, last, cfg)
        if rendezvous is None:
            yield began_event
            yield from train()
            return
        exactness: dict[str, Any] = {"exact": net.engine.exact, "half": net.engine.half}
        text = write_sections(net.sections)
        job = Job(net.path, pictures, how, initialization, rendezvous, **exactness, sections=text)
        with Team(net, job) as team:
            yield began_event
            yield from train(share=team.lead, processes=team.size)


def _warnings(lines: list[str]) -> Iterator[Note]:
    for line in lines:
        yield Note(line, is_warning=True)


def check_report(report: Report) -> None:
    """Raises TrainingError where a training cannot begin."""
    if report.problems:
        raise TrainingError("; ".join(report.problems))


def best_weights(finished: Finished, folder: RunFolder, net: Network) -> Path | None:
    """The file of the best validation's weights, where there was one and it is of this run."""
    best = folder.path / f"{folder.name}_best.weights"
    is_there = finished.best_batch is not None and are_of(best, net, finished.best_batch)
    return best if is_there else None


@dataclass(frozen=True)
class TrainResult:
    """What a training has led to.

    net: with the weights of the best validation, or without one with the last. cfg, weights: its
    files, which every command takes; names: of the classes, in the order of the outputs. folder:
    where all of it lies, with metrics.csv and chart.png. best: the best validation's share of right
    first guesses, 0..1; None: there was none. batch: the last one. reason: why it ended, "done",
    "stopped" or "patience".
    """

    net: Network
    cfg: Path
    weights: Path
    names: tuple[str, ...]
    folder: Path
    best: float | None
    batch: int
    reason: str


@takes(CfgOptions, TrainOptions, RunOptions, ImbalanceOptions, DataOptions, ComputeOptions)
def train(
    data: str | Path,
    cfg: str | Path | None = None,
    weights: str | Path | None = None,
    *,
    progress: Callable[[TrainingEvent], object] | None = None,
    stop: Callable[[], bool] | None = None,
    **options: Unpack[TrainKeywords],
) -> TrainResult:
    """Trains a classifier, as `darknet train` does: with the same options, defaults and checks, and
    the same weights in the end.

    data: a folder with one folder of pictures per class, a `.data` file, or Caffe's lists. cfg:
    None: a network is chosen by the sizes of the pictures. weights: to begin with; None: random
    ones. progress: is given each event as it happens, most of them of `darknet_py.tasks.events`
    (Trained after each batch, Validated after each validation). stop: called after each batch;
    where it is true, the run is saved and ends, and `resume=True` goes on with it. All others are
    the command's options, `--max-iter` as max_iter.

    Raises TypeError for a keyword that there is not, ValueError for a value out of its range or
    options that do not go together, and DarknetError for all that the command refuses.
    """
    from_cfg = read_argument("cfg", cfg, File(), or_none=True)
    from_weights = read_argument("weights", weights, File(), or_none=True)
    check_function("progress", progress)
    check_function("stop", stop)
    tell = progress or (lambda _event: None)
    kinds = (CfgOptions, TrainOptions, RunOptions, ImbalanceOptions, DataOptions, ComputeOptions)
    found = read_keywords("train", options, *kinds, own=("progress", "stop"))
    cfg_options, own, run, imbalance, pictures, compute = found
    check_training(own, from_weights is not None, compute.device)
    check_imbalance(imbalance)
    training = Training(
        data=read_argument("data", data, File()),
        cfg=from_cfg,
        weights=from_weights,
        options=own,
        run=run,
        cfg_options=cfg_options,
        imbalance=imbalance,
        pictures=pictures,
        seed=options.get("seed"),
        share=options.get("share"),
    )
    open_network = opener(compute)
    log: RunLog | None = None
    with closing(run_training(training, open_network, stop or never)) as events:
        try:
            for event in events:
                if isinstance(event, Began):
                    began = event
                    file = EventFile(event.folder.path / "tensorboard") if own.tensorboard else None
                    log = RunLog(*event.figures, lambda text: tell(Note(text, True)), file)
                elif isinstance(event, Finished):
                    finished = event
                elif isinstance(event, Weighted):
                    names = event.names
                elif log is not None and not isinstance(event, _BEFORE):
                    log.add(event)
                tell(event)
        finally:
            if log is not None:
                log.close()
    return _result(began, finished, names, open_network)


_BEFORE = (Note, Built, Checked, Ready)


def _result(
    began: Began, finished: Finished, names: tuple[str, ...], open_network: OpenNetwork
) -> TrainResult:
    start = began.folder.path / began.folder.name
    own_cfg, device = Path(f"{start}.cfg"), None
    cfg = own_cfg if own_cfg.exists() else Path(began.cfg)
    end = Path(f"{start}.backup" if finished.reason == "stopped" else f"{start}.weights")
    weights = best_weights(finished, began.folder, began.net) or end
    net = open_network(str(cfg), device)
    net.load_weights(weights)
    return TrainResult(
        net=net,
        cfg=cfg,
        weights=weights,
        names=names,
        folder=began.folder.path,
        best=finished.best,
        batch=finished.batch,
        reason=finished.reason,
    )


def opener(compute: ComputeOptions) -> OpenNetwork:
    """Builds networks as the options say."""

    def build(cfg: str, device: str | None = None) -> Network:
        return Network.from_cfg(
            find_resource(cfg) or cfg,
            device or compute.device,
            strict=compute.strict,
            exact=compute.exact,
            half=compute.half,
            rules=compute.rules,
        )

    return build
