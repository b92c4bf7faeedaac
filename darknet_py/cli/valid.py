"""darknet classifier valid"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darknet_py.cli.options import Chosen, network_options, open_network
from darknet_py.cli.train import data_options

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
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
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
    as_json: bool,
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
    net = open_network(cfg, weights, chosen)
    from darknet_py.tasks.data import open_data
    from darknet_py.tasks.targets import check_outputs
    from darknet_py.tasks.valid import evaluate

    opened = open_data(data, labels, share, seed)
    check_outputs(net, len(opened.names))
    found = evaluate(net, opened.validation(), top or opened.top, int(views), batch)
    if as_json:
        click.echo(json.dumps(_document(found)))
    else:
        _print(found)
    if table:
        _write_table(Path(table), found)
    if picture:
        from darknet_py.images import draw_confusion, save_drawing

        save_drawing(draw_confusion(found.confusion, found.names), picture)


def _print(found: Evaluation) -> None:
    width = max(5, *map(len, found.names))
    click.echo(f"{'class':<{width}}  pictures   right  share")
    for index, name in enumerate(found.names):
        count, right = int(found.confusion[index].sum()), int(found.confusion[index, index])
        share = f"{right / count:6.1%}" if count else "     -"
        click.echo(f"{name:<{width}}  {count:8d}{right:8d} {share}")
    click.echo(
        f"{found.pictures} pictures: top-1 {found.top1:.4f}, top-{found.top} {found.topk:.4f}, "
        f"loss {found.loss:.4f}"
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
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["true \\ guessed", *found.names])
        for name, row in zip(found.names, found.confusion.tolist(), strict=True):
            writer.writerow([name, *row])
