"""darknet features"""

from __future__ import annotations

import click

from darknet_py.cli.options import Chosen, find_file, network_options, open_network
from darknet_py.cli.predictions import check_pictures, find_named


@click.command()
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
    default="features.npz",
    show_default=True,
    help="The file.",
)
@network_options
def features(
    cfg: str,
    weights: str,
    pictures: tuple[str, ...],
    layer: int | None,
    mean: bool,
    output: str,
    chosen: Chosen,
) -> None:
    """Write what a layer says of pictures, for other programs.

    The file is a numpy archive: `features`, an array (n, c, h, w), or (n, c) for vectors and means;
    `paths` of the pictures in the same order; the `layer` and its `kind`. Pictures are cropped to
    the network's size. Without --layer, features are what `finetune` trains a new last layer on.

    \b
    Examples:
      darknet features cfg/tiny.cfg tiny.weights photos/ -o photos.npz
      darknet features cfg/tiny.cfg tiny.weights dog.jpg --layer 12 --mean
    """
    check_pictures(pictures)
    net = open_network(cfg, find_file(weights), chosen)
    from darknet_py.errors import DarknetError
    from darknet_py.tasks.classify import Refused
    from darknet_py.tasks.features.extract import extract, last_hidden, save_features

    if layer is None:
        layer, averaged = last_hidden(net)
        mean = mean or averaged
    extracted, refused = [], 0
    for found in extract(net, find_named(pictures), layer, mean):
        if isinstance(found, Refused):
            click.echo(f"darknet: {found.error}", err=True)
            refused += 1
        else:
            extracted.append(found)
    if not extracted:
        raise DarknetError(f"{output}: not written: no picture could be read")
    save_features(output, extracted, net, layer)
    count, shape = sum(len(each.paths) for each in extracted), extracted[0].features.shape[1:]
    size = " x ".join(map(str, shape))
    click.echo(f"{output}: {count} pictures, layer {layer}, {size} numbers each")
    if refused:
        click.get_current_context().exit(1)
