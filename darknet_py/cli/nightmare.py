"""darknet nightmare"""

from __future__ import annotations

import click

from darknet_py.cli.command import Command
from darknet_py.cli.options import NetworkOptions, network_options, options_of
from darknet_py.tasks.dream.options import DreamOptions


@click.command(cls=Command, context_settings={"show_default": True})
@click.argument("arguments", nargs=-1, metavar="[CFG WEIGHTS] [PICTURE] [LAYER]")
@options_of("flags", DreamOptions)
@network_options
def nightmare(arguments: tuple[str, ...], flags: DreamOptions, network: NetworkOptions) -> None:
    """Dream: amplify in a picture what a network finds in it.

    Without LAYER, a preset chooses layers, scales and strength for any network and any picture:

    \b
      --preset creatures  heads and bodies of what the network knows (the default)
      --preset eyes       eyes, fur and feathers; much of the picture stays
      --preset ornament   strong patterns all over (the default of --sheet)
      --preset class      one class: implied by --class NAME
      --preset zoom       a way into the picture: for --webp or --gif

    Other options override the preset. With LAYER the defaults are those of the nightmare page: each
    of -iters steps moves, mirrors or shrinks the picture a little, and amplifies the activations of
    LAYER that stand out. Early layers respond to edges and patterns, later ones to parts of things.
    Each round is written as PICTURE_CFG_LAYER_ROUND.png, zoomed and rotated for the next.

    CFG is what ends in .cfg; without it, the network that is installed dreams, and without PICTURE
    on clouds. Only layers up to the last that is needed are loaded.

    Every PNG holds its recipe: --replay makes it again, byte for byte on the same device. The files
    that it was made from are found by their digests beside it and in cfg/; others are named as
    arguments. A recipe that was not made here is run only after a question, or with --trust.

    \b
    Examples:
      darknet nightmare
      darknet nightmare photo.jpg --preset ornament
      darknet nightmare cfg/tiny.cfg tiny.weights dog.jpg --class malamute
      darknet nightmare cfg/tiny.cfg tiny.weights dog.jpg --preset zoom --webp dog.webp --fps 12
      darknet nightmare cfg/tiny.cfg tiny.weights scream.jpg 13 -range 3 -iters 20 -rate .01
      darknet nightmare --sheet photo.jpg
      darknet nightmare --replay dream.png
    """
    from darknet_py.cli.dream_replay import replay
    from darknet_py.cli.dreaming import dream

    if flags.replay is not None:
        replay(arguments, flags, network)
    elif flags.trust:
        raise click.UsageError("--trust goes with --replay.")
    else:
        dream(arguments, flags, network)
