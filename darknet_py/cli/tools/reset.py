"""darknet reset"""

from __future__ import annotations

from pathlib import Path

import click

from darknet_py.cli.command import Command
from darknet_py.cli.tools.options import PATH, Tool, tool_options


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("weights")
@click.argument("out", type=PATH)
@tool_options
def reset(cfg: str, weights: str, out: Path, tool: Tool) -> None:
    """Fold batch norm's statistics into the weights, and reset them.

    Scales and deviations become 1, means 0, and the network still answers the same: the cfg stays.

    \b
    Example:
      darknet reset cfg/tiny.cfg tiny.weights reset.weights
    """
    net = tool.load(cfg, weights, [out])
    from darknet_py.tasks.weights_tools import reset as change

    change(net)
    tool.save(net, out)
