"""darknet average"""

from __future__ import annotations

from pathlib import Path

import click

from darknet_py.cli.command import Command
from darknet_py.cli.options import find_file
from darknet_py.cli.tools.options import PATH, Tool, tool_options


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("out", type=PATH)
@click.argument("weights", nargs=-1, required=True, metavar="WEIGHTS...")
@tool_options
def average(cfg: str, out: Path, weights: tuple[str, ...], tool: Tool) -> None:
    """Write the mean of several weights files of one network.

    Of every number, batch norm's statistics too. Files of one training, from its last epochs, often
    know more together than the last one does; those of different trainings do not.

    \b
    Example:
      darknet average net.cfg mean.weights backup/net_28.weights backup/net_29.weights
    """
    net = tool.open(cfg, weights, [out])
    from darknet_py.tasks.weights_tools import average as mean_of

    mean_of(net, [find_file(name) for name in weights])
    tool.save(net, out)
