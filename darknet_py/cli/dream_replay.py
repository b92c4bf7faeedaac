"""A dream again, by the recipe that stands in its picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.console import say_line
from darknet_py.cli.dreaming import prepare
from darknet_py.cli.files import PICTURES, output_file
from darknet_py.cli.options import NetworkOptions, find_file
from darknet_py.options import ClashError
from darknet_py.tasks.dream.options import NO_PRESET, DreamOptions
from darknet_py.tasks.dream.request import Request, check_request

if TYPE_CHECKING:
    from darknet_py.tasks.dream.estimate import Forecast
    from darknet_py.tasks.dream.recipe import Found, Recipe

_LONG = 3600
"""Seconds that a dream of one's own may take without asking."""


def replay(given: Sequence[str], flags: DreamOptions, network: NetworkOptions) -> None:
    """Makes a picture again, and says whether it is the same byte for byte; else exits with 1.

    given: files that it was made with, where they are neither beside it nor in cfg/. Where the
    recipe was not made here, or the dream is long, it is asked first, on a terminal; elsewhere it
    needs --trust.
    """
    from darknet_py.errors import DreamError
    from darknet_py.images import save_image
    from darknet_py.resources import fetched_folders, shipped_folders
    from darknet_py.tasks.dream.recipe import find_files, read_recipe
    from darknet_py.tasks.nightmare import Finished

    path = Path(flags.replay or "")
    found = read_recipe(path)
    recipe = found.recipe
    out = output_file(flags.output, f"{path.stem}_again.png", PICTURES)
    named = [find_file(name) for name in given]
    files = find_files(recipe, path, named, [*shipped_folders(), *fetched_folders()])
    inputs = [str(path), *files.values()]
    if out.exists() and any(os.path.samefile(out, one) for one in inputs):
        raise DreamError(f"{out}: is read to make the picture again: name another with -o")
    request = request_of(path, recipe, files)
    values = recipe.values
    then = replace(
        network,
        threads=network.threads or values.get("threads"),
        exact=values.get("exact", False),
        half=values.get("half", False),
        rules=values.get("rules"),
    )

    def approve(forecast: Forecast) -> None:
        _approve(path, out, found, files, forecast, flags.trust)

    work = prepare(request, then, recipe.round + 1, approve)
    picture = None
    with closing(work.progress):
        for event in work.events:
            work.progress.show(event)
            if isinstance(event, Finished):
                picture = event.picture
    assert picture is not None
    save_image(picture, out, **found.words)
    if out.read_bytes() != path.read_bytes():
        reason = _difference(values, work.resolved)
        say_line(f"darknet: {out} is not equal to {path}: {reason}", err=True)
        click.get_current_context().exit(1)
    say_line(f"{out}: equal to {path}, byte for byte")


def request_of(path: Path, recipe: Recipe, files: Mapping[str, str]) -> Request:
    """What a recipe asks for, of these files. Raises DreamError."""
    from darknet_py.errors import DreamError

    defaults = vars(DreamOptions())
    values = {name: recipe.values.get(name, default) for name, default in defaults.items()}
    values.update(preset=NO_PRESET, guide=files.get("guide"), mask=files.get("mask"))
    request = Request(
        files["cfg"], files["weights"], files.get("source"), recipe.layer, DreamOptions(**values)
    )
    try:
        check_request(request)
    except ClashError as error:
        raise DreamError(f"{path}: its recipe is not understood: {error}") from error
    return request


def _approve(
    path: Path, out: Path, found: Found, files: Mapping[str, str], forecast: Forecast, trust: bool
) -> None:
    """Raises DreamError where it does not fit into memory, or may not be done."""
    from darknet_py.errors import DreamError
    from darknet_py.ops.memory import available_memory

    free = available_memory()
    if forecast.bytes > free:
        need = f"needs about {forecast.bytes / 1e9:,.1f} GB of memory"
        raise DreamError(f"{path}: {need}, and {free / 1e9:,.1f} GB are free")
    if trust or (found.is_ours and forecast.seconds <= _LONG):
        return
    why = "is not known to be made here" if not found.is_ours else "takes long"
    where = files.get("source", "noise")
    asks = (
        f"{path}: its recipe {why}: {files['cfg']} with {files['weights']} would dream on {where}, "
        f"{forecast.w} x {forecast.h} pixels, {_rounds(forecast)}, about "
        f"{_duration(forecast.seconds)} and {forecast.bytes / 2**20:,.0f} MB, and write {out}"
    )
    if not _on_terminal():
        raise DreamError(f"{asks}: --trust lets it")
    say_line(asks, err=True)
    if not click.confirm("Shall it?", err=True):
        raise DreamError(f"{path}: not made again")


def _on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _rounds(forecast: Forecast) -> str:
    from darknet_py.text import counted

    steps = counted(forecast.steps, "step")
    return steps if forecast.rounds == 1 else f"{forecast.rounds:,} times {steps}"


def _duration(seconds: float) -> str:
    """As a person says it."""
    for name, length in (("year", 31_557_600), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:,.0f} {name}s"
    return f"{max(seconds, 1):.0f} seconds"


def _difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Why a picture is another than it was."""
    for name in ("device", "threads"):
        if name in then and then[name] != now[name]:
            return f"it was made with --{name} {then[name]}, not {now[name]}"
    return "another device or version"
