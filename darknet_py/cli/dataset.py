"""darknet dataset: what is done to pictures before a training."""

from __future__ import annotations

import click

from darknet_py.cli.dataset_mean import mean


@click.group()
def dataset() -> None:
    """Prepare pictures to train on, and measure them.

    \b
    Example:
      darknet dataset mean photos/
    """


for command in (mean,):
    dataset.add_command(command)
