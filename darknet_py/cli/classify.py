"""darknet classify"""

from __future__ import annotations

import click

from darknet_py.cli.command import Command
from darknet_py.cli.options import NetworkOptions, find_file, network_options, open_network
from darknet_py.cli.order import split_network
from darknet_py.cli.predictions import (
    class_names,
    find_or_ask,
    prediction_options,
    print_predictions,
)
from darknet_py.resources import EMBEDDED


@click.command(cls=Command)
@click.argument("arguments", nargs=-1, metavar="[CFG WEIGHTS] [PICTURE]...")
@prediction_options
@network_options
def classify(
    arguments: tuple[str, ...],
    top: int | None,
    names: str | None,
    fit: str | None,
    batch: int | None,
    form: str | None,
    network: NetworkOptions,
) -> None:
    """Classify pictures.

    Without CFG and WEIGHTS, a network that is installed classifies them. It knows the ten classes
    of CIFAR-10: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck. Without any
    argument, it classifies a picture that is installed, too. (CFG is what ends in .cfg.)

    PICTURE is a file, a folder, which is searched at any depth, a pattern, or - for a list on
    standard input. With CFG WEIGHTS alone, paths are asked for on a terminal. Class names are read
    from NAME.names beside NAME.cfg or the weights; a network with 1000 outputs has ImageNet's. A
    network with one sigmoid output p has two classes, with probabilities 1 - p and p. Pictures that
    cannot be read and answers that are not numbers (NaN) are reported, and the others go on; the
    exit code is then 1.

    \b
    Examples:
      darknet classify
      darknet classify photos/
      darknet classify cfg/tiny.cfg tiny.weights data/samples/airplane.png
      darknet classify --top 1 --csv cfg/tiny.cfg tiny.weights photos/ > classes.csv
      find . -name '*.png' | darknet classify -q cfg/tiny.cfg tiny.weights -
    """
    named = split_network(arguments)
    if named:
        cfg, weights, pictures = named
    else:
        cfg, weights = EMBEDDED.cfg, EMBEDDED.weights
        names = names or EMBEDDED.names
        pictures = list(arguments) or [EMBEDDED.sample]
    found = find_or_ask(pictures)
    net = open_network(cfg, find_file(weights), network)
    known = class_names(net, names)
    print_predictions(net, found, known, top or 5, fit, batch, form, network.quiet)
