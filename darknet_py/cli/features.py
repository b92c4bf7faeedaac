"""darknet features"""

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
from darknet_py.cli.predictions import find_named
from darknet_py.text import counted


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("weights")
@click.argument("pictures", nargs=-1, metavar="PICTURE...")
@click.option(
    "--layer",
    type=click.IntRange(min=0),
    metavar="N",
    help="What this layer says.  [what the last layer with weights reads]",
)
@click.option("--mean", is_flag=True, help="Of a map, the mean of each channel alone.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    help="The file.  [features.npz, or the next that is free: features-2.npz]",
)
@overwrite_option
@network_options
def features(
    cfg: str,
    weights: str,
    pictures: tuple[str, ...],
    layer: int | None,
    mean: bool,
    output: str | None,
    overwrite: bool,
    network: NetworkOptions,
) -> None:
    """Write the activations of a layer, for other programs.

    The file is a numpy archive: `features`, an array (n, c, h, w), or (n, c) for vectors and means;
    `paths` of the pictures in the same order; the `layer` and its `kind`. Pictures are cropped to
    the network's size. Without --layer, features are what `finetune` trains a new last layer on.

    \b
    Examples:
      darknet features cfg/tiny.cfg tiny.weights photos/ -o photos.npz
      darknet features cfg/tiny.cfg tiny.weights data/samples/airplane.png --layer 12 --mean
    """
    paths, refused = find_named(pictures)
    file = output_file(output, "features.npz")
    net = open_network(cfg, find_file(weights), network)
    from darknet_py.errors import DarknetError
    from darknet_py.tasks.classify import Refused
    from darknet_py.tasks.features.extract import extract, last_hidden, save_features

    if layer is None:
        layer, averaged = last_hidden(net)
        mean = mean or averaged
    extracted = []
    for found in extract(net, paths, layer, mean):
        if isinstance(found, Refused):
            complain(found.error)
            refused += 1
        else:
            extracted.append(found)
    if not extracted:
        raise DarknetError(f"{file}: not written: there is nothing of any picture")
    save_features(file, extracted, net, layer)
    count, shape = sum(len(each.paths) for each in extracted), extracted[0].features.shape[1:]
    size = " x ".join(map(str, shape))
    numbers = "1 number" if shape == (1,) else f"{size} numbers"
    say_line(f"{file}: {counted(count, 'picture')}, layer {layer}, {numbers} each")
    if refused:
        click.get_current_context().exit(1)
