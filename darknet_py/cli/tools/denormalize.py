"""darknet denormalize"""

from __future__ import annotations

from pathlib import Path

import click

from darknet_py.cli.command import Command
from darknet_py.cli.tools.options import PATH, Tool, cfg_beside, tool_options


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("weights")
@click.argument("out", type=PATH)
@tool_options
def denormalize(cfg: str, weights: str, out: Path, tool: Tool) -> None:
    """Put batch norm into the weights, and leave it out of the cfg.

    The network answers the same, but for rounding. Its cfg, without batch_normalize, is written
    beside OUT, with the suffix .cfg.

    \b
    Example:
      darknet denormalize cfg/tiny.cfg tiny.weights plain.weights
    """
    net = tool.load(cfg, weights, [out, cfg_beside(out)])
    from darknet_py.tasks.weights_tools import denormalize as change

    tool.save_with_cfg(change(net), out)
