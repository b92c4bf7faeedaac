"""darknet classifier check"""

from __future__ import annotations

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line
from darknet_py.cli.data_lines import look_at, report_lines, say_problems
from darknet_py.cli.options import NetworkOptions, build_network
from darknet_py.cli.train import data_options


@click.command(cls=Command)
@click.argument("data")
@click.argument("cfg", required=False)
@click.option(
    "--decode/--headers",
    default=None,
    help="Read every picture whole, which finds those that are cut short, or its header alone."
    "  [default: whole, up to 200,000 pictures]",
)
@data_options
def check(
    data: str, cfg: str | None, decode: bool | None, labels: str, share: float, seed: int
) -> None:
    """Say what would be trained on, and what stands in the way.

    Classes, pictures, those that cannot be read, those on both sides, and with CFG what a training
    would change of it and how much memory it needs. The exit code is 1 if training could not begin.

    \b
    Example:
      darknet classifier check photos/ cfg/cifar_small.cfg
    """
    net = build_network(cfg, NetworkOptions(device="cpu", quiet=True)) if cfg else None
    from darknet_py.tasks.data import open_data
    from darknet_py.tasks.options import CfgOptions
    from darknet_py.tasks.run_cfg import build_run, run_cfg

    opened = open_data(data, labels, share, seed)
    if net is not None:
        found = run_cfg(net, len(opened.names), len(opened.training()), CfgOptions(), False)
        net = build_run(net, found)
        for note in found.notes:
            say_line(note)
    report = look_at(opened, net, decode)
    for line in report_lines(report):
        say_line(line)
    say_problems(report)
