"""Recipes of dreams in pictures of strangers: refused in a line, or a plan within bounds.

Words of a true recipe are changed, chunks of the PNG damaged, doubled and compressed, files beside
it replaced by pipes, devices and links. What is read is watched: the picture, the files beside it,
cfg/ and what comes with the program, and nothing else.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from darknet_py.cli.dream_replay import request_of
from darknet_py.errors import DarknetError
from darknet_py.images import save_image
from darknet_py.options import Real, Whole
from darknet_py.resources import shipped_folders
from darknet_py.tasks.dream import recipe as recipes
from darknet_py.tasks.dream.options import INGREDIENTS
from darknet_py.tasks.dream.recipe import Recipe, digests_of, find_files, read_recipe
from scripts.trials.trial import Failed

NAME = "recipes"
GROUP = "fuzz"
LIMIT = 20

_FILES = {"cfg": "net.cfg", "weights": "net.weights", "source": "photo.png", "guide": "guide.png"}
_ABSURD = (
    *("1e308", "-1", "nan", "inf", str(10**30), "many", "[[1]]", "{}", "", "0x10", "\u0663", "1_0"),
    *("--output=/tmp/x", "-qh", "-o", "--help", "--", "/dev/zero", "/etc/passwd", "../x", "~/x"),
    *(r"\\host\x", "C:x", "a\nb", "a\x01b", "$(id)", "9" * 5000, "a" * 300, "'", '"', "\\", "-"),
)
_LETTERS = "\x01\x1b\n\"'\u202e"
_key = b"the trials' own"
_opened: list[str] = []
"""What was opened and listed since a trial began to look."""


def prepare() -> None:
    """Has every file that is opened, and folder that is listed, remembered; and one key for all
    processes, so that trials depend on nothing else."""
    sys.addaudithook(_watch)
    recipes._key = lambda: _key


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    is_read = event in ("open", "os.listdir", "os.scandir")
    if is_read and isinstance(arguments[0], str | bytes | os.PathLike):
        _opened.append(os.fsdecode(arguments[0]))


def trial(random: Random, folder: Path) -> str:
    """One picture."""
    beside = folder / "beside"
    beside.mkdir()
    for name in _FILES.values():
        (beside / name).write_bytes(name.encode())
    picture = beside / "dream.png"
    digests = digests_of({what: beside / name for what, name in _FILES.items()})
    words = Recipe(_values(random), random.randrange(20), _FILES, digests, "0.1.0").words()
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        _change(random, words)
    save_image(np.zeros((2, 3, 3)), picture, **words)
    random.choice((_nothing, _nothing, _flip, _cut, _double, _squeeze, _long, _jpeg))(
        random, picture
    )
    _replace_files(random, beside)
    _opened.clear()
    label = _replay(picture, words)
    opened = list(_opened)
    roots = [str(beside), str(folder / "cfg"), *map(str, shipped_folders())]
    for path in opened:
        full = os.path.normpath(folder / path)
        if not any(full == root or full.startswith(root + os.sep) for root in roots):
            raise Failed(f"it read {path}, with the words {words}")
    return label


def _replay(picture: Path, words: dict[str, str]) -> str:
    """As far as cli.dream_replay goes before a network is built."""
    try:
        found = read_recipe(picture)
        files = find_files(found.recipe, picture, [], shipped_folders())
        request = request_of(picture, found.recipe, files)
    except DarknetError as error:
        if len(str(error).splitlines()) != 1 or not str(error).isprintable():
            raise Failed(f"not one line: {error!r}") from error
        return "refused"
    asked = request.flags
    if asked.output or asked.prefix or asked.gif or asked.webp or asked.replay or asked.trust:
        raise Failed(f"a recipe says where to write: {asked}")
    for name, (_, kind) in INGREDIENTS.items():
        value = found.recipe.values.get(name)
        if not isinstance(kind, Whole | Real) or value is None:
            continue
        if not kind.least <= value <= kind.most:
            raise Failed(f"{name} is {value}")
    if found.is_ours and found.words != words:
        raise Failed(f"another's recipe passes for one of here: {found.words}, made of {words}")
    return "ours" if found.is_ours else "asks first"


def _values(random: Random) -> dict[str, Any]:
    """Some options as a dream could have them."""
    values: dict[str, Any] = {}
    for name, (_, kind) in INGREDIENTS.items():
        if name == "label" or (name != "seed" and random.random() > 0.2):
            continue
        if isinstance(kind, Whole):
            least, most = kind.least or 0, kind.most or 0
            chosen = random.choice((least, most, random.randint(1, 9)))
            values[name] = max(least, min(chosen, most))
        elif isinstance(kind, Real):
            low, high = kind.least or 0, kind.most or 0
            values[name] = min(random.uniform(max(low, 0.5), high), high / 2 + 0.1)
    return values


def _change(random: Random, words: dict[str, str]) -> None:
    """Another word somewhere; a PNG's words have no zero bytes."""
    key = "Command" if random.random() < 0.5 else random.choice(list(words))
    parts = words[key].split(" ")
    place = random.randrange(len(parts))
    how = random.randrange(6)
    if how == 0:
        parts[place] = random.choice(_ABSURD)
    elif how == 1:
        parts.insert(place, random.choice(_ABSURD))
    elif how == 2:
        del parts[place]
    elif how == 3:
        parts.append(random.choice(parts))
    elif how == 4:
        option, kind = random.choice(list(INGREDIENTS.values()))
        good = str(kind.most) if isinstance(kind, Whole | Real) else "3"
        parts += [option, random.choice((*_ABSURD, *[good] * 20))]
    else:
        at = random.randrange(len(parts[place]) + 1)
        parts[place] = parts[place][:at] + random.choice(_LETTERS) + parts[place][at:]
    words[key] = " ".join(parts)


