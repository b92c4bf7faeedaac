"""darknet train, which is darknet classifier train"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from darknet_py.cli.command import Command
from darknet_py.cli.console import command, say_line
from darknet_py.cli.data_lines import look_at, say_report, say_weights
from darknet_py.cli.options import (
    FiniteRange,
    NetworkOptions,
    network_options,
    options_of,
    read_network,
    say_network,
)
from darknet_py.cli.output import Streams
from darknet_py.cli.stopping import stop_on_ctrl_c
from darknet_py.cli.watch import Watcher
from darknet_py.tasks.options import CfgOptions, ImbalanceOptions, RunOptions, check_layers
from darknet_py.text import shell_words

if TYPE_CHECKING:
    from darknet_py.images import Dataset
    from darknet_py.network import Network
    from darknet_py.tasks.data import Data
    from darknet_py.tasks.data_parallel import Rendezvous, Team
    from darknet_py.tasks.events import Finished
    from darknet_py.tasks.initialization import Initialization
    from darknet_py.tasks.run import Options, Progress
    from darknet_py.tasks.run_cfg import RunCfg
    from darknet_py.tasks.run_folder import RunFolder


_NO_LISTS = (
    "no lists of the pictures are written: one is there twice, or has the end of a line in its name"
)
_GPUS = re.compile("[0-9]{1,3}(?:,[0-9]{1,3})*")


labels_option = click.option(
    "--labels",
    type=click.Choice(["exact", "substring"]),
    default="exact",
    show_default=True,
    help="How a .data file's pictures get labels: by their folder's name or a part of their own "
    "(exact), or wherever a path contains one, as in the C program.",
)


def data_options(command: Any) -> Any:
    """--labels, --share and --seed: how pictures get labels, and are set aside."""
    for option in reversed(
        (
            labels_option,
            click.option(
                "--share",
                type=FiniteRange(0, 0.9),
                default=0.1,
                show_default=True,
                help="Of a folder or list without another to validate with: how much is set aside.",
            ),
            click.option(
                "--seed",
                type=click.IntRange(min=0),
                metavar="N",
                default=0,
                show_default=True,
                help="Of all that is drawn.",
            ),
        )
    ):
        command = option(command)
    return command


def check_imbalance(options: ImbalanceOptions) -> None:
    """Raises click.UsageError for what does not go together."""
    if options.balance and options.class_weights == "balanced":
        raise click.UsageError("--balance and --class-weights balanced do the same: give one.")


def _checked_layers(_context: object, _option: object, text: str | None) -> str | None:
    try:
        return None if text is None else check_layers(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


def check_gpus(_context: object, _option: object, text: str | None) -> tuple[int, ...]:
    """The numbers of GPUs, each once."""
    if text is None:
        return ()
    if not _GPUS.fullmatch(text):
        raise click.BadParameter("expected numbers of GPUs, as in 0,1.")
    numbers = tuple(int(number) for number in text.split(","))
    if len(set(numbers)) < len(numbers):
        raise click.BadParameter(f"names a GPU twice: {text}.")
    return numbers


@click.command(cls=Command)
@click.argument("data")
@click.argument("cfg", required=False)
@click.argument("weights", required=False)
@click.option("-clear", "--clear", is_flag=True, help="Count pictures and batches from 0 again.")
@click.option(
    "--display",
    type=click.IntRange(min=1),
    metavar="N",
    help="Print a line every N batches, with their mean loss.  [each; none on a terminal]",
)
@click.option("--resume", is_flag=True, help="Go on from NAME.state in the backup folder.")
@click.option("--state", type=click.Path(), help="Go on from this state instead.")
@click.option("--backup", type=click.Path(file_okay=False), help="Folder for what is written.")
@click.option(
    "--overwrite", is_flag=True, help="Begin anew in the place of a training in that folder."
)
@click.option(
    "-gpus",
    "--gpus",
    callback=check_gpus,
    metavar="N,N",
    help="Train on these GPUs of this machine at once, as in 0,1: a process each.",
)
@click.option(
    "--reinit",
    callback=_checked_layers,
    metavar="LAYERS",
    help="Draw these layers of WEIGHTS anew, as in 18, 10-13,18 or last.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Threads that read pictures.  [as many as compute]",
)
@click.option("--tensorboard", is_flag=True, help="Write event files into the backup folder, too.")
@options_of("cfg_options", CfgOptions)
@options_of("run", RunOptions)
@options_of("imbalance", ImbalanceOptions)
@data_options
@network_options
@click.pass_context
def train(
    context: click.Context,
    data: str,
    cfg: str | None,
    weights: str | None,
    clear: bool,
    display: int | None,
    resume: bool,
    state: str | None,
    backup: str | None,
    overwrite: bool,
    gpus: tuple[int, ...],
    reinit: str | None,
    workers: int | None,
    tensorboard: bool,
    cfg_options: CfgOptions,
    labels: str,
    share: float,
    seed: int,
    run: RunOptions,
    imbalance: ImbalanceOptions,
    network: NetworkOptions,
) -> None:
    """Train a classifier.

    DATA is a folder with one folder of pictures per class (in train/ and valid/ if these exist), a
    .data file, or Caffe's lists, a path and a number per line: a folder with train.txt (and
    val.txt), or the path of train.txt.

    Without CFG, a network is chosen by the sizes of the pictures, and trained for as long as so
    many of them need. --epochs, --batch, --lr, --size and --optimizer change what CFG says. If its
    outputs are not as many as there are classes, its last layer is replaced by one that fits. The
    training begins with WEIGHTS, or with random ones.

    The backup folder gets NAME.cfg, NAME.names and NAME.data, which the other commands take;
    NAME.weights at the end, NAME_best.weights after the best validation and NAME.backup every 100
    batches; metrics.csv and chart.png; and NAME.state. --resume goes on from that as if the run had
    never stopped, with the same pictures on both sides (--state FILE: from a state that --keep or
    --snapshot has kept). Ctrl-C saves and stops. A folder that holds a training of this NAME is
    only replaced with --overwrite.

    \b
    Examples:
      darknet train photos/
      darknet train photos/ cfg/cifar_small.cfg --epochs 30
      darknet classifier train cfg/cifar.data cfg/cifar_small.cfg --seed 1
      darknet train photos/ cfg/cifar_small.cfg --balance --ema 0.999
      darknet train photos/ mine.cfg tiny.weights -clear --reinit last
      darknet train photos/ cfg/cifar_small.cfg --display 20 --snapshot 1000 --max-iter 5000
      darknet train photos/ cfg/cifar_small.cfg --resume
      darknet train photos/ cfg/resnet18.cfg -gpus 0,1
    """
    resume = resume or state is not None
    if resume and (weights or clear):
        raise click.UsageError(
            "A state goes on with its own weights: leave out WEIGHTS and -clear."
        )
    if resume and overwrite and not state:
        raise click.UsageError("--overwrite begins anew, and --resume goes on: give one.")
    if reinit and not weights:
        raise click.UsageError("--reinit draws layers of WEIGHTS anew: there are none.")
    check_imbalance(imbalance)
    if gpus and network.device not in ("auto", "gpu"):
        raise click.UsageError(f"-gpus says which GPUs: leave out --device {network.device}.")
    if gpus:
        network = replace(network, device=f"gpu:{gpus[0]}")
    from darknet_py.errors import TrainingError
    from darknet_py.ops import gpu_rendezvous
    from darknet_py.tasks.check import room_problem
    from darknet_py.tasks.checkpoint import how_it_began
    from darknet_py.tasks.class_weights import weights_of
    from darknet_py.tasks.data import check_apart, open_data, results_folder
    from darknet_py.tasks.event_files import EventFile, check_tensorboard
    from darknet_py.tasks.initialization import Initialization, begin, classes_warning
    from darknet_py.tasks.lock import only_process_in
    from darknet_py.tasks.metrics import TABLE
    from darknet_py.tasks.run import Options
    from darknet_py.tasks.run_cfg import choose_cfg, differences
    from darknet_py.tasks.run_folder import RunFolder, only_run
    from darknet_py.tasks.split import check_classes, rejoin

    if tensorboard:
        check_tensorboard()
    keep_output_going(context)
    processes = max(len(gpus), 1)
    rendezvous = gpu_rendezvous(gpus) if len(gpus) > 1 else None
    is_chosen = cfg is None
    if cfg is None and resume:
        cfg = only_run(results_folder(data, backup))
        is_chosen = False
    elif cfg is None:
        cfg = choose_cfg(open_data(data, labels, share, seed, backup).training())
    folder = RunFolder(results_folder(data, backup), Path(cfg).stem)
    state_path = Path(state) if state else folder.path / f"{folder.name}.state"
    check_apart(folder.path, Path(data), "--backup")
    with only_process_in(folder.path):
        if resume:
            began = how_it_began(state_path, given(context, "seed"), given(context, "share"))
            seed, share = began.seed, began.share
            if not overwrite:
                folder.check_same_run(state_path, began.run)
        elif not overwrite:
            folder.check_no_run()
        opened = open_data(data, labels, share, seed, backup)
        if resume:
            check_classes(began.split, opened.names, state_path)
        net, run_cfg = _build(cfg, network, opened, cfg_options, is_chosen)
        if rendezvous is not None and weights and run_cfg.head is not None:
            raise TrainingError(f"{weights}: is for other classes: begin with it on one GPU")
        if resume:
            for line in differences(net, folder.path / f"{folder.name}.cfg"):
                say_line(f"warning: {line}", err=True)
        going_on = state_path if resume else None
        initialization = Initialization(weights, clear, reinit, going_on, run_cfg.head)
        report = look_at(
            opened, net, averaged=imbalance.ema > 0, processes=processes, quiet=network.quiet
        )
        say_report(report, network.quiet)
        pictures, valid = report.usable()
        if resume:
            # those that cannot be read any more keep their places, and so do all others
            held = opened.valid if valid else None
            pictures, valid, changes = rejoin(
                began.split, opened.training(), held, state_path, report.unreadable()
            )
            for change in changes:
                say_line(f"warning: {change}", err=True)
        mine = [data] if run_cfg.notes else [data, net.path]
        texts = folder.texts(net, replace(opened, train=pictures, valid=valid), mine)
        if not (resume or overwrite):
            folder.check_free(texts)
        folder.check_kept(bool(run.keep), bool(run.snapshot))
        figures = folder.figures()
        folder.check_files(texts, figures)
        if not folder.has_lists(texts):
            say_line(f"warning: {_NO_LISTS}", err=True)
        problem = room_problem(net, imbalance.ema > 0, processes)
        if problem is not None and problem.is_certain:
            raise TrainingError(problem.line)
        if problem is not None:
            say_line(f"warning: {problem.line}", err=True)
        with stop_on_ctrl_c() as stop:
            replaces = folder.left(figures, [state_path, weights or ""]) if overwrite else ()
            options = Options(
                backup=folder.path,
                name=folder.name,
                seed=seed,
                share=share,
                workers=workers,
                **vars(run),
                class_weights=weights_of(imbalance, opened.names, pictures.counts()),
                balance=imbalance.balance,
                ema=imbalance.ema,
                top=opened.top,
                stop=lambda: bool(stop),
                own_table=figures[0].name != TABLE,
                replaces=replaces,
            )
            progress = begin(net, options, initialization)
            if progress is not None and not overwrite:  # it may have been killed before they went
                options = replace(options, replaces=progress.replaces)
            last = run.batches or net.settings.max_batches
            begun = options if progress is None else progress
            say_weights(opened.names, begun.class_weights, network.quiet)
            warning = classes_warning(net, initialization, opened.names)
            if warning:
                say_line(f"warning: {warning}", err=True)
            if resume and not network.quiet:
                of = f" of {last}" if last else ""
                say_line(f"going on from batch {net.batch_num}{of}: {state_path}", err=True)

            def write() -> None:
                folder.clear(figures, options.replaces)
                folder.write(texts)

            events = EventFile(folder.path / "tensorboard") if tensorboard else None
            watcher = Watcher(*figures, last, network.quiet, display, events)
            train_all = partial(_run, net, (pictures, valid), options, progress, watcher, write)
            if rendezvous is None:
                train_all()
            else:
                _run_on(rendezvous, net, pictures, options, initialization, train_all)
    finished = watcher.finished
    if finished is not None and finished.reason == "stopped":
        say_line(_stopped_line(context, finished, folder, data, cfg), err=True)
        context.exit(130)
    if finished is not None and not network.quiet:
        for line in _end_lines(finished, folder, net, cfg):
            say_line(line, err=True)


def _build(
    cfg: str, network: NetworkOptions, data: Data, options: CfgOptions, is_chosen: bool
) -> tuple[Network, RunCfg]:
    """The network of the run, shown, and what is another than in its cfg, which is said."""
    from darknet_py.tasks.run_cfg import build_run, run_cfg

    read = read_network(cfg, network)
    found = run_cfg(read, len(data.names), len(data.training()), options, is_chosen)
    net = build_run(read, found)
    net.warnings = read.warnings
    net.say = read.say
    say_network(net, network)
    if is_chosen:
        say_line(f"{cfg} was chosen, by the sizes of the pictures", err=True)
    for note in found.notes:
        say_line(note, err=True)
    return net, found


def keep_output_going(context: click.Context) -> None:
    """What cannot be written on stdout is no reason to end: hours of work are not lost for it."""
    streams = context.find_object(Streams)
    if streams is not None:
        streams.go_on()


def given(context: click.Context, name: str) -> Any:
    """An option's value where it is on the command line; else None."""
    is_default = context.get_parameter_source(name) is ParameterSource.DEFAULT
    return None if is_default else context.params[name]


