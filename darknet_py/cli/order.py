"""The order of a command's files: one that stands in another's place is said to, not tried.

Every argument called data, cfg, weights, picture or pictures is looked at, in whatever command.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_KINDS = {
    ".cfg": "a cfg",
    ".weights": "weights",
    ".backup": "weights",
    ".data": "a .data file",
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff"), "a picture"),
    **dict.fromkeys((".webp", ".ppm", ".pgm", ".pnm", ".tga"), "a picture"),
}
"""What a file is by its name; any other name may stand anywhere."""

_WANTED = {
    "data": ("a .data file", "a folder"),
    "cfg": ("a cfg",),
    "cfgs": ("a cfg",),
    "weights": ("weights", "a folder"),  # whoever reads them says more of a folder
    "picture": ("a picture", "a folder"),
    "pictures": ("a picture", "a folder"),
}


_FILES = "arguments", "out", "runs"
"""Other arguments that are files."""


class _File(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A name of a file, which a shell completes."""

    name = "file"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


class _InOrder(_File):
    """One that is not obviously another argument's."""

    def __init__(self, argument: str) -> None:
        self.name = argument

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        kind = kind_of(value)
        if kind and kind not in _WANTED[self.name]:
            place = self.name.rstrip("s") if self.name != "weights" else self.name
            self.fail(f"{value!r} is {kind}, and stands in the place of the {place}{_order(ctx)}")
        return value


def kind_of(name: str) -> str | None:
    """A file's kind: one of _KINDS, or "a folder"; None where nobody can tell."""
    if os.path.isdir(name):
        return "a folder"
    return "a picture" if name == "-" else _KINDS.get(os.path.splitext(name)[1].lower())


def check_orders(command: click.Command) -> None:
    """Has the arguments of a command, and of those in a group, looked at, and completed by shells
    where they are files."""
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and parameter.name in _WANTED:
            parameter.type = _InOrder(parameter.name)
        elif parameter.type is click.STRING and (
            parameter.name in _FILES or getattr(parameter, "metavar", None) == "FILE"
        ):
            parameter.type = _File()
    if isinstance(command, click.Group):
        for each in command.commands.values():
            check_orders(each)


def split_network(arguments: Sequence[str]) -> tuple[str, str, list[str]] | None:
    """Cfg, weights and the rest of [CFG WEIGHTS] ...; None where no cfg comes first, and the
    network that comes with the program is meant. Raises click.UsageError for another order."""
    kinds = [kind_of(argument) for argument in arguments]
    if kinds[:1] == ["a cfg"]:
        if len(arguments) < 2:
            raise click.UsageError("Missing argument 'WEIGHTS'.")
        if kinds[1] not in (None, *_WANTED["weights"]):
            raise click.UsageError(
                f"{arguments[1]!r} is {kinds[1]}, and stands in the place of the weights: a cfg "
                "goes with its weights: CFG WEIGHTS PICTURE."
            )
    rest = 2 if kinds[:1] == ["a cfg"] else 0
    for argument, kind in zip(arguments[rest:], kinds[rest:], strict=True):
        if kind == "a .data file":
            raise click.UsageError(f"{argument!r} is {kind}: `classifier predict` takes one.")
        if kind in ("a cfg", "weights"):
            raise click.UsageError(
                f"{argument!r} is {kind}: the cfg comes first: CFG WEIGHTS PICTURE."
            )
    return (arguments[0], arguments[1], list(arguments[2:])) if rest else None


def _order(context: click.Context | None) -> str:
    """: the cfg comes first: CFG WEIGHTS ..."""
    if context is None:
        return ""
    pieces = [
        piece
        for parameter in context.command.params
        if isinstance(parameter, click.Argument)
        for piece in parameter.get_usage_pieces(context)
    ]
    names = [parameter.name for parameter in context.command.params]
    first = "the data comes first" if "data" in names else "the cfg comes first"
    return f": {first}: {' '.join(pieces)}"
