"""darknet report"""

from __future__ import annotations

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import complain, say_line
from darknet_py.cli.files import output_file
from darknet_py.cli.options import (
    NetworkOptions,
    find_file,
    network_options,
    open_network,
    overwrite_option,
)
from darknet_py.cli.predictions import (
    class_names,
    find_named,
    fit_option,
    names_option,
)
from darknet_py.cli.valid import say_left_out, say_validation, validation_options
from darknet_py.text import counted


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("weights")
@click.argument("pictures", nargs=-1, metavar="PICTURE...")
@click.option(
    "--valid",
    metavar="DATA",
    help="Also hold the network to these pictures: see `classifier valid`.",
)
@click.option(
    "--worst",
    type=click.IntRange(min=0),
    default=24,
    show_default=True,
    metavar="N",
    help="Mistakes of the validation to show.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="The file.  [report.html, or the next that is free: report-2.html]",
)
@overwrite_option
@names_option
@fit_option
@validation_options
@network_options
def report(
    cfg: str,
    weights: str,
    pictures: tuple[str, ...],
    valid: str | None,
    worst: int,
    output: str | None,
    overwrite: bool,
    names: str | None,
    fit: str | None,
    labels: str,
    share: float | None,
    seed: int,
    network: NetworkOptions,
) -> None:
    """Write a network and its predictions into one HTML file.

    It has predictions, Grad-CAM and the strongest channels of a few layers for each picture, the
    first filters, the layer table with operations and, with --valid, the confusion matrix and the
    mistakes of which the network was surest. The file holds its pictures and needs no network and
    no script.

    \b
    Examples:
      darknet report cfg/tiny.cfg tiny.weights data/samples/airplane.png data/samples/ship.png
      darknet report net.cfg backup/net.weights photos/a.png --valid photos/ -o net.html
    """
    paths, refused = find_named(pictures)
    file = output_file(output, "report.html")
    net = open_network(cfg, find_file(weights), network)
    from darknet_py.atomic import write_text
    from darknet_py.errors import DarknetError, PictureError
    from darknet_py.tasks.classify import best_fit
    from darknet_py.tasks.pictures import load_picture
    from darknet_py.tasks.report import collect, render
    from darknet_py.tasks.validation import open_validation, validate

    fit = fit or best_fit(net)
    loaded = []
    for path in paths:
        try:
            loaded.append(load_picture(net, path, fit))
        except PictureError as error:
            complain(error)
            refused += 1
    if not loaded:
        raise DarknetError(f"{file}: not written: there is no picture to show")
    evaluation = None
    if valid:
        opened = open_validation(valid, net, names, labels, share, seed)
        say_validation(opened)
        evaluation = validate(net, opened, worst=worst)
        say_left_out(evaluation)
    own = names or (evaluation.names if evaluation else None)
    known = class_names(net, own)
    page = render(collect(net, weights, loaded, known, evaluation))
    write_text(file, page)
    say_line(f"{file}: {counted(len(loaded), 'picture')}, {file.stat().st_size:,} bytes")
    if refused:
        click.get_current_context().exit(1)
