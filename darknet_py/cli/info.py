"""darknet info"""

from __future__ import annotations

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line, say_lines
from darknet_py.cli.options import find_file


@click.command(cls=Command)
@click.argument("cfg")
@click.option("--strict", is_flag=True, help="Refuse a cfg that gives warnings.")
def info(cfg: str, strict: bool) -> None:
    """Print the layer table of a network.

    \b
    Example:
      darknet info cfg/tiny.cfg
    """
    from darknet_py.cfg.sections import read_sections
    from darknet_py.network.builder import build, table

    path = find_file(cfg)
    plan = build(read_sections(path), path, strict)
    for warning in plan.warnings:
        say_line(f"warning: {warning}", err=True)
    if plan.settings.rules.why:
        say_line(f"{path}: {plan.settings.rules.line}", err=True)
    say_lines(table(plan.layers))
