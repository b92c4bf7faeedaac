"""darknet train, which is darknet classifier train"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.data_lines import look_at, say_report, say_weights
from darknet_py.cli.options import Chosen, build_network, network_options
from darknet_py.cli.stopping import stop_on_ctrl_c
from darknet_py.cli.uneven import Uneven, uneven_options
from darknet_py.cli.watch import Watcher

if TYPE_CHECKING:
    from darknet_py.network import Network
    from darknet_py.tasks.beginning import Beginning
    from darknet_py.tasks.check import Report
    from darknet_py.tasks.run import Options, Progress
    from darknet_py.tasks.team import Meeting, Team


_PART = "(?:last|[0-9]{1,6}(?:-[0-9]{1,6})?)"
_GPUS = re.compile("[0-9]{1,3}(?:,[0-9]{1,3})*")
_LAYERS = re.compile(f"{_PART}(?:,{_PART})*")


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
                type=click.FloatRange(0, 0.9),
                default=0.1,
                show_default=True,
                help="Of a folder or list without another to validate with: how much is set aside.",
            ),
            click.option(
                "--seed", type=int, default=0, show_default=True, help="Of all that is drawn."
            ),
        )
    ):
        command = option(command)
    return command


def check_layers(_context: object, _option: object, text: str | None) -> str | None:
    """LAYERS as they are given, if they are numbers and ranges of them, or `last`."""
    if text is not None and not _LAYERS.fullmatch(text):
        raise click.BadParameter("expected numbers and ranges of them, as in 10-13,18, or last.")
    return text


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


@click.command()
@click.argument("data")
@click.argument("cfg")
@click.argument("weights", required=False)
@click.option("-clear", "--clear", is_flag=True, help="Count pictures and batches from 0 again.")
@click.option(
    "--max-iter",
    "batches",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop after N batches in all.  [max_batches]",
)
@click.option(
    "--display",
    type=click.IntRange(min=1),
    metavar="N",
    help="Print a line every N batches, with their mean loss.  [each; none on a terminal]",
)
@click.option(
    "--snapshot",
    type=click.IntRange(min=1),
    metavar="N",
    help="Keep NAME_iter_BATCH.weights and .state every N batches.",
)
@click.option("--resume", is_flag=True, help="Go on from NAME.state in the backup folder.")
@click.option("--state", type=click.Path(), help="Go on from this state instead.")
@click.option("--backup", type=click.Path(file_okay=False), help="Folder for what is written.")
@click.option(
    "--valid-every",
    type=click.IntRange(min=1),
    metavar="N",
    help="Batches between validations.  [an epoch]",
)
@click.option(
    "--patience",
    type=click.IntRange(min=1),
    metavar="N",
    help="Stop after N validations without a better one.",
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
    callback=check_layers,
    metavar="LAYERS",
    help="Draw these layers of WEIGHTS anew, as in 18, 10-13,18 or last.",
)
@uneven_options
@data_options
@network_options
def train(
    data: str,
    cfg: str,
    weights: str | None,
    clear: bool,
    batches: int | None,
    display: int | None,
    snapshot: int | None,
    resume: bool,
    state: str | None,
    backup: str | None,
    valid_every: int | None,
    patience: int | None,
    gpus: tuple[int, ...],
    reinit: str | None,
    labels: str,
    share: float,
    seed: int,
    uneven: Uneven,
    chosen: Chosen,
) -> None:
    """Train a classifier.

    DATA is a .data file, a folder with one folder of pictures a class (in train/ and valid/ if
    these exist), or Caffe's lists, a path and a number a line: a folder with train.txt (and
    val.txt), or the path of train.txt. WEIGHTS are where to begin; without them they are drawn at
    random.

    The backup folder gets NAME.backup every 100 batches, NAME_EPOCH.weights, NAME_best.weights,
    NAME.weights at the end, metrics.csv, chart.png, and NAME.state, from which --resume goes on
    as if the run had never stopped (--state NAME_EPOCH.state: from the end of an epoch, or from
    NAME_iter_BATCH.state, a snapshot). Ctrl-C saves and stops.

    \b
    Examples:
      darknet train photos/ cfg/cifar_small.cfg
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
    if reinit and not weights:
        raise click.UsageError("--reinit draws layers of WEIGHTS anew: there are none.")
    if gpus and chosen.device not in ("auto", "gpu"):
        raise click.UsageError(f"-gpus says which GPUs: leave out --device {chosen.device}.")
    if gpus:
        chosen = replace(chosen, device=f"gpu:{gpus[0]}")
    net = build_network(cfg, chosen)
    from darknet_py.ops import gpu_meeting
    from darknet_py.tasks.beginning import Beginning, begin
    from darknet_py.tasks.data import open_data
    from darknet_py.tasks.run import Options

    meeting = gpu_meeting(gpus) if len(gpus) > 1 else None
    opened = open_data(data, labels, share, seed, backup)
    report = look_at(opened, net, averaged=uneven.ema > 0, processes=max(len(gpus), 1))
    say_report(report, chosen.quiet)
    with stop_on_ctrl_c() as stop:
        options = Options(
            backup=opened.backup,
            name=Path(cfg).stem,
            seed=seed,
            batches=batches,
            snapshot=snapshot,
            valid_every=valid_every,
            patience=patience,
            class_weights=uneven.weights(opened.names, report.usable()[0].counts()),
            balance=uneven.balance,
            ema=uneven.ema,
            top=opened.top,
            stop=lambda: bool(stop),
        )
        state_path = Path(state) if state else options.backup / f"{options.name}.state"
        beginning = Beginning(weights, clear, reinit, state_path if resume else None)
        progress = begin(net, options, beginning)
        begun = options if progress is None else progress
        say_weights(opened.names, begun.class_weights, chosen.quiet)
        watcher = Watcher(
            options.backup,
            net.batch_num,
            batches or net.settings.max_batches,
            chosen.quiet,
            display,
        )
        if meeting is not None:
            _run_on(meeting, net, report, options, beginning, progress, watcher)
        else:
            _run(net, report, options, progress, watcher)
        if stop:
            click.get_current_context().exit(130)


def _run(
    net: Network,
    report: Report,
    options: Options,
    progress: Progress | None,
    watcher: Watcher,
    team: Team | None = None,
) -> None:
    from darknet_py.tasks.train import train as run

    pictures, valid = report.usable()
    shared = () if team is None else (team.lead, team.size)
    try:
        for event in run(net, pictures, valid, options, progress, *shared):
            watcher.show(event)
    finally:
        watcher.close()


def _run_on(
    meeting: Meeting,
    net: Network,
    report: Report,
    options: Options,
    beginning: Beginning,
    progress: Progress | None,
    watcher: Watcher,
) -> None:
    from darknet_py.tasks.team import Job, Team

    pictures, _ = report.usable()
    how = {"exact": net.engine.exact, "half": net.engine.half}
    job = Job(net.path, pictures, options, beginning, meeting, **how)
    with Team(net, job) as team:
        _run(net, report, options, progress, watcher, team)
