"""darknet dataset: what is done to pictures before a training."""

from __future__ import annotations

import click

from darknet_py.cli.command import Group
from darknet_py.cli.dataset_mean import mean
from darknet_py.cli.dataset_prepare import prepare


@click.group(cls=Group)
def dataset() -> None:
    """Prepare pictures to train on, and measure them.

    \b
    Example:
      darknet dataset prepare photos/ small/ --size 256
    """


for command in (mean, prepare):
    dataset.add_command(command)
