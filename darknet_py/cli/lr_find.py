"""darknet lr-find"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line, say_rows
from darknet_py.cli.data_lines import look_at, say_report
from darknet_py.cli.files import DRAWINGS, output_file
from darknet_py.cli.options import (
    FiniteRange,
    NetworkOptions,
    find_file,
    network_options,
    overwrite_option,
    read_network,
    say_network,
)
from darknet_py.cli.progress import Progress, say
from darknet_py.cli.train import data_options

if TYPE_CHECKING:
    from darknet_py.errors import PictureError
    from darknet_py.tasks.lr_find import Found, Probe


@click.command("lr-find", cls=Command)
@click.argument("data")
@click.argument("cfg")
@click.argument("weights", required=False)
@click.option(
    "--low",
    type=FiniteRange(0, min_open=True),
    default=1e-6,
    show_default=True,
    metavar="RATE",
    help="The first rate.",
)
@click.option(
    "--high",
    type=FiniteRange(0, min_open=True),
    default=1.0,
    show_default=True,
    metavar="RATE",
    help="The last rate.",
)
@click.option(
    "--batches",
    "steps",
    type=click.IntRange(min=20),
    default=100,
    show_default=True,
    metavar="N",
    help="Batches, each at a higher rate.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="The chart: .png, .jpg or .svg.  [lr-find.png, or the next that is free: lr-find-2.png]",
)
@overwrite_option
@click.option(
    "--csv",
    "is_csv",
    is_flag=True,
    help="A line a batch instead, with a head: rate, loss, smoothed.",
)
@data_options
@network_options
def lr_find(
    data: str,
    cfg: str,
    weights: str | None,
    low: float,
    high: float,
    steps: int,
    output: str | None,
    overwrite: bool,
    is_csv: bool,
    labels: str,
    share: float,
    seed: int,
    network: NetworkOptions,
) -> None:
    """Suggest a learning rate.

    Trains on a batch of the cfg at each of many rates, from far too low to far too high, until the
    loss has climbed to four times its lowest, and draws the loss by the rate. Suggested is the rate
    at which the smoothed loss falls fastest, but at most a tenth of the rate at which it is lowest.
    Nothing of the training is kept.

    \b
    Examples:
      darknet lr-find photos/ cfg/cifar_small.cfg
      darknet lr-find photos/ mine.cfg tiny.weights --low 1e-5 --high 10 --csv > rates.csv
    """
    if low >= high:
        raise click.UsageError(f"--low {low:g} is not below --high {high:g}.")
    file = output_file(output, "lr-find.png", DRAWINGS)
    read = read_network(cfg, network)
    from darknet_py.images.draw.canvas import save_drawing
    from darknet_py.images.draw.chart import draw_chart
    from darknet_py.tasks.data import open_data
    from darknet_py.tasks.initialization import load_all_but
    from darknet_py.tasks.lr_find import chart, suggest, sweep
    from darknet_py.tasks.options import CfgOptions
    from darknet_py.tasks.run_cfg import build_run, run_cfg

    opened = open_data(find_file(data), labels, share, seed)
    found_cfg = run_cfg(read, len(opened.names), len(opened.training()), CfgOptions(), False)
    net = build_run(read, found_cfg)
    net.warnings, net.say = read.warnings, read.say
    say_network(net, network)
    for note in found_cfg.notes:
        say_line(note, err=True)
    report = look_at(opened, net, quiet=network.quiet)
    say_report(report, network.quiet)
    if weights and found_cfg.head is not None:
        load_all_but(net, found_cfg.head, find_file(weights))
    elif weights:
        net.load_weights(find_file(weights), partial=True, clear=True, begin=True)
    net.initialise(seed)
    probes = []
    progress = Progress(steps, shown=not network.quiet)
    with closing(progress):
        for probe in sweep(net, report.usable()[0], low, high, steps, seed, left_out=_say_left_out):
            probes.append(probe)
            figures = f"rate {probe.rate:.3g}, loss {probe.loss:.4f}"
            progress.show(probe.batch, f"batch {probe.batch}/{steps}", figures)
    found = suggest(probes, steps)
    save_drawing(draw_chart(chart(probes, found), height=440), file)
    if is_csv:
        say_rows(_table(probes, found))
    say_line(f"learning_rate={found.rate:.2g}", err=is_csv)
    if not network.quiet:
        say_line(
            f"falls fastest at {found.steepest:.2g}, lowest at {found.lowest:.2g}: {file}",
            err=True,
        )


def _say_left_out(error: PictureError) -> None:
    say(f"left out: {error}")


def _table(probes: Sequence[Probe], found: Found) -> list[tuple[object, ...]]:
    rows = [
        (probe.batch, f"{probe.rate:.6g}", f"{probe.loss:.6g}", f"{smoothed:.6g}")
        for probe, smoothed in zip(probes, found.smoothed.tolist(), strict=True)
    ]
    return [("batch", "rate", "loss", "smoothed"), *rows]
