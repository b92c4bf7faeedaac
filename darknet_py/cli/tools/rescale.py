"""darknet rescale"""

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
def rescale(cfg: str, weights: str, out: Path, tool: Tool) -> None:
    """Make weights for pictures of -1..1 take pictures of 0..1.

    The first layer is changed so that the network gives for x what it gave for 2x - 1: all commands
    here give it 0..1. Where that layer pads, pixels at the border differ a little.

    \b
    Example:
      darknet rescale old.cfg old.weights new.weights
    """
    net = tool.load(cfg, weights, [out])
    from darknet_py.tasks.weights_tools import rescale as change

    tool.save(net, out, change(net))
