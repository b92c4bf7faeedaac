"""How a picture was made, written into it: enough to make it again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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


def find_by_digest(
    what: str, name: str, recipe: Recipe, picture: Path, folders: Sequence[Path]
) -> str:
    """The file that the recipe calls `what`, whatever has become of its path.

    Looked for under its name where one is, beside the picture and in the folders above it, then by
    the digest of every file of that kind here, beside the picture and in `folders`. Raises
    DreamError where no such file has the recipe's digest.
    """
    wanted = recipe.digests.get(what)
    named = [Path(name), *(folder / name for folder in picture.absolute().parents)]
    named += [folder / Path(name).name for folder in (picture.parent, Path(), *folders)]
    other = None
    for path in filter(Path.is_file, dict.fromkeys(named)):
        if _is_of(path, wanted):
            return str(path)
        other = other or path
    kind = Path(name).suffix.lower()
    for folder in dict.fromkeys((Path(), picture.parent, *folders)):
        for path in sorted(folder.glob("*")):
            if path.suffix.lower() == kind and path.is_file() and _is_of(path, wanted):
                return str(path)
    if other is not None:
        raise DreamError(
            f"{other}: is not the {what} that the picture was made with: its SHA-256 is another"
        )
    raise DreamError(
        f"{name}: is not there, the {what} that the picture was made with: put it beside "
        f"{picture}, under any name"
    )


def _is_of(path: Path, digest: str | None) -> bool:
    try:
        return _digest(path) == digest
    except DreamError:  # it may not be read: no reason to end
        return False


def _digest(path: str | Path) -> str:
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while part := file.read(_CHUNK):
                found.update(part)
    except OSError as error:
        raise DreamError(f"{path}: cannot be read: {error.strerror or error}") from error
    return found.hexdigest()
