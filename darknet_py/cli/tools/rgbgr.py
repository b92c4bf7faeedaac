"""darknet rgbgr"""

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
def rgbgr(cfg: str, weights: str, out: Path, tool: Tool) -> None:
    """Exchange red and blue in the first layer's weights.

    For weights that were trained on blue, green, red, as OpenCV and Caffe have them: here
    pictures are red, green, blue. Twice is to do nothing.

    \b
    Example:
      darknet rgbgr caffe.cfg caffe.weights rgb.weights
    """
    net = tool.load(cfg, weights, [out])
    from darknet_py.tasks.weights_tools import swap_red_and_blue

    tool.save(net, out, swap_red_and_blue(net))
