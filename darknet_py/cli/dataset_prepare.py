"""darknet dataset prepare"""

from __future__ import annotations

from pathlib import Path

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line
from darknet_py.cli.files import check_output_folder
from darknet_py.cli.options import limit_threads, threads_option
from darknet_py.cli.progress import Progress, say
from darknet_py.cli.train import data_options


@click.command(cls=Command)
@click.argument("data", metavar="FOLDER")
@click.argument("out")
@click.option(
    "--size",
    type=click.IntRange(min=1, max=65500),
    default=256,
    show_default=True,
    metavar="N",
    help="Width and height of the pictures.",
)
@click.option(
    "--fit",
    type=click.Choice(["crop", "letterbox", "squash"]),
    default="crop",
    show_default=True,
    help="Shorter side to N and the middle of the longer, all of it on grey, or all distorted.",
)
@click.option("--png", is_flag=True, help="Write PNG, which loses nothing, instead of JPEG.")
@data_options
@threads_option
def prepare(
    data: str,
    out: str,
    size: int,
    fit: str,
    png: bool,
    labels: str,
    share: float,
    seed: int,
    threads: int | None,
) -> None:
    """Write pictures to train on: one size, RGB, split, with lists.

    FOLDER, or anything else that training takes, is only read. OUT gets train/CLASS/ and
    valid/CLASS/ (the split that is there, else --share is set aside), train.txt, val.txt and
    names.txt in Caffe's way, and dataset.data with its lists in darknet's: its labels are folders
    (/CLASS/), so that the C program finds one in each path. Pictures that cannot be
    read are named and left out; pictures that are the same on both sides are named. Interrupted,
    the same command goes on.

    \b
    Examples:
      darknet dataset prepare photos/ small/ --size 256
      darknet train small/ cfg/cifar_small.cfg
    """
    check_output_folder(Path(out))
    limit_threads(threads)
    from darknet_py.tasks.data import open_data
    from darknet_py.tasks.prepare import Begun, How, Progressed, prepare

    progress = Progress()
    for event in prepare(open_data(data, labels, share, seed), Path(out), How(size, fit, png)):
        if isinstance(event, Begun):
            progress = Progress(event.total)
            for note in event.notes:
                say(note)
            for train, valid in event.shared:
                say(f"{valid}: the same picture is trained on: {train}")
        elif isinstance(event, Progressed):
            if event.refused:
                say(f"left out: {event.refused}")
            progress.show(event.done, f"{event.done:,}/{progress.total:,} pictures")
        else:
            progress.close()
            say_line(
                f"{out}: {event.classes} classes, {event.train} pictures to train on, "
                f"{event.valid} to validate with; {event.kept} were there, {event.refused} left out"
            )
