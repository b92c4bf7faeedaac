"""darknet detect, and darknet detector test, which has the names of a .data file"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darknet_py.cli.command import Command, Group
from darknet_py.cli.detections import (
    DetectOptions,
    Outputs,
    detection_options,
    print_detections,
)
from darknet_py.cli.options import NetworkOptions, find_file, network_options, open_network
from darknet_py.cli.order import kind_of, split_network
from darknet_py.cli.predictions import find_or_ask

if TYPE_CHECKING:
    from darknet_py.cfg.data_file import DataFile
    from darknet_py.network import Network

_NONE = (
    "Which network? CFG WEIGHTS come first, as in `darknet detect yolov3-tiny.cfg "
    "yolov3-tiny.weights photo.jpg`: darknet's authors publish both at pjreddie.com/darknet/yolo "
    "and github.com/AlexeyAB/darknet; `darknet weights list` has what can be fetched."
)
_NMS, _NMS_OF_VECTORS = 0.45, 0.4
"""Of `detector test`, and of `yolo test`, which alone runs [detection] in the C program."""


@click.command(cls=Command)
@click.argument("arguments", nargs=-1, metavar="CFG WEIGHTS [PICTURE]...")
@detection_options
@network_options
def detect(
    arguments: tuple[str, ...],
    options: DetectOptions,
    names: str | None,
    network: NetworkOptions,
) -> None:
    """Find things in pictures, and draw boxes around them.

    CFG and WEIGHTS are those of a detector, with [yolo], [region], [detection] or [Gaussian_yolo]
    layers, of pjreddie's, AlexeyAB's or hank-ai's program: whose rules hold (batch norm's epsilon,
    pictures whole on grey or stretched, the layout of [region]) is told by the cfg and the weights,
    or by --rules.

    PICTURE is a file, a folder, which is searched at any depth, a pattern, or - for a list on
    standard input. With CFG WEIGHTS alone, paths are asked for on a terminal. One picture alone is
    drawn with its boxes into predictions.png, or with a number where that is there. Names are read
    from NAME.names beside NAME.cfg or the weights; 80 classes are COCO's, 20 Pascal VOC's.

    --coco writes image_id (the last number in a picture's name, where all have one and no two the
    same, else its place), category_id (COCO's of 80 classes, else from 1), bbox and score.

    \b
    Examples:
      darknet detect yolov3-tiny.cfg yolov3-tiny.weights photo.jpg
      darknet detect yolov4.cfg yolov4.weights photos/ -thresh .4 -out found/
      darknet detect yolov4.cfg yolov4.weights photos/ --json > found.json
      darknet detector test cfg/coco.data yolov3.cfg yolov3.weights photo.jpg -ext_output
    """
    if not arguments:
        raise click.UsageError(_NONE)
    named = split_network(arguments)
    if named is None:
        raise click.UsageError(f"{arguments[0]!r} is no cfg. {_NONE}")
    cfg, weights, pictures = named
    run(cfg, weights, pictures, None, names, options, network)


@click.group(cls=Group, others={
    "demo": " shows video, and what it finds there: detect takes a video for a picture",
    **dict.fromkeys(("calc_anchors", "map", "recall", "train", "valid"), " is not here yet"),
})  # fmt: skip
def detector() -> None:
    """Find things with a .data file, as the C program does.

    \b
    Example:
      darknet detector test cfg/coco.data yolov3.cfg yolov3.weights photo.jpg
    """


@detector.command()
@click.argument("arguments", nargs=-1, required=True, metavar="DATA CFG WEIGHTS [PICTURE]...")
@detection_options
@network_options
def test(
    arguments: tuple[str, ...],
    options: DetectOptions,
    names: str | None,
    network: NetworkOptions,
) -> None:
    """Find things in pictures, with the names of a .data file.

    Otherwise as `darknet detect`. DATA may be left out.

    \b
    Example:
      darknet detector test cfg/coco.data yolov3.cfg yolov3.weights photo.jpg
    """
    from darknet_py.cfg.data_file import read_data

    described = None
    if kind_of(arguments[0]) != "a cfg":
        described = read_data(find_file(arguments[0]))
        arguments = arguments[1:]
    named = split_network(arguments)
    if named is None:
        raise click.UsageError("Missing arguments 'CFG WEIGHTS'.")
    cfg, weights, pictures = named
    run(cfg, weights, pictures, described, names, options, network)


def run(
    cfg: str,
    weights: str,
    pictures: Sequence[str],
    described: DataFile | None,
    names: str | None,
    options: DetectOptions,
    network: NetworkOptions,
) -> None:
    """All that both commands do."""
    found, refused = find_or_ask(pictures)
    count = len(found) if isinstance(found, list) else None
    outputs = Outputs(options, count, network.quiet)
    net = open_network(cfg, find_file(weights), network)
    from darknet_py.network.boxes import last_head

    head = last_head(net)
    known = _names(net, head.classes, described, names)
    nms = _NMS_OF_VECTORS if head.of_picture else _NMS
    listed: tuple[Iterable[Path], int | None, int] = (found, count, refused)
    print_detections(net, listed, known, options, nms, network.quiet, outputs)


def _names(
    net: Network, classes: int, described: DataFile | None, names: str | None
) -> Sequence[str]:
    from darknet_py.tasks.names import choose_names, names_of_data

    if names is None and described is not None:
        return names_of_data(described, classes, net)
    return choose_names(names, classes, net)
