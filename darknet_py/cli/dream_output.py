"""The files that a dream writes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from darknet_py.cli.dream_request import Request, files_of, wish_of

if TYPE_CHECKING:
    import numpy as np

    from darknet_py.tasks.dream.recipe import Recipe
    from darknet_py.tasks.nightmare import Event


class Output:
    """Writes rounds, and the animations at the end."""

    def __init__(self, request: Request, recipe: Recipe) -> None:
        from darknet_py.errors import DreamError
        from darknet_py.images import check_name

        self._request, self._recipe = request, recipe
        self._frames: list[np.ndarray] = []
        asked = request.asked
        self._animations = [
            (name, kind) for name, kind in ((asked.gif, "GIF"), (asked.webp, "WEBP")) if name
        ]
        if asked.output:
            check_name(asked.output)
        inputs = files_of(request).values()
        for name in filter(None, (asked.output, asked.gif, asked.webp)):
            if any(os.path.exists(name) and os.path.samefile(name, one) for one in inputs):
                raise DreamError(f"{name}: would be overwritten, and the dream begins with it")
            if not Path(name).absolute().parent.is_dir():
                raise DreamError(f"{name}: cannot be written: there is no such folder")
        self._folder = Path(asked.prefix or ".")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise DreamError(f"{self._folder}: cannot be a folder: {reason}") from error

    def take(self, event: Event) -> None:
        """Writes a round's picture."""
        from darknet_py.images import save_image, to_pixels
        from darknet_py.tasks.nightmare import Finished

        if not isinstance(event, Finished):
            return
        if self._animations:
            self._frames.append(to_pixels(event.picture))
        path = self._path(event.round)
        if path is not None:
            save_image(event.picture, path, **replace(self._recipe, round=event.round).words())

    def say(self, event: Event) -> None:
        """Prints what was written."""
        from darknet_py.tasks.nightmare import Finished

        if isinstance(event, Finished) and (path := self._path(event.round)) is not None:
            click.echo(path)

    def finish(self) -> None:
        """Writes the animations."""
        from darknet_py.images import save_animation

        for name, kind in self._animations:
            save_animation(self._frames, name, kind, round(1000 / self._request.asked.fps))
            click.echo(name)

    def _path(self, number: int) -> Path | None:
        request, asked = self._request, self._request.asked
        rounds = 1 if asked.sheet else asked.rounds
        if asked.output:
            return Path(asked.output) if number == rounds - 1 else None
        title = "sheet" if asked.sheet else request.title or wish_of(request).title
        source = Path(request.picture).stem if request.picture else "noise"
        name = f"{source}_{Path(request.cfg).stem}_{title}"
        return self._folder / (f"{name}.png" if asked.sheet else f"{name}_{number:06d}.png")
