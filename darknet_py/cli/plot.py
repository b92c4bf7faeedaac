"""darknet plot"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_path
from darknet_py.cli.files import DRAWINGS, output_file
from darknet_py.cli.options import FiniteRange, overwrite_option


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to draw it: .png, .jpg or .svg.  [chart.png, or the next that is free: "
    "chart-2.png]",
)
@overwrite_option
@click.option(
    "--smoothing",
    "smooth",
    type=FiniteRange(0, 1, max_open=True),
    default=0.95,
    show_default=True,
    metavar="KEEP",
    help="Of the smoothed loss, how much stays from batch to batch.",
)
def plot(runs: tuple[str, ...], output: str | None, overwrite: bool, smooth: float) -> None:
    """Draw the curves of trainings: loss, accuracy and rate.

    RUN is a backup folder, with all the trainings in it, or a metrics.csv; several are drawn over
    each other, named by what tells their folders apart. The loss's axis leaves out single spikes:
    marks at its upper edge say where they are.

    \b
    Examples:
      darknet plot backup/
      darknet plot backup/ other/backup/ --smoothing 0.98 -o comparison.svg
    """
    from darknet_py.tasks.chart import run_names, save_chart
    from darknet_py.tasks.metrics import read_metrics, tables_in

    file = output_file(output, "chart.png", DRAWINGS)
    tables = [
        table
        for run in map(Path, runs)
        for table in (tables_in(run) if os.path.isdir(run) else [run])
    ]
    found = [read_metrics(table) for table in tables]
    named = [replace(run, name=name) for run, name in zip(found, run_names(tables), strict=True)]
    save_chart(file, named, smooth)
    say_path(file)
