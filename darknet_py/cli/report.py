"""darknet report"""

from __future__ import annotations

from pathlib import Path

import click

from darknet_py.cli.options import Chosen, find_file, network_options, open_network
from darknet_py.cli.predictions import check_pictures, find_named, fit_option, names_option
from darknet_py.cli.valid import say_left_out, say_validation, validation_options


@click.command()
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
@click.option("-o", "--output", default="report.html", show_default=True, help="The file.")
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
    output: str,
    names: str | None,
    fit: str | None,
    labels: str,
    share: float | None,
    seed: int,
    chosen: Chosen,
) -> None:
    """Write all that can be seen of a network and some pictures into one HTML file.

    It has predictions, Grad-CAM and the strongest channels of a few layers for each picture, the
    first filters, the layer table with operations and, with --valid, the confusion matrix and the
    mistakes of which the network was surest. The file holds its pictures and needs no network and
    no script.

    \b
    Examples:
      darknet report cfg/tiny.cfg tiny.weights dog.jpg eagle.jpg
      darknet report net.cfg backup/net.weights photos/a.png --valid photos/ -o net.html
    """
    check_pictures(pictures)
    net = open_network(cfg, find_file(weights), chosen)
    from darknet_py.atomic import write_text
    from darknet_py.tasks.classify import best_fit
    from darknet_py.tasks.names import choose_names
    from darknet_py.tasks.pictures import load_picture
    from darknet_py.tasks.report import collect, render
    from darknet_py.tasks.validation import open_validation, validate

    fit = fit or best_fit(net)
    loaded = [load_picture(net, path, fit) for path in find_named(pictures)]
    evaluation = None
    if valid:
        opened = open_validation(valid, net, names, labels, share, seed)
        say_validation(opened)
        evaluation = validate(net, opened, worst=worst)
        say_left_out(evaluation)
    own = names or (evaluation.names if evaluation else None)
    known = choose_names(own, net.outputs, net.path)
    page = render(collect(net, weights, loaded, known, evaluation))
    write_text(output, page)
    click.echo(f"{output}: {len(loaded)} pictures, {Path(output).stat().st_size:,} bytes")
