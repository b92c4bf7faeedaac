"""darknet oneoff"""

from __future__ import annotations

from pathlib import Path

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line
from darknet_py.cli.options import find_file
from darknet_py.cli.tools.options import PATH, Tool, tool_options


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("weights")
@click.argument("out", type=PATH)
@tool_options
def oneoff(cfg: str, weights: str, out: Path, tool: Tool) -> None:
    """Make weights fit a cfg with another number of outputs.

    CFG is the new one, WEIGHTS the old network's. All other layers are copied; the last one keeps
    the outputs that both have, from the first on, as when names were added at the end of a list.
    New outputs begin near 0, and no batch counts as seen: train on from there.

    \b
    Example:
      darknet oneoff eleven.cfg ten.weights eleven.weights
    """
    net = tool.open(cfg, [weights], [out])
    from darknet_py.tasks.weights_tools import oneoff as fit

    fitted = fit(net, find_file(weights))
    tool.save(net, out)
    if not tool.quiet:
        say_line(
            f"layer {fitted.layer}: {fitted.kept} outputs kept, {fitted.drawn} drawn, "
            f"{fitted.left} left out",
            err=True,
        )
