"""darknet classifier valid"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darknet_py.cli.console import say_line
from darknet_py.cli.options import Chosen, network_options, open_network
from darknet_py.cli.outputs import PICTURES, check_output
from darknet_py.cli.train import data_options
from darknet_py.text import as_json, counted

if TYPE_CHECKING:
    from darknet_py.tasks.valid import Evaluation


@click.command()
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
@click.option("--csv", "table", type=click.Path(dir_okay=False), help="Write the confusion matrix.")
@click.option(
    "--png", "picture", type=click.Path(dir_okay=False), help="Draw the confusion matrix."
)
@click.option("--json", "is_json", is_flag=True, help="Everything as one JSON object.")
@data_options
@network_options
def valid(
    data: str,
    cfg: str,
    weights: str,
    top: int | None,
    views: str,
    batch: int,
    table: str | None,
    picture: str | None,
    is_json: bool,
    labels: str,
    share: float,
    seed: int,
    chosen: Chosen,
) -> None:
    """Say how well a network knows the pictures to validate with.

    DATA is what was trained on, or a list val.txt alone; --share and --seed must be those of the
    training. Pictures are seen as `classify --fit crop` sees them.

    \b
    Examples:
      darknet classifier valid cfg/imagenet1k.data cfg/tiny.cfg tiny.weights
      darknet classifier valid photos/ net.cfg backup/net.weights --png confusion.png
    """
    if table:
        check_output(Path(table))
    if picture:
        check_output(Path(picture), PICTURES)
    net = open_network(cfg, weights, chosen)
    from darknet_py.tasks.data import open_data
    from darknet_py.tasks.targets import check_outputs
    from darknet_py.tasks.valid import evaluate

    opened = open_data(data, labels, share, seed)
    check_outputs(net, len(opened.names))
    found = evaluate(net, opened.validation(), top or opened.top, int(views), batch)
    if is_json:
        click.echo(as_json(_document(found)))
    else:
        _print(found)
    if table:
        _write_table(Path(table), found)
    if picture:
        from darknet_py.images import draw_confusion, save_image

        save_image(draw_confusion(found.confusion, found.names), picture)


def _print(found: Evaluation) -> None:
    width = max(5, *map(len, found.names))
    click.echo(f"{'class':<{width}}  pictures   right  share")
    for index, name in enumerate(found.names):
        count, right = int(found.confusion[index].sum()), int(found.confusion[index, index])
        share = f"{right / count:6.1%}" if count else "     -"
        say_line(f"{name:<{width}}  {count:8d}{right:8d} {share}")
    click.echo(
        f"{counted(found.pictures, 'picture')}: top-1 {found.top1:.4f}, "
        f"top-{found.top} {found.topk:.4f}, loss {found.loss:.4f}"
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
    }


def _write_table(path: Path, found: Evaluation) -> None:
    """Rows are true classes, columns guesses."""
    from darknet_py.atomic import write_text

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["true \\ guessed", *found.names])
    for name, row in zip(found.names, found.confusion.tolist(), strict=True):
        writer.writerow([name, *row])
    write_text(path, text.getvalue())
