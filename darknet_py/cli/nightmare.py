"""darknet nightmare"""

from __future__ import annotations

import click

from darknet_py.cli.dream_options import Asked, dream_options
from darknet_py.cli.options import Chosen, network_options


@click.command(context_settings={"show_default": True})
@click.argument("arguments", nargs=-1, metavar="[CFG WEIGHTS] [PICTURE] [LAYER]")
@dream_options
@network_options
def nightmare(arguments: tuple[str, ...], asked: Asked, chosen: Chosen) -> None:
    """Dream: make a picture more of what a network sees in it.

    Each of -iters steps looks at the picture through LAYER, a little moved, mirrored or smaller,
    and makes what stands out stronger. Early layers see edges and patterns, later ones parts of
    things. Each round is written as PICTURE_CFG_LAYER_ROUND.png, zoomed and turned for the next.

    CFG is what ends in .cfg; without it, the network that comes with the program dreams, and
    without PICTURE on clouds. Only layers up to the last that is needed are loaded.

    Every PNG carries its recipe: --replay makes it again, byte for byte on the same device.

    \b
    Examples:
      darknet nightmare
      darknet nightmare cfg/tiny.cfg tiny.weights scream.jpg 13 -range 3 -iters 20 -rate .01
      darknet nightmare cfg/tiny.cfg tiny.weights dog.jpg 11 -rounds 30 -zoom .98 --gif dog.gif
      darknet nightmare cfg/tiny.cfg tiny.weights --from noise --class malamute --laplacian 4
      darknet nightmare --sheet photo.jpg
    """
    from darknet_py.cli.dream_replay import replay
    from darknet_py.cli.dreaming import dream

    if asked.replay:
        if arguments:
            raise click.UsageError("--replay takes all else from the picture: leave it out.")
        replay(asked, chosen)
    else:
        dream(arguments, asked, chosen)
