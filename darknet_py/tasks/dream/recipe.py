"""How a picture was made, written into it: enough to make it again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from darknet_py.errors import DreamError, PictureError
from darknet_py.images import load_info

_DIGEST = "SHA256 "
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Recipe:
    """command: the line that makes it, with everything in it. round: which of its pictures this
    is, from 0. digests: of the files that go in, by what they are ("cfg", "weights", "source")."""

    command: str
    version: str
    seed: int
    round: int
    digests: Mapping[str, str]

    def words(self) -> dict[str, str]:
        """As they stand in a picture."""
        return {
            "Software": f"darknet {self.version}",
            "Command": self.command,
            "Seed": str(self.seed),
            "Round": str(self.round),
            **{f"{_DIGEST}{what}": digest for what, digest in self.digests.items()},
        }


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a picture. Raises PictureError for one that has none."""
    words = load_info(path)
    try:
        return Recipe(
            command=words["Command"],
            version=words["Software"].removeprefix("darknet "),
            seed=int(words["Seed"]),
            round=int(words["Round"]),
            digests={
                key.removeprefix(_DIGEST): value
                for key, value in words.items()
                if key.startswith(_DIGEST)
            },
        )
    except (KeyError, ValueError) as error:
        raise PictureError(
            f"{path}: holds no recipe: expected a PNG that darknet nightmare wrote"
        ) from error


def digests_of(files: Mapping[str, str | Path]) -> dict[str, str]:
    """SHA-256 of each file, in hexadecimal. Raises DreamError for one that cannot be read."""
    return {what: _digest(path) for what, path in files.items()}


def check_digests(recipe: Recipe, files: Mapping[str, str | Path]) -> None:
    """Raises DreamError unless these are the files that the recipe was made with."""
    for what, path in files.items():
        if digests_of({what: path})[what] != recipe.digests.get(what):
            raise DreamError(
                f"{path}: is not the {what} that the picture was made with: its SHA-256 is another"
            )


def _digest(path: str | Path) -> str:
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while part := file.read(_CHUNK):
                found.update(part)
    except OSError as error:
        raise DreamError(f"{path}: cannot be read: {error.strerror or error}") from error
    return found.hexdigest()
