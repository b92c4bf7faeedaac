"""darknet classifier show"""

from __future__ import annotations

import click

from darknet_py.cli.options import Chosen, build_network
from darknet_py.cli.train import data_options


@click.command()
@click.argument("data")
@click.argument("cfg")
@click.option("-o", "--output", default="batch.png", show_default=True, help="Where to draw it.")
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
    output: str,
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
    net = build_network(cfg, Chosen(device="cpu", quiet=True))
    from darknet_py.tasks.data import open_data
    from darknet_py.tasks.show import draw_batch

    opened = open_data(data, labels, share, seed)
    for note in opened.notes:
        click.echo(note, err=True)
    drawn, refused = draw_batch(net, opened, number, count, seed, output)
    for error in refused:
        click.echo(f"left out: {error}", err=True)
    click.echo(f"{output}: {drawn} pictures of batch {number}")
