"""darknet finetune"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line
from darknet_py.cli.data_lines import look_at, say_report, say_weights
from darknet_py.cli.finetuning import Presenter
from darknet_py.cli.options import (
    NetworkOptions,
    find_file,
    network_options,
    options_of,
    read_network,
)
from darknet_py.cli.stopping import stop_on_ctrl_c
from darknet_py.cli.train import check_imbalance, data_options, given, keep_output_going
from darknet_py.tasks.options import FinetuneOptions, ImbalanceOptions

if TYPE_CHECKING:
    from darknet_py.network import Network


_NO_MIXING = "--mixup and --cutmix do nothing in stages that train on kept features: add --no-cache"


@click.command(cls=Command)
@click.argument("data")
@click.argument("cfg")
@click.argument("weights")
@options_of("options", FinetuneOptions)
@options_of("imbalance", ImbalanceOptions)
@data_options
@network_options
@click.pass_context
def finetune(
    context: click.Context,
    data: str,
    cfg: str,
    weights: str,
    options: FinetuneOptions,
    imbalance: ImbalanceOptions,
    labels: str,
    share: float,
    seed: int,
    network: NetworkOptions,
) -> None:
    """Train a trained network on other classes.

    DATA is a folder with one folder of pictures per class, a .data file, or Caffe's lists. The last
    layer of CFG with weights is replaced by a new one, which is trained on the features that the
    other layers compute. From 100 pictures on, the last quarter of the other layers is trained
    then, and from 3,000 on all of them, the earlier ones at lower rates.

    Batch norm's statistics stay as they are in frozen layers; in layers that learn they are
    measured anew before each validation. Each stage ends with the weights of its best validation,
    and the best stage is the result.

    The output folder gets NAME.cfg, NAME.weights, NAME.names and NAME.data, which the other
    commands take. Features of the frozen layers are cached in its folder `features`, which may be
    removed. --resume goes on with a run that was stopped or killed, also after pictures were
    removed or added; --overwrite begins anew.

    \b
    Examples:
      darknet finetune photos/ cfg/tiny.cfg tiny.weights -o mine
      darknet finetune photos/ cfg/tiny.cfg tiny.weights -o mine --unfreeze 4 --size 160
      darknet classify mine/tiny.cfg mine/tiny.weights picture.jpg
      darknet nightmare mine/tiny.cfg mine/tiny.weights picture.jpg --class cat
    """
    _check(options)
    check_imbalance(imbalance)
    net = read_network(cfg, network)
    from darknet_py.tasks.class_weights import weights_of
    from darknet_py.tasks.data import check_apart, open_data
    from darknet_py.tasks.finetune import finetune as run
    from darknet_py.tasks.finetune import how_of, prepare, request_of, seed_of
    from darknet_py.tasks.lock import only_process_in

    keep_output_going(context)
    output = Path(options.output)
    if options.resume and given(context, "seed") is None:
        seed = seed_of(output, seed)
    found = find_file(data)
    check_apart(output, Path(found), "-o")
    with only_process_in(output), stop_on_ctrl_c() as stop:
        opened = open_data(found, labels, share, seed, options.output)
        report = look_at(opened, quiet=network.quiet)
        say_report(report, network.quiet)
        train, valid = report.usable()
        how = replace(
            how_of(options, seed, opened.top, lambda: bool(stop)),
            class_weights=weights_of(imbalance, opened.names, train.counts()),
            balance=imbalance.balance,
            ema=imbalance.ema,
        )
        request = request_of(options, net, find_file(weights), seed)
        prepared = prepare(net, request, replace(opened, train=train, valid=valid), how)
        presenter = Presenter(prepared, network.quiet)
        presenter.show_plan()
        say_weights(opened.names, how.class_weights, network.quiet)
        if how.cache is not None and (options.mixup or options.cutmix):
            say_line(f"warning: {_NO_MIXING}", err=True)
        try:
            sets = prepared.data.training(), prepared.data.valid
            for event in run(_opener(network), prepared.folder, *sets, prepared.how):
                presenter.show(event)
        finally:
            presenter.close()
    if stop:
        if not network.quiet:
            say_line(f"{output}: goes on with the same command and --resume", err=True)
        context.exit(130)


def _check(options: FinetuneOptions) -> None:
    """Raises click.UsageError for what does not go together."""
    if options.unfreeze is not None and options.start is not None:
        raise click.UsageError("--unfreeze and --unfreeze-from say the same in two ways: give one.")
    if options.resume and options.overwrite:
        raise click.UsageError("--overwrite begins anew, and --resume goes on: give one.")
    if options.no_cache and options.cache is not None:
        raise click.UsageError("--no-cache and --cache: give one.")


def _opener(network: NetworkOptions) -> Callable[[Path], Network]:
    return lambda cfg: read_network(str(cfg), network)
