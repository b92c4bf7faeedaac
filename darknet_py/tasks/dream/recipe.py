"""How a picture was made, written into it: enough to make it again, and nothing else.

Anybody may have written what stands in a picture. So a recipe is read by the table that it is
written from (ingredients.py), word by word, by no command line; it names files by their digests,
and says nothing of what is written where. Whether it was made here is told by a signature: an HMAC
with a key that lies beside the compiled kernels, which others can neither read nor write.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darknet_py.errors import DreamError, PictureError
from darknet_py.images import load_info
from darknet_py.ops import cache
from darknet_py.options import Flag, Whole
from darknet_py.tasks.dream.options import INGREDIENTS, Picture
from darknet_py.text import joined_bytes, one_line
from darknet_py.untrusted import open_file

_PROGRAM = ["darknet", "nightmare"]
_DIGEST, _SIGNATURE = "SHA256 ", "Signature"
_FILES = ("cfg", "weights", "source", "guide", "mask")
_SHA256 = re.compile("[0-9a-f]{64}")
_VERSION = re.compile(r"darknet ([0-9A-Za-z.+-]{1,40})", re.ASCII)
_LAYER, _ROUND = Whole(0, 999_999), Whole(0, 99_999)
_CHUNK = 1 << 20
_SHOWN = 40
"""Letters of a word that an error shows."""


@dataclass(frozen=True)
class Recipe:
    """values: by names of INGREDIENTS, those that are not the command's defaults. layer: LAYER.
    files: names, without folders, of what goes in, by what it is ("cfg", "weights", "source",
    "guide", "mask"); digests: their SHA-256. round: which of its pictures this is, from 0."""

    values: Mapping[str, Any]
    layer: int | None
    files: Mapping[str, str]
    digests: Mapping[str, str]
    version: str
    round: int = 0

    @property
    def command(self) -> str:
        """The line that makes it, from a folder with its files."""
        names = [self.files[what] for what in ("cfg", "weights", "source") if what in self.files]
        layer = [] if self.layer is None else [str(self.layer)]
        options: list[str] = []
        for name, (option, kind) in INGREDIENTS.items():
            if isinstance(kind, Picture) and name in self.files:
                options += [option, self.files[name]]
            elif isinstance(kind, Flag) and self.values.get(name):
                options.append(option)
            elif name in self.values:
                options += [option, str(self.values[name])]
        return shlex.join([*_PROGRAM, *names, *layer, *options])

    def words(self) -> dict[str, str]:
        """As they stand in a picture that is made here."""
        words = self._unsigned()
        signature = _sign(words)
        return words if signature is None else {**words, _SIGNATURE: signature}

    def _unsigned(self) -> dict[str, str]:
        return {
            "Software": f"darknet {self.version}",
            "Command": self.command,
            "Seed": str(self.values.get("seed", 0)),
            "Round": str(self.round),
            **{f"{_DIGEST}{what}": digest for what, digest in self.digests.items()},
        }


@dataclass(frozen=True)
class Found:
    """A recipe that stood in a picture, and its words there. is_ours: whether it was made here."""

    recipe: Recipe
    words: Mapping[str, str]
    is_ours: bool


def plain_name(path: str | Path) -> str:
    """A file's name as a recipe has it: without folders, and without what a shell, a terminal or
    this program could take for something else."""
    name = joined_bytes(Path(path).name)
    name = "".join(c if c.isprintable() and c not in "/\\:" else "_" for c in name)
    return f"_{name[1:]}" if name[:1] in ("-", "~") or name in ("", ".", "..") else name


def read_recipe(path: str | Path) -> Found:
    """The recipe in a picture. Raises PictureError for one that has none, or another than a dream
    can have."""
    words = load_info(path)
    if not {"Command", "Round", "Seed"} <= words.keys() or "Software" not in words:
        raise PictureError(
            f"{one_line(path)}: holds no recipe: expected a PNG that darknet nightmare wrote"
        )
    try:
        recipe = _read(words)
    except ValueError as error:
        raise PictureError(f"{one_line(path)}: its recipe is not understood: {error}") from error
    known = recipe._unsigned()
    if any(words[key] != text for key, text in known.items()):
        raise PictureError(f"{one_line(path)}: its recipe is not as darknet nightmare writes it")
    signature = words.get(_SIGNATURE)
    if signature is not None:
        known[_SIGNATURE] = signature
    return Found(recipe, known, signature is not None and signature == _sign(recipe._unsigned()))


def _read(words: Mapping[str, str]) -> Recipe:
    """Raises ValueError, with what is wrong."""
    version = _VERSION.fullmatch(words["Software"])
    if version is None:
        raise ValueError("it is another program's")
    digests = {
        key.removeprefix(_DIGEST): text for key, text in words.items() if key.startswith(_DIGEST)
    }
    for what, digest in digests.items():
        if what not in _FILES or not _SHA256.fullmatch(digest):
            raise ValueError(f"{_shown(_DIGEST + what)} is no digest of one of its files")
    program, rest = (found := shlex.split(words["Command"]))[:2], found[2:]
    if program != _PROGRAM:
        raise ValueError("it makes no picture")
    place = next((i for i, word in enumerate(rest) if word.startswith("-")), len(rest))
    values, pictures = _read_options(rest[place:])
    names, layer = _read_arguments(rest[:place], [w for w in _FILES[:3] if w in digests])
    files = {**names, **pictures}
    if files.keys() != digests.keys() or not {"cfg", "weights"} <= files.keys():
        raise ValueError("its files and their digests are not the same ones")
    number = _ROUND.read(words["Round"])
    if number >= values.get("rounds", 1):
        raise ValueError(f"there is no round {number}")
    ordered = {what: files[what] for what in _FILES if what in files}
    return Recipe(values, layer, ordered, digests, version[1], number)


def _read_arguments(
    arguments: Sequence[str], wanted: Sequence[str]
) -> tuple[dict[str, str], int | None]:
    if not len(wanted) <= len(arguments) <= len(wanted) + 1:
        raise ValueError("its files and their digests are not the same ones")
    names = dict(zip(wanted, map(_read_name, arguments), strict=False))
    more = arguments[len(wanted) :]
    return names, _LAYER.read(more[0]) if more else None


def _read_options(words: Iterable[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Values, and names of pictures."""
    known = {option: (name, kind) for name, (option, kind) in INGREDIENTS.items()}
    values: dict[str, Any] = {}
    pictures: dict[str, str] = {}
    words = iter(words)
    for option in words:
        if option not in known:
            raise ValueError(f"{_shown(option)} is no part of a recipe")
        name, kind = known[option]
        if name in values or name in pictures:
            raise ValueError(f"{option} is given twice")
        text = "" if isinstance(kind, Flag) else next(words, "")
        if isinstance(kind, Picture):
            pictures[name] = _read_name(text)
            continue
        try:
            values[name] = True if isinstance(kind, Flag) else kind.read(text)
        except ValueError as error:
            raise ValueError(f"{option} {_shown(text)}: {error}") from error
    return values, pictures


