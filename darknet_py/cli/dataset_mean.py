"""darknet dataset mean"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_json, say_line
from darknet_py.cli.options import limit_threads, threads_option
from darknet_py.cli.progress import Progress, say
from darknet_py.cli.train import labels_option
from darknet_py.text import counted

if TYPE_CHECKING:
    from darknet_py.tasks.measure import Statistics


@click.command(cls=Command)
@click.argument("data")
@click.option(
    "--size",
    type=click.IntRange(min=1),
    metavar="N",
    help="Bring each picture to N x N first, as classify --fit crop does: each weighs the same.",
)
@click.option(
    "--channels",
    type=click.Choice(["1", "3"]),
    default="3",
    show_default=True,
    help="Of the network: 1 measures grey.",
)
@click.option("--json", "is_json", is_flag=True, help="Everything as one JSON object.")
@labels_option
@threads_option
def mean(
    data: str, size: int | None, channels: str, is_json: bool, labels: str, threads: int | None
) -> None:
    """Print the mean and the standard deviation of pictures, channel by channel.

    DATA is a folder of pictures, or what training takes, whose pictures to train on are measured.
    The two lines can stand in [net]: mean= is subtracted there, std= divides. Values are from 0
    to 1, over all pixels of all pictures.

    \b
    Examples:
      darknet dataset mean photos/
      darknet dataset mean cfg/cifar.data --size 28 --json
    """
    limit_threads(threads)
    from darknet_py.tasks.measure import Progressed, measure, pictures_to_measure

    paths = pictures_to_measure(data, labels)
    progress = Progress(len(paths))
    for event in measure(paths, size, int(channels)):
        if not isinstance(event, Progressed):
            progress.close()
            _print(event, is_json)
        elif event.refused:
            say(f"left out: {event.refused}")
        else:
            progress.show(event.done, f"{event.done:,}/{len(paths):,} pictures")


def _print(found: Statistics, is_json: bool) -> None:
    if is_json:
        figures = {
            "pictures": found.pictures,
            "refused": found.refused,
            "pixels": found.pixels,
            "mean": found.mean,
            "std": found.deviation,
        }
        say_json(figures)
        return
    say_line(f"mean={','.join(f'{value:.6f}' for value in found.mean)}")
    say_line(f"std={','.join(f'{value:.6f}' for value in found.deviation)}")
    say_line(f"{counted(found.pictures, 'picture')}, {counted(found.pixels, 'pixel')}", err=True)
