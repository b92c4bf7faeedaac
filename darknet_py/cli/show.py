"""darknet classifier show"""

from __future__ import annotations

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line
from darknet_py.cli.files import PICTURES, output_file
from darknet_py.cli.options import NetworkOptions, build_network, overwrite_option
from darknet_py.cli.train import data_options
from darknet_py.text import counted


@click.command(cls=Command)
@click.argument("data")
@click.argument("cfg")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to draw it.  [batch.png, or the next that is free: batch-2.png]",
)
@overwrite_option
@click.option(
    "--number",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Which batch of the training.",
)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    metavar="N",
    help="Pictures at most.",
)
@data_options
def show(
    data: str,
    cfg: str,
    output: str | None,
    overwrite: bool,
    number: int,
    count: int,
    labels: str,
    share: float,
    seed: int,
) -> None:
    """Draw one batch as the network will see it in training, with its labels.

    \b
    Example:
      darknet classifier show photos/ cfg/cifar_small.cfg -o batch.png
    """
    file = output_file(output, "batch.png", PICTURES)
    net = build_network(cfg, NetworkOptions(device="cpu", quiet=True))
    from darknet_py.tasks.check import draw_batch
    from darknet_py.tasks.data import open_data

    opened = open_data(data, labels, share, seed)
    for note in opened.notes:
        say_line(note, err=True)
    drawn, refused = draw_batch(net, opened, number, count, seed, file)
    for error in refused:
        say_line(f"left out: {error}", err=True)
    say_line(f"{file}: {counted(drawn, 'picture')} of batch {number}")
