"""darknet classifier valid"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.command import Command
from darknet_py.cli.console import say_json, say_line
from darknet_py.cli.files import DRAWINGS, check_output
from darknet_py.cli.options import (
    FiniteRange,
    NetworkOptions,
    network_options,
    open_network,
    overwrite_option,
)
from darknet_py.cli.predictions import names_option
from darknet_py.cli.train import labels_option
from darknet_py.text import counted, csv_row, one_line

if TYPE_CHECKING:
    import numpy as np

    from darknet_py.tasks.valid import Evaluation
    from darknet_py.tasks.validation import Validation


def validation_options(command: Any) -> Any:
    """--labels, --share and --seed, where a network is held to pictures."""
    for option in reversed(
        (
            labels_option,
            click.option(
                "--share",
                type=FiniteRange(0, 0.9, min_open=True),
                metavar="SHARE",
                help="Of a folder or list without a part to validate with: only what a training "
                "with this --share and --seed sets aside.  [default: all of it]",
            ),
            click.option(
                "--seed",
                type=click.IntRange(min=0),
                metavar="N",
                default=0,
                show_default=True,
                help="See --share.",
            ),
        )
    ):
        command = option(command)
    return command


def say_validation(opened: Validation) -> None:
    """On stderr: what is evaluated, and what was guessed."""
    for note in opened.notes:
        say_line(note, err=True)


def say_left_out(found: Evaluation) -> None:
    """On stderr: the pictures that could not be read."""
    for error in found.refused:
        say_line(f"left out: {error}", err=True)


@click.command(cls=Command)
@click.argument("data")
@click.argument("cfg")
@click.argument("weights")
@click.option(
    "-t", "--top", type=click.IntRange(min=1), metavar="N", help="First guesses that count."
)
@click.option(
    "--views",
    type=click.Choice(["1", "10"]),
    default="1",
    show_default=True,
    help="The middle of a picture, or corners and middle, mirrored too.",
)
@click.option(
    "--batch",
    type=click.IntRange(min=1),
    default=64,
    show_default=True,
    metavar="N",
    help="Pictures to compute together.",
)
@click.option(
    "--confusion",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the confusion matrix: numbers to .csv, a picture to .png, .jpg or .svg (of more "
    "than 100 classes the worst pairs); may be given several times.",
)
@overwrite_option
@click.option("--json", "is_json", is_flag=True, help="Everything as one JSON object.")
@names_option
@validation_options
@network_options
def valid(
    data: str,
    cfg: str,
    weights: str,
    top: int | None,
    views: str,
    batch: int,
    confusion: tuple[Path, ...],
    overwrite: bool,
    is_json: bool,
    names: str | None,
    labels: str,
    share: float | None,
    seed: int,
    network: NetworkOptions,
) -> None:
    """Measure the accuracy of a network on labelled pictures.

    DATA is a folder with one folder of pictures per class, of which all are evaluated; a folder
    with a part to validate with (valid/, val/, validation/ or test/), of which that part is; a
    .data file, of which valid= is; or a list. A line on stderr names what was evaluated. Classes
    are matched by name with the network's: those in NAME.names beside NAME.cfg or the weights, or
    in --names FILE. Pictures are fitted as by `classify --fit crop`; those that cannot be read are
    named and left out.

    \b
    Examples:
      darknet classifier valid cfg/imagenet1k.data cfg/tiny.cfg tiny.weights
      darknet classifier valid photos/ net.cfg backup/net.weights --confusion confusion.png
      darknet classifier valid photos/test net.cfg backup/net.weights --names net.names
    """
    for file in confusion:
        is_pipe = os.path.exists(file) and not os.path.isfile(file)
        check_output(file, () if is_pipe else (".csv", *DRAWINGS))
    net = open_network(cfg, weights, network)
    from darknet_py.tasks.validation import open_validation, validate

    opened = open_validation(data, net, names, labels, share, seed)
    say_validation(opened)
    found = validate(net, opened, top, int(views), batch)
    say_left_out(found)
    if is_json:
        say_json(_document(found))
    else:
        _print(found)
    for file in confusion:
        if file.suffix.lower() not in DRAWINGS:
            _write_table(file, found)
        else:
            from darknet_py.images.draw.canvas import save_drawing
            from darknet_py.images.draw.confusion import draw_confusion

            save_drawing(draw_confusion(found.confusion, found.names), file)


def _print(found: Evaluation) -> None:
    counts = found.confusion.sum(axis=1).tolist()
    rows = [(one_line(name), k) for k, name in enumerate(found.names) if counts[k]]
    width = max(5, *(len(name) for name, _ in rows))
    say_line(f"{'class':<{width}}  pictures   right  precision  recall      F1")
    for name, index in rows:
        figures = (found.precision[index], found.recall[index], found.f1[index])
        precision, recall, f1 = ("-" if math.isnan(each) else f"{each:.1%}" for each in figures)
        right = int(found.confusion[index, index])
        say_line(
            f"{name:<{width}}  {counts[index]:8d}{right:8d}  {precision:>9}  {recall:>6}  {f1:>6}"
        )
    empty = len(counts) - len(rows)
    if empty:
        say_line(f"{counted(empty, 'class', 'classes')} without pictures")
    top = f"top-{found.top} {found.topk:.4f}, " if found.top_says_more else ""
    say_line(
        f"{counted(found.pictures, 'picture')}: top-1 {found.top1:.4f}, {top}loss {found.loss:.4f}"
    )


def _document(found: Evaluation) -> dict[str, object]:
    return {
        "pictures": found.pictures,
        "top1": found.top1,
        "top": found.top,
        "topk": found.topk,
        "loss": found.loss,
        "classes": list(found.names),
        "confusion": found.confusion.tolist(),
        **{name: _numbers(getattr(found, name)) for name in ("precision", "recall", "f1")},
    }


def _numbers(values: np.ndarray) -> list[float | None]:
    """null, in JSON, for what is not defined."""
    return [None if math.isnan(value) else value for value in values.tolist()]


def _write_table(path: Path, found: Evaluation) -> None:
    """Rows are true classes, columns guesses."""
    from darknet_py.atomic import write_text

    rows = zip(found.names, found.confusion.tolist(), strict=True)
    table = [["true \\ guessed", *found.names], *([name, *row] for name, row in rows)]
    write_text(path, "".join(map(csv_row, table)))
