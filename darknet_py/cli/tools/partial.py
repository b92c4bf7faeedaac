"""darknet partial"""

from __future__ import annotations

from pathlib import Path

import click

from darknet_py.cli.command import Command
from darknet_py.cli.options import find_file
from darknet_py.cli.tools.options import PATH, Tool, tool_options


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("weights")
@click.argument("out", type=PATH)
@click.argument("count", type=click.IntRange(min=1), metavar="N")
@tool_options
def partial(cfg: str, weights: str, out: Path, count: int, tool: Tool) -> None:
    """Write the weights of the first N layers alone.

    For `train`, which takes such a file as a beginning and draws the other layers at random.
    Layers are counted from 0 in the table, so that N is the first that is left out. No batch counts
    as seen.

    \b
    Example:
      darknet partial cfg/tiny.cfg tiny.weights tiny.19 19
    """
    net = tool.open(cfg, [weights], [out])
    from darknet_py.tasks.weights_tools import first_layers

    tool.save(first_layers(net, find_file(weights), count), out)
