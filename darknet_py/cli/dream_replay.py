"""A dream again, by the recipe that stands in its picture."""

from __future__ import annotations

import os
import shlex
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.console import say_line
from darknet_py.cli.dream_options import Asked
from darknet_py.cli.dream_request import Request, files_of, read_request
from darknet_py.cli.dreaming import prepare
from darknet_py.cli.files import PICTURES, output_file
from darknet_py.cli.options import Chosen

if TYPE_CHECKING:
    from darknet_py.tasks.dream.recipe import Recipe


def replay(asked: Asked, chosen: Chosen) -> None:
    """Makes a picture again, and says whether it is the same byte for byte; else exits with 1."""
    from darknet_py.errors import DreamError
    from darknet_py.images import save_image
    from darknet_py.tasks.dream.recipe import read_recipe
    from darknet_py.tasks.nightmare import Finished

    path = Path(asked.replay or "")
    recipe = read_recipe(path)
    out = output_file(asked.output, f"{path.stem}_again.png", PICTURES)
    if out.exists() and os.path.samefile(out, path):
        raise DreamError(f"{out}: is the picture that is to be made again: name another with -o")
    request, then = _understood(path, recipe)
    request = _found(request, recipe, path)
    work = prepare(request, replace(then, quiet=chosen.quiet), rounds=recipe.round + 1)
    picture = None
    with closing(work.progress):
        for event in work.events:
            work.progress.show(event)
            if isinstance(event, Finished):
                picture = event.picture
    assert picture is not None
    save_image(picture, out, **recipe.words())
    if out.read_bytes() != path.read_bytes():
        say_line(f"darknet: {out} is not equal to {path}: another device or version", err=True)
        click.get_current_context().exit(1)
    say_line(f"{out}: equal to {path}, byte for byte")


def _understood(path: Path, recipe: Recipe) -> tuple[Request, Chosen]:
    """A recipe's command, read as if it had been typed. Raises DreamError."""
    from darknet_py.errors import DreamError

    command = click.get_current_context().command
    try:
        program, name, *words = shlex.split(recipe.command)
        if (program, name) != ("darknet", "nightmare") or {"-h", "--help"} & set(words):
            raise ValueError("it makes no picture")
        context = command.make_context("nightmare", words)
        params: dict[str, Any] = context.params
        chosen = Chosen(**{field.name: params.pop(field.name) for field in fields(Chosen)})
        asked = Asked(**{field.name: params.pop(field.name) for field in fields(Asked)})
        if not 0 <= recipe.round < asked.rounds:
            raise ValueError(f"there is no round {recipe.round}")
        return read_request(context, params["arguments"], replace(asked, replay=None)), chosen
    except (ValueError, click.ClickException) as error:
        reason = error.format_message() if isinstance(error, click.ClickException) else str(error)
        raise DreamError(f"{path}: its recipe is not understood: {reason}") from error


def _found(request: Request, recipe: Recipe, path: Path) -> Request:
    """The request with the files that the recipe was made with, wherever they are now."""
    from darknet_py.resources import shipped_folders
    from darknet_py.tasks.dream.recipe import find_by_digest

    found = {
        what: find_by_digest(what, name, recipe, path, shipped_folders())
        for what, name in files_of(request).items()
    }
    asked = replace(
        request.asked,
        names=found.get("names", request.asked.names),
        guide=found.get("guide"),
        mask=found.get("mask"),
    )
    return replace(
        request,
        cfg=found["cfg"],
        weights=found["weights"],
        picture=found.get("source"),
        asked=asked,
    )
