"""darknet classifier: the commands that work with a `.data` file, as in the C program."""

from __future__ import annotations

import click

from darknet_py.cli.check import check
from darknet_py.cli.command import Group
from darknet_py.cli.options import NetworkOptions, find_file, network_options, open_network
from darknet_py.cli.predictions import (
    class_names,
    find_or_ask,
    prediction_options,
    print_predictions,
)
from darknet_py.cli.show import show
from darknet_py.cli.train import train
from darknet_py.cli.valid import valid


@click.group(cls=Group)
def classifier() -> None:
    """Train and validate with a .data file, as the C program does.

    \b
    Example:
      darknet classifier predict cfg/imagenet1k.data cfg/tiny.cfg tiny.weights photos/
    """


@classifier.command()
@click.argument("data")
@click.argument("cfg")
@click.argument("weights")
@click.argument("pictures", nargs=-1, metavar="[PICTURE]...")
@prediction_options
@network_options
def predict(
    data: str,
    cfg: str,
    weights: str,
    pictures: tuple[str, ...],
    top: int | None,
    names: str | None,
    fit: str | None,
    batch: int | None,
    form: str | None,
    network: NetworkOptions,
) -> None:
    """Say what is in pictures, with the names and the top of a .data file.

    Otherwise as `darknet classify`.

    \b
    Example:
      darknet classifier predict cfg/imagenet1k.data cfg/tiny.cfg tiny.weights photos/
    """
    found = find_or_ask(pictures)
    from darknet_py.cfg.data_file import read_data

    described = read_data(find_file(data))
    net = open_network(cfg, weights, network)
    from darknet_py.tasks.names import names_of_data
    from darknet_py.tasks.targets import class_count

    if names or described.names is None:
        known = class_names(net, names)
    else:
        known = names_of_data(described, class_count(net), net)
    print_predictions(net, found, known, top or described.top, fit, batch, form, network.quiet)


for command in (train, valid, check, show):
    classifier.add_command(command)
