"""Classification on the command line: pictures found, results printed in one of three forms."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from darknet_py.cli.console import complain, say_json, say_line, say_rows
from darknet_py.cli.progress import Progress
from darknet_py.resources import find_resource
from darknet_py.text import counted

if TYPE_CHECKING:
    from darknet_py.errors import DarknetError
    from darknet_py.network import Network
    from darknet_py.tasks.classify import Classified

F = TypeVar("F", bound=Callable[..., Any])
Printer = Callable[["Classified"], None]


names_option = click.option("--names", metavar="FILE", help="Names of the classes, one a line.")
fit_option = click.option(
    "--fit",
    type=click.Choice(["min", "letterbox", "crop"]),
    help="How a picture is made to fit: its shorter side, and the network grows to the rest (min); "
    "whole, on grey (letterbox); its middle (crop).  "
    "[default: min, or crop where the network cannot grow]",
)


def prediction_options(command: F) -> F:
    """-t, --names, --fit, --batch, --json and --csv."""
    for option in reversed(
        (
            click.option(
                "-t",
                "--top",
                type=click.IntRange(min=1),
                metavar="N",
                help="How many classes to print.",
            ),
            names_option,
            fit_option,
            click.option(
                "--batch",
                type=click.IntRange(min=1),
                metavar="N",
                help="Neighbours of one size to compute together.  [8; on a GPU 32]",
            ),
            click.option("--json", "form", flag_value="json", help="One JSON object a picture."),
            click.option(
                "--csv",
                "form",
                flag_value="csv",
                help="One line a class, with a head; ' begins a name that a spreadsheet would "
                "compute, as in '=1.",
            ),
        )
    ):
        command = option(command)
    return command


def print_predictions(
    net: Network,
    found: tuple[list[Path] | Iterator[Path], int],
    names: Sequence[str],
    top: int,
    fit: str | None,
    batch: int | None,
    form: str | None,
    quiet: bool,
) -> None:
    """Classifies and prints; exits with 1 if a picture was refused."""
    from darknet_py.tasks.classify import Refused, best_fit, classify_pictures

    if fit is None:
        fit = best_fit(net)
        if fit == "crop":
            say_line("This network takes one size only: pictures are cropped.", err=True)
    show = _printer(form)
    paths, refused = found
    # where the results are read on the same terminal, they show how far it is
    total = len(paths) if isinstance(paths, list) else 0
    progress = Progress(total, shown=total > 1 and not quiet and not sys.stdout.isatty())
    with closing(progress):
        results = classify_pictures(net, paths, top, names, fit, batch)
        for number, result in enumerate(results, start=1):
            if isinstance(result, Refused):
                progress.clear()
                complain(result.error)
                refused += 1
            else:
                show(result)
            rate = progress.per_second()
            progress.show(number, f"picture {number}/{total}", f"  {rate:.1f}/s" if rate else "")
    if refused:
        click.get_current_context().exit(1)


def class_names(net: Network, names: str | Sequence[str] | None) -> list[str]:
    """What the network's classes are called: as given, or found out. A file of too few names beside
    its cfg is said not to be used. Raises CfgError."""
    from darknet_py.tasks.names import choose_names, names_file, own_names
    from darknet_py.tasks.targets import class_count

    classes = class_count(net)
    beside = names_file(net)
    if names is None and os.path.isfile(beside) and own_names(classes, net) is None:
        say_line(f"{beside}: not used: it has less than {counted(classes, 'line')}", err=True)
    return choose_names(names, classes, net)


def find_or_ask(pictures: Sequence[str]) -> tuple[list[Path] | Iterator[Path], int]:
    """As find_named; where none are named, on a terminal, those that are typed there."""
    if not pictures and sys.stdin.isatty():
        return _ask(), 0
    return find_named(pictures)


def find_named(pictures: Sequence[str]) -> tuple[list[Path], int]:
    """The pictures that arguments name: files, folders, patterns, or - for a list on stdin; and
    how many arguments name none, each of which is said. Where nothing is left, the command ends,
    before anything slow or loud."""
    from darknet_py.images import find_pictures, read_list

    if not pictures:
        raise click.UsageError(
            "No pictures. Give files, folders, patterns, or - for a list on standard input."
        )
    arguments: list[str] = []
    for picture in pictures:
        arguments.extend(read_list(sys.stdin) if picture == "-" else [_find(picture)])
    faults: list[DarknetError] = []
    found = find_pictures(arguments, faults.append)
    for fault in faults:
        complain(fault)
    there = []
    for path in found:
        if os.path.lexists(path):
            there.append(path)
        else:
            complain(f"{path}: no such file or folder")
    if not there:
        click.get_current_context().exit(1)
    return there, len(faults) + len(found) - len(there)


def _find(picture: str) -> str:
    """A file or folder of this name, also among those that come with the program."""
    return str(find_resource(picture, folders=True) or picture)


def _ask() -> Iterator[Any]:
    """Pictures that someone types, until the end of input; a wrong one may be typed again."""
    from darknet_py.errors import DarknetError
    from darknet_py.images import find_pictures

    while True:
        say_line("Enter Image Path: ", err=True, end="")
        line = sys.stdin.readline()
        if not line:
            say_line(err=True)
            return
        try:
            yield from find_pictures([line.strip()] if line.strip() else [])
        except DarknetError as error:
            complain(error)


def _printer(form: str | None) -> Printer:
    if form == "json":
        return _print_json
    if form == "csv":
        say_rows([("path", "rank", "index", "name", "probability")])
        return _print_rows
    return _print_text


def _print_text(result: Classified) -> None:
    say_line(f"{result.path}: Predicted in {result.seconds:f} seconds.")
    for prediction in result.predictions:
        say_line(f"{prediction.name}: {prediction.probability:f}")


def _print_json(result: Classified) -> None:
    predictions = [prediction._asdict() for prediction in result.predictions]
    document = {"path": str(result.path), "seconds": result.seconds, "predictions": predictions}
    say_json(document)


def _print_rows(result: Classified) -> None:
    say_rows(
        (result.path, rank, index, name, probability)
        for rank, (index, name, probability) in enumerate(result.predictions, start=1)
    )
