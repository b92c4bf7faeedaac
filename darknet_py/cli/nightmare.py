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
    """Dream: make a picture more of what a network sees in it.

    Without LAYER, a preset says what grows and how, for any network and a picture of any size:

    \b
      --preset creatures  heads and bodies of what the network knows (the usual one)
      --preset eyes       eyes, fur and feathers; much of the picture stays
      --preset ornament   strong patterns all over (--sheet takes it)
      --preset class      one class: --class NAME takes it
      --preset zoom       a way into the picture: for --webp or --gif

    Options that are given win over it. With LAYER all is as on the nightmare page: each of -iters
    steps looks at the picture through LAYER, a little moved, mirrored or smaller, and makes what
    stands out stronger. Early layers see edges and patterns, later ones parts of things. Each round
    is written as PICTURE_CFG_LAYER_ROUND.png, zoomed and turned for the next.

    CFG is what ends in .cfg; without it, the network that comes with the program dreams, and
    without PICTURE on clouds. Only layers up to the last that is needed are loaded.

    Every PNG carries its recipe: --replay makes it again, byte for byte on the same device. The
    files that it was made with are known by their digests, and looked for beside it and in cfg/;
    others are named as arguments. A recipe that was not made here asks before, or needs --trust.

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
