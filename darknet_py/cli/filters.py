"""darknet filters"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line
from darknet_py.cli.files import PICTURES, output_file
from darknet_py.cli.options import (
    NetworkOptions,
    find_file,
    network_options,
    open_network,
    overwrite_option,
)
from darknet_py.text import counted

if TYPE_CHECKING:
    from darknet_py.network import Network

_FIRST = 16
"""Channels that are shown where none are named."""
_CELL = 128
"""Pixels of a picture on the sheet, at least."""


@click.command(cls=Command)
@click.argument("cfg")
@click.argument("weights")
@click.option(
    "--layer",
    type=click.IntRange(min=0),
    metavar="N",
    help="Draw pictures that maximize channels of this layer.  [the first convolution's weights]",
)
@click.option(
    "--channel",
    "channels",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="K",
    help="This channel; may be given several times.  [the first 16]",
)
@click.option(
    "-iters",
    "--iters",
    "steps",
    type=click.IntRange(min=1),
    default=96,
    show_default=True,
    metavar="N",
    help="Steps of the gradient ascent.",
)
@click.option(
    "--size",
    type=click.IntRange(min=1),
    metavar="PIXELS",
    help="Of the pictures.  [128, or the network's own if less, or if it takes no other]",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Of the noise at the start.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Where to draw them.  [filters.png, or the next that is free: filters-2.png]",
)
@overwrite_option
@network_options
def filters(
    cfg: str,
    weights: str,
    layer: int | None,
    channels: tuple[int, ...],
    steps: int,
    size: int | None,
    seed: int,
    output: str | None,
    overwrite: bool,
    network: NetworkOptions,
) -> None:
    """Draw the filters of a network.

    Without --layer the weights of the first convolution, as the C program's `visualize` shows
    them: each from its least value to its largest. With --layer, for any layer, the pictures that
    its channels answer most, found from noise by gradient ascent; below each its channel and the
    mean of its activations for the noise and for the picture.

    \b
    Examples:
      darknet filters cfg/tiny.cfg tiny.weights
      darknet filters cfg/tiny.cfg tiny.weights --layer 7 -o wants.png
      darknet filters cfg/tiny.cfg tiny.weights --layer 19 --channel 14 -iters 256 --size 224
    """
    if layer is None and (channels or size):
        raise click.UsageError("--channel and --size go with --layer.")
    file = output_file(output, "filters.png", PICTURES)
    net = open_network(cfg, find_file(weights), network)
    if layer is None:
        _draw_weights(net, file)
    else:
        _draw_ascent(net, layer, channels, size, steps, seed, file)


def _draw_weights(net: Network, output: Path) -> None:
    from darknet_py.images import save_image
    from darknet_py.images.draw.sheet import draw_sheet
    from darknet_py.tasks.filters import first_filters

    found = first_filters(net)
    pictures = found.pictures()
    title = f"Layer {found.layer} [convolutional]: weights of {counted(len(pictures), 'filter')}"
    save_image(draw_sheet(pictures, [str(k) for k in range(len(pictures))], title=title), output)
    say_line(f"{output}: {title}")


def _draw_ascent(
    net: Network,
    layer: int,
    channels: tuple[int, ...],
    size: int | None,
    steps: int,
    seed: int,
    output: Path,
) -> None:
    from darknet_py.images import save_image
    from darknet_py.images.draw.sheet import draw_sheet
    from darknet_py.tasks.filters import check_channels, maximize_activation

    check_channels(net, layer, channels)
    shown = channels or tuple(range(min(_FIRST, net.layers[layer].out_shape.c)))
    found = maximize_activation(net, layer, shown, size, steps, seed)
    captions = []
    for channel, before, after in zip(shown, found.before, found.after, strict=True):
        captions.append(f"{channel}: {before:.3g} to {after:.3g}")
        say_line(
            f"channel {channel}: {before:f} for noise, {after:f} after {counted(steps, 'step')}"
        )
    kind = f"[{net.layers[layer].kind}]"
    title = f"Layer {layer} {kind}: pictures that maximize {counted(len(shown), 'channel')}"
    pictures = list(found.pictures.transpose(0, 2, 3, 1))
    cell = min(max(_CELL, *found.pictures.shape[2:]), 2 * _CELL)
    save_image(draw_sheet(pictures, captions, cell=cell, title=title), output)
    say_line(f"{output}: {title}")