def _nothing(random: Random, path: Path) -> None:
    pass


def _flip(random: Random, path: Path) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(random.randint(1, 8)):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)


def _cut(random: Random, path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: random.randrange(len(data))])


def _insert(path: Path, kind: bytes, content: bytes) -> None:
    """A chunk behind the PNG's first."""
    check = struct.pack(">I", zlib.crc32(kind + content))
    data = path.read_bytes()
    chunk = struct.pack(">I", len(content)) + kind + content + check
    path.write_bytes(data[:33] + chunk + data[33:])


def _double(random: Random, path: Path) -> None:
    key = random.choice(("Command", "Seed", "Round", "SHA256 cfg", "Signature"))
    _insert(path, b"tEXt", f"{key}\0{random.choice(_ABSURD)}".encode())


def _squeeze(random: Random, path: Path) -> None:
    text = zlib.compress(b"x" * random.choice((10, 100_000)))
    kind, head = random.choice(((b"zTXt", b"Command\0\0"), (b"iTXt", b"Command\0\1\0\0\0")))
    _insert(path, kind, head + text)


def _long(random: Random, path: Path) -> None:
    _insert(path, b"tEXt", b"Comment\0" + b"x" * random.choice((10, 10, 200_000)))


def _jpeg(random: Random, path: Path) -> None:
    path.write_bytes(b"\xff\xd8\xff\xe0" + path.read_bytes())


def _replace_files(random: Random, beside: Path) -> None:
    """Something else in the place of a file beside it, which may have been moved."""
    if random.random() < 0.6:
        return
    path = beside / random.choice(list(_FILES.values()))
    moved = beside / f"moved{path.suffix}"
    path.rename(moved)
    how = random.randrange(5)
    if how == 0:
        os.mkfifo(path)
    elif how == 1:
        path.symlink_to(random.choice(("/dev/zero", "/dev/stdin", "/proc/self/fd/0", "gone", path)))
    elif how == 2:
        path.mkdir()
    elif how == 3:
        path.write_bytes(b"another")
    if random.random() < 0.3:
        moved.unlink()
