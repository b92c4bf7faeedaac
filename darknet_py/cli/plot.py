"""darknet plot"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("-o", "--output", default="chart.png", show_default=True, help="Where to draw it.")
def plot(runs: tuple[str, ...], output: str) -> None:
    """Draw the curves of trainings: loss, validation accuracy, rate.

    RUN is a backup folder or its metrics.csv; several are drawn side by side.

    \b
    Example:
      darknet plot backup/ other/backup/ -o comparison.png
    """
    from darknet_py.tasks.chart import save_chart
    from darknet_py.tasks.metrics import read_metrics

    save_chart(Path(output), [read_metrics(run) for run in runs])
    click.echo(output)