def _run(
    net: Network,
    sets: tuple[Dataset, Dataset | None],
    options: Options,
    progress: Progress | None,
    watcher: Watcher,
    begin: Callable[[], None],
    team: Team | None = None,
) -> None:
    from darknet_py.tasks.train import train as run

    if team is None:
        events = run(net, *sets, options, progress, begin=begin)
    else:
        events = run(net, *sets, options, progress, team.lead, team.size, begin)
    watcher.begin()
    try:
        for event in events:
            watcher.show(event)
    finally:
        watcher.close()


def _run_on(
    rendezvous: Rendezvous,
    net: Network,
    pictures: Dataset,
    options: Options,
    initialization: Initialization,
    run: Callable[..., None],
) -> None:
    from darknet_py.cfg.write import write_sections
    from darknet_py.tasks.data_parallel import Job, Team

    how = {"exact": net.engine.exact, "half": net.engine.half}
    text = write_sections(net.sections)
    job = Job(net.path, pictures, options, initialization, rendezvous, **how, sections=text)
    with Team(net, job) as team:
        run(team=team)


def _stopped_line(
    context: click.Context, finished: Finished, folder: RunFolder, data: str, cfg: str
) -> str:
    """Where all is kept, and how to go on with it."""
    group = context.parent.info_name if context.parent and context.parent.parent else None
    words = [command(), *([group] if group else []), str(context.info_name), data, cfg]
    for option in context.command.params:
        value = given(context, option.name or "")
        if isinstance(option, click.Option) and value and option.name not in _ONCE:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words += [option.opts[-1], *([] if option.is_flag else [shown])]
    return (
        f"stopped after batch {finished.batch}: saved in {folder.path / folder.name}.state; go on "
        f"with: {shell_words([*words, '--resume'])}"
    )


_ONCE = ("clear", "overwrite", "reinit", "resume", "state", "seed", "share")
"""Options of a run's initialization, which the state remembers or goes on from."""


def _end_lines(finished: Finished, folder: RunFolder, net: Network, cfg: str) -> Iterator[str]:
    """What came out, where it is, and what to do with it."""
    from darknet_py.tasks.checkpoint import are_of

    start = folder.path / folder.name
    weights, own_cfg = Path(f"{start}.weights"), Path(f"{start}.cfg")
    best = Path(f"{start}_best.weights")
    if finished.reason == "patience":
        yield f"no validation since batch {finished.best_batch} was better: ended (--patience)"
    has_best = finished.best_batch is not None and are_of(best, net, finished.best_batch)
    if finished.best is not None:
        where = f": {best}" if has_best else ": its weights are not here"
        yield f"best validation: top-1 {finished.best:.2%}, batch {finished.best_batch}{where}"
    yield f"after batch {finished.batch}: {weights}"
    shown = best if has_best else weights
    words = [str(own_cfg if own_cfg.exists() else cfg), str(shown)]
    yield f"next: {shell_words([command(), 'classify', *words])} PICTURE"
