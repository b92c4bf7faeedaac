"""The files that a dream writes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from darknet_py.cli.console import say_path
from darknet_py.cli.files import PICTURES, check_output, check_output_folder, free_stem
from darknet_py.tasks.dream.request import Request, files_of, target_of

if TYPE_CHECKING:
    import numpy as np

    from darknet_py.tasks.dream.recipe import Recipe
    from darknet_py.tasks.nightmare import Event


def check_files(request: Request) -> None:
    """Before anything is loaded. Raises DarknetError for files that cannot be written, and those
    that the dream begins with."""
    from darknet_py.errors import DreamError

    flags = request.flags
    inputs = files_of(request).values()
    outputs = ((flags.output, PICTURES), (flags.gif, (".gif",)), (flags.webp, (".webp",)))
    for name, suffixes in outputs:
        if not name:
            continue
        if any(os.path.exists(name) and os.path.samefile(name, one) for one in inputs):
            raise DreamError(f"{name}: would be overwritten, and the dream begins with it")
        check_output(Path(name), suffixes)
    check_output_folder(Path(flags.prefix or "."))


class Output:
    """Writes rounds, and the animations at the end."""

    def __init__(self, request: Request, recipe: Recipe) -> None:
        self._request, self._recipe = request, recipe
        self._frames: list[np.ndarray] = []
        flags = request.flags
        self._animations = [
            (name, kind) for name, kind in ((flags.gif, "GIF"), (flags.webp, "WEBP")) if name
        ]
        self._folder = Path(flags.prefix or ".")
        self._name = self._free_name()

    def take(self, event: Event) -> None:
        """Writes a round's picture."""
        from darknet_py.atomic import make_folder
        from darknet_py.images import save_image, to_pixels
        from darknet_py.tasks.nightmare import Finished

        if not isinstance(event, Finished):
            return
        if self._animations:
            self._frames.append(to_pixels(event.picture))
        path = self._path(event.round)
        if path is not None:
            make_folder(path.parent)
            save_image(event.picture, path, **replace(self._recipe, round=event.round).words())

    def say(self, event: Event) -> None:
        """Prints what was written."""
        from darknet_py.tasks.nightmare import Finished

        if isinstance(event, Finished) and (path := self._path(event.round)) is not None:
            say_path(path)

    def finish(self) -> None:
        """Writes the animations."""
        from darknet_py.images import save_animation

        for name, kind in self._animations:
            save_animation(self._frames, name, kind, round(1000 / self._request.flags.fps))
            say_path(name)

    def _path(self, number: int) -> Path | None:
        flags = self._request.flags
        if flags.output:
            return Path(flags.output) if number == self._rounds - 1 else None
        return self._folder / f"{self._name}{self._ending(number)}"

    @property
    def _rounds(self) -> int:
        flags = self._request.flags
        return 1 if flags.sheet else flags.rounds

    def _ending(self, number: int) -> str:
        return ".png" if self._request.flags.sheet else f"_{number:06d}.png"

    def _free_name(self) -> str:
        """What the rounds' names begin with: dreams that are there stay."""
        request = self._request
        title = "sheet" if request.flags.sheet else request.title or target_of(request).title
        source = Path(str(request.picture)).stem if request.picture else "noise"
        name = f"{source}_{Path(request.cfg).stem}_{title}"
        return free_stem(self._folder, name, [self._ending(k) for k in range(self._rounds)])
