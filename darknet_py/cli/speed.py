"""darknet speed"""

from __future__ import annotations

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line
from darknet_py.cli.options import NetworkOptions, build_network, network_options


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("count", type=click.IntRange(min=1), default=1000, metavar="[N]")
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Pictures, or sequences, at once.",
)
@network_options
def speed(cfg: str, count: int, batch: int, network: NetworkOptions) -> None:
    """Time predictions of a network with random weights.

    \b
    Examples:
      darknet speed cfg/tiny.cfg 100
      darknet speed cfg/darknet19.cfg 10 --batch 16 --threads 1
    """
    net = build_network(cfg, network)
    from darknet_py.tasks.plan import measure_speed

    found = measure_speed(net, count, batch)
    say_line(f"{found.count} evals, {found.seconds:f} Seconds")
    say_line(f"Floating Point Operations: {found.operations / 1e9:.2f} Bn")
    say_line(f"FLOPS: {found.operations * found.count / found.seconds / 1e9:.2f} Bn")
    say_line(f"Speed: {found.seconds / found.count:f} sec/eval")
    say_line(f"Speed: {found.count / found.seconds:f} Hz")
