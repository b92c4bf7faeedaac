"""darknet classifier check"""

from __future__ import annotations

import click

from darknet_py.cli.data_lines import report_lines
from darknet_py.cli.options import Chosen, build_network
from darknet_py.cli.train import data_options


@click.command()
@click.argument("data")
@click.argument("cfg", required=False)
@click.option("--decode", is_flag=True, help="Read every picture whole, not its header alone.")
@data_options
def check(data: str, cfg: str | None, decode: bool, labels: str, share: float, seed: int) -> None:
    """Say what would be trained on, and what stands in the way.

    Classes, pictures, those that cannot be read, those on both sides, and with CFG whether its
    outputs fit and how much memory it needs. The exit code is 1 if training could not begin.

    \b
    Example:
      darknet classifier check photos/ cfg/cifar_small.cfg
    """
    net = build_network(cfg, Chosen(device="cpu", quiet=True)) if cfg else None
    from darknet_py.tasks.check import check as look
    from darknet_py.tasks.data import open_data

    report = look(open_data(data, labels, share, seed), net, decode)
    for line in report_lines(report):
        click.echo(line)
    for problem in report.problems:
        click.echo(f"darknet: {problem}", err=True)
    if report.problems:
        click.get_current_context().exit(1)
