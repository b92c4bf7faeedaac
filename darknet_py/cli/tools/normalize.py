"""darknet normalize"""

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
def normalize(cfg: str, weights: str, out: Path, tool: Tool) -> None:
    """Give batch norm to all layers that can have it.

    The network answers the same, but for rounding: the norm begins in a state that changes
    nothing. Its cfg, with batch_normalize=1, is written beside OUT, with the suffix .cfg. In
    training, batches are normalised by their own statistics from then on.

    \b
    Example:
      darknet normalize cfg/vgg-16.cfg vgg-16.weights normed.weights
    """
    net = tool.load(cfg, weights, [out, cfg_beside(out)])
    from darknet_py.tasks.weights_tools import normalize as change

    tool.save_with_cfg(change(net), out)
