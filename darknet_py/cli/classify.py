"""darknet classify"""

from __future__ import annotations

import click

from darknet_py.cli.options import find_file, network_options, open_network
from darknet_py.cli.predictions import check_pictures, prediction_options, print_predictions

EMBEDDED = ("cfg/mnist.cfg", "data/mnist.weights", ("data/digits/3.png",))
"""A network that comes with the program, and a picture for it."""


@click.command()
@click.argument("cfg", required=False)
@click.argument("weights", required=False)
@click.argument("pictures", nargs=-1, metavar="[PICTURE]...")
@prediction_options
@network_options
def classify(
    cfg: str | None,
    weights: str | None,
    pictures: tuple[str, ...],
    top: int | None,
    names: str | None,
    fit: str | None,
    batch: int,
    form: str | None,
    device: str,
    threads: int | None,
    strict: bool,
    quiet: bool,
) -> None:
    """Say what is in pictures.

    Without anything, the network that comes with the program reads a digit that does, too.

    PICTURE is a file, a folder, a pattern, or - for a list on standard input. Without one, asks
    for paths on a terminal. A network with 1000 outputs gets ImageNet's names, any other numbers,
    unless --names says. A picture that cannot be read is reported and the others go on; the exit
    code is then 1.

    \b
    Examples:
      darknet classify
      darknet classify cfg/tiny.cfg tiny.weights data/dog.jpg
      darknet classify --top 1 --csv cfg/tiny.cfg tiny.weights photos/ > classes.csv
      find . -name '*.png' | darknet classify -q cfg/tiny.cfg tiny.weights -
    """
    if cfg is None:
        cfg, weights, pictures = EMBEDDED
    if weights is None:
        raise click.UsageError("Missing argument 'WEIGHTS'.")
    check_pictures(pictures)
    net = open_network(cfg, find_file(weights), device, threads, strict, quiet)
    from darknet_py.tasks.names import choose_names

    print_predictions(net, pictures, choose_names(names, net.outputs), top or 5, fit, batch, form)
