"""darknet activations"""

from __future__ import annotations

from pathlib import Path

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_json, say_line
from darknet_py.cli.files import check_output_folder, free_path
from darknet_py.cli.options import NetworkOptions, find_file, network_options, open_network
from darknet_py.cli.predictions import fit_option


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("weights")
@click.argument("picture")
@click.option(
    "--layer",
    "layers",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="N",
    help="This layer; may be given several times.  [the last of each size of map]",
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    metavar="K",
    help="The K channels with the largest means alone.  [all]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    default="activations",
    show_default=True,
    help="Folder for the pictures.",
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object a layer: means of channels.")
@fit_option
@network_options
def activations(
    cfg: str,
    weights: str,
    picture: str,
    layers: tuple[int, ...],
    top: int | None,
    output: str,
    is_json: bool,
    fit: str | None,
    network: NetworkOptions,
) -> None:
    """Draw the activations of layers for a picture.

    Each layer becomes a sheet, PICTURE_layerN.png: every channel's map with its number and its
    mean, all in one scale of colours from black (0) to a pale yellow (the largest values). Where
    such a file is there, the next gets a number.

    \b
    Examples:
      darknet activations cfg/tiny.cfg tiny.weights data/samples/airplane.png
      darknet activations cfg/tiny.cfg tiny.weights data/samples/ship.png --layer 12 --top 24
    """
    check_output_folder(Path(output))
    net = open_network(cfg, find_file(weights), network)
    from darknet_py.atomic import make_folder
    from darknet_py.errors import ShapeError
    from darknet_py.images import save_image
    from darknet_py.tasks.activations import draw_layer, layer_activations
    from darknet_py.tasks.classify import best_fit
    from darknet_py.tasks.pictures import load_picture

    loaded = load_picture(net, find_file(picture), fit or best_fit(net))
    seen = layer_activations(net, loaded.x, layers, top, name=picture)
    if not seen:
        raise ShapeError(f"{net.path}: has no map but those of its classes: say which by --layer N")
    folder = make_folder(output)
    for found in seen:
        path = free_path(folder / f"{Path(picture).stem}_layer{found.layer}.png")
        save_image(draw_layer(found), path)
        if is_json:
            document = {
                "path": str(path),
                "layer": found.layer,
                "kind": found.kind,
                "channels": found.channels.tolist(),
                "means": [float(f"{mean:.6g}") for mean in found.strengths],
                "low": found.low,
                "high": found.high,
            }
            say_json(document)
        else:
            say_line(f"{path}: {found.title}")
