"""darknet train, which is darknet classifier train"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.data_lines import say_report, say_weights
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
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="Keep NAME_EPOCH.weights and .state of every Nth epoch.  [the last and the best alone]",
)
@click.option("--resume", is_flag=True, help="Go on from NAME.state in the backup folder.")
@click.option("--state", type=click.Path(), help="Go on from this state instead.")
@click.option("--backup", type=click.Path(file_okay=False), help="Folder for what is written.")
@click.option("--force", is_flag=True, help="Begin anew where that folder holds a training.")
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
@click.pass_context
def train(
    context: click.Context,
    data: str,
    cfg: str,
    weights: str | None,
    clear: bool,
    batches: int | None,
    display: int | None,
    snapshot: int | None,
    keep: int | None,
    resume: bool,
    state: str | None,
    backup: str | None,
    force: bool,
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

    The backup folder gets NAME.backup every 100 batches, NAME_best.weights, NAME.weights at the
    end, NAME.cfg, NAME.names and NAME.data, which the other commands take with them, metrics.csv,
    chart.png, and NAME.state, from which --resume goes on as if the run had never stopped, with the
    same pictures on both sides (--state FILE: from a state that --keep or --snapshot has kept).
    Ctrl-C saves and stops. A folder that holds a training of this NAME is not begun anew in, but by
    --force.

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
    if resume and force and not state:
        raise click.UsageError("--force begins anew, and --resume goes on: give one.")
    if reinit and not weights:
        raise click.UsageError("--reinit draws layers of WEIGHTS anew: there are none.")
    if gpus and chosen.device not in ("auto", "gpu"):
        raise click.UsageError(f"-gpus says which GPUs: leave out --device {chosen.device}.")
    if gpus:
        chosen = replace(chosen, device=f"gpu:{gpus[0]}")
    net = build_network(cfg, chosen)
    from darknet_py.ops import gpu_meeting
    from darknet_py.tasks.beginning import Beginning, begin, names_warning, take_up
    from darknet_py.tasks.check import check
    from darknet_py.tasks.data import open_data, results_folder
    from darknet_py.tasks.lock import only_process_in
    from darknet_py.tasks.run import Options
    from darknet_py.tasks.run_folder import RunFolder

    meeting = gpu_meeting(gpus) if len(gpus) > 1 else None
    asked = {
        name: context.params[name] if _is_given(context, name) else None
        for name in ("seed", "share")
    }
    raise NotImplementedError
