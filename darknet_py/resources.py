"""Search paths of named files: working directory, the naming file's folder, the package."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PACKAGE = Path(__file__).resolve().parent
_SHARE = _PACKAGE / "_share"  # cfg/ and data/, in an installed copy


class Embedded(NamedTuple):
    """A network that comes with the program, what its outputs are called, a picture for it."""

    cfg: str
    weights: str
    names: str
    sample: str


EMBEDDED = Embedded(
    cfg="cfg/cifar_res.cfg",
    weights="data/cifar.weights",
    names="data/cifar.labels.list",
    sample="data/samples/ship.png",
)
"""What classifies and dreams where no cfg is named."""


def find_resource(name: str, beside: Path | None = None, *, folders: bool = False) -> Path | None:
    """Find the file that the command line or a `.data` file calls `name`.

    `cfg/imagenet1k.data` says `names = data/imagenet.shortnames.list`, which the C program
    only finds when it is run from its own folder. Here a name is looked for

    1. as given: absolute, or relative to the working directory;
    2. relative to `beside`, the folder of the file that names it, and to that folder's parent;
    3. in the cfg/ and data/ of the installed package;
    4. in the cfg/ and data/ of the checkout that the package runs from;
    5. among the weights that `darknet weights fetch` has put away.

    The first that exists wins. Pipes such as /dev/stdin are found, but not in a file's names;
    folders only where `folders` asks for them, of those that come with the program what lies
    below data/. Returns None where nothing is found.
    """
    given = Path(name)
    if not name:
        return None  # Path("") is the working directory
    places = [given]
    if not given.is_absolute():
        if beside is not None:
            # abspath: the parent of "." is not "."
            places += [beside / name, Path(os.path.abspath(beside)).parent / name]
        places.append(_SHARE / name)
        if (_PACKAGE.parent / "pyproject.toml").is_file():
            places.append(_PACKAGE.parent / name)
        if len(given.parts) == 1 and given.suffix == ".weights":
            with suppress(RuntimeError):  # there may be no home
                places.append(weights_folder() / name)
    # Not Path.exists, which raises where a folder on the way may not be searched.
    if beside is not None:
        return next((p for p in places if os.path.isfile(p)), None)
    is_below_data = (
        given.parts[:1] == ("data",) and len(given.parts) > 1 and ".." not in given.parts
    )

    def is_wanted(place: Path) -> bool:
        if not os.path.isdir(place):
            return os.path.exists(place)
        return folders and (place is given or is_below_data)

    return next((p for p in places if is_wanted(p)), None)


def how_to_install(extra: str) -> str:
    """The command that brings an optional part: [gpu], [bench]..."""
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        return f"{sys.executable} -m pip install -e '{_PACKAGE.parent}[{extra}]'"
    return f"{sys.executable} -m pip install 'darknet-toolkit[{extra}]'"


def weights_folder() -> Path:
    """Where published weights are put: DARKNET_WEIGHTS_DIR, or in the user's cache folder."""
    named = os.environ.get("DARKNET_WEIGHTS_DIR")
    return Path(named) if named else user_cache() / "weights"


def fetched_folders() -> list[Path]:
    """The folder of fetched weights, if it is there."""
    with suppress(RuntimeError):  # there may be no home
        if weights_folder().is_dir():
            return [weights_folder()]
    return []


def user_cache() -> Path:
    """The folder of the user's for what can be had again; it may not be there. Raises RuntimeError
    where the user has no home."""
    # a relative one is to be ignored, says the XDG Base Directory Specification
    user = Path(os.environ.get("XDG_CACHE_HOME") or "")
    if not user.is_absolute():
        user = Path("~/Library/Caches" if sys.platform == "darwin" else "~/.cache")
    return user.expanduser().absolute() / "darknet"


def shipped_folders() -> list[Path]:
    """The cfg/ and data/ that come with the program, those of them that there are."""
    roots = [_SHARE]
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        roots.append(_PACKAGE.parent)
    found = [root / name for root in roots for name in ("cfg", "data")]
    return [folder for folder in found if folder.is_dir()]
