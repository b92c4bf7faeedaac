"""darknet finetune"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line
from darknet_py.cli.finetuning import Presenter
from darknet_py.cli.options import (
    NetworkOptions,
    network_options,
    options_of,
    read_network,
    usage_errors,
)
from darknet_py.cli.train import given, how_to_go_on, keep_output_going
from darknet_py.tasks.options import (
    DataOptions,
    FinetuneOptions,
    ImbalanceOptions,
    check_finetuning,
    check_imbalance,
)

if TYPE_CHECKING:
    from darknet_py.network import Network


@click.command(cls=Command)
@click.argument("data")
@click.argument("cfg")
@click.argument("weights")
@options_of("options", FinetuneOptions)
@options_of("imbalance", ImbalanceOptions)
@options_of("pictures", DataOptions)
@network_options
@click.pass_context
def finetune(
    context: click.Context,
    data: str,
    cfg: str,
    weights: str,
    options: FinetuneOptions,
    imbalance: ImbalanceOptions,
    pictures: DataOptions,
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
    with usage_errors():
        check_finetuning(options)
        check_imbalance(imbalance)
    from darknet_py.tasks.finetuning import Finetuning, run_finetuning

    keep_output_going(context)
    finetuning = Finetuning(
        data=data,
        cfg=cfg,
        weights=weights,
        options=options,
        imbalance=imbalance,
        pictures=pictures,
        seed=given(context, "seed"),
    )
    presenter = Presenter(network.quiet)
    run = run_finetuning(finetuning, _opener(network), presenter.stop, presenter.count)
    with closing(run) as events, closing(presenter):
        for event in events:
            presenter.show(event)
    if presenter.stop():
        again = how_to_go_on(context, data, cfg, weights)
        say_line(f"stopped: saved in {options.output}; go on with: {again}", err=True)
        context.exit(130)


def _opener(network: NetworkOptions) -> Callable[[str, str | None], Network]:
    return lambda cfg, _device: read_network(cfg, network)