def _read_name(text: str) -> str:
    if not text or plain_name(text) != text:
        raise ValueError(f"{_shown(text)}: expected the name of a file, without a folder")
    return text


def _shown(text: str) -> str:
    text = one_line(text[: _SHOWN + 1])
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _sign(words: Mapping[str, str]) -> str | None:
    """In hexadecimal; None where no key can be kept."""
    key = _key()
    text = "\0".join(part for word in words.items() for part in word)
    return None if key is None else hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _key() -> bytes | None:
    folder = cache.folder(cache.make_key(b"recipes"))
    if cache.load(folder, "key") is None:
        cache.store(folder, "key", secrets.token_bytes(32))
    return cache.load(folder, "key")  # another process's, where it was the last one


# Files


def digests_of(files: Mapping[str, str | Path]) -> dict[str, str]:
    """SHA-256 of each file, in hexadecimal. Raises DreamError for one that cannot be read."""
    return {what: _digest(path) for what, path in files.items()}


def find_files(
    recipe: Recipe, picture: Path, given: Sequence[str], folders: Sequence[Path]
) -> dict[str, str]:
    """The files that a recipe was made with, by their digests: among those that the user has given,
    else beside the picture (where it is itself, if it is a link), in cfg/ and in `folders`, which
    come with the program, and nowhere else. First the ones of the recipe's names, then all that
    have the same suffix; regular files alone. Raises DreamError for one that is not there, and for
    a given one that is none of them."""
    own = {_digest(path): path for path in given}
    for digest, path in own.items():
        if digest not in recipe.digests.values():
            raise DreamError(f"{one_line(path)}: is none of the files that the picture came from")
    places = (Path(os.path.realpath(picture)).parent, Path("cfg"), *folders)
    known: dict[Path, str | None] = {}
    return {
        what: own.get(digest) or _find(what, recipe, picture, places, known)
        for what, digest in recipe.digests.items()
    }


def _find(
    what: str,
    recipe: Recipe,
    picture: Path,
    places: Sequence[Path],
    known: dict[Path, str | None],
) -> str:
    name, digest = recipe.files[what], recipe.digests[what]
    other = None
    for path in _candidates(name, places):
        if path not in known:
            try:
                known[path] = _digest(path)
            except DreamError:  # not there, no file, or it may not be read: no reason to end
                known[path] = None
        if known[path] == digest:
            return str(path)
        if path.name == name and known[path] is not None:
            other = other or path
    if other is not None:
        reason = f"{one_line(other)}: is not the {what} that the picture was made with: its"
        wanted = f"SHA-256 is another than {digest}"
        raise DreamError(f"{reason} {wanted}; name the right one behind {one_line(picture)}")
    raise DreamError(
        f"{name}: is not there, the {what} that the picture was made with (SHA-256 {digest}): put "
        f"it beside {one_line(picture)} or into cfg/, under any name, or name it behind it"
    )


def _candidates(name: str, places: Sequence[Path]) -> Iterator[Path]:
    yield from (place / name for place in places)
    suffix = Path(name).suffix.lower()
    for place in places:
        try:
            entries = sorted(os.listdir(place))
        except OSError:
            continue
        yield from (place / each for each in entries if Path(each).suffix.lower() == suffix)


def _digest(path: str | Path) -> str:
    found = hashlib.sha256()
    try:
        with open_file(path) as file:
            while part := file.read(_CHUNK):
                found.update(part)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise DreamError(f"{one_line(path)}: cannot be read: {reason}") from error
    return found.hexdigest()
