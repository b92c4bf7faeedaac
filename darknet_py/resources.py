"""Search paths of named files: working directory, the naming file's folder, the package."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_SHARE = _PACKAGE / "_share"  # cfg/ and data/, in an installed copy


def find_resource(name: str, beside: Path | None = None) -> Path | None:
    """Find the file that the command line or a `.data` file calls `name`.

    `cfg/imagenet1k.data` says `names = data/imagenet.shortnames.list`, which the C program
    only finds when it is run from its own folder. Here a name is looked for

    1. as given: absolute, or relative to the working directory;
    2. relative to `beside`, the folder of the file that names it, and to that folder's parent;
    3. in the cfg/ and data/ of the installed package;
    4. in the cfg/ and data/ of the checkout that the package runs from.

    The first that exists wins. Pipes such as /dev/stdin are found, but not in a file's names;
    folders are not. Returns None where nothing is found.
    """
    given = Path(name)
    places = [given]
    if not given.is_absolute():
        if beside is not None:
            # abspath: the parent of "." is not "."
            places += [beside / name, Path(os.path.abspath(beside)).parent / name]
        places.append(_SHARE / name)
        if (_PACKAGE.parent / "pyproject.toml").is_file():
            places.append(_PACKAGE.parent / name)
    # Not Path.exists, which raises where a folder on the way may not be searched.
    if beside is not None:
        return next((p for p in places if os.path.isfile(p)), None)
    return next((p for p in places if os.path.exists(p) and not os.path.isdir(p)), None)


def shipped_folders() -> list[Path]:
    """The cfg/ and data/ that come with the program, those of them that there are."""
    roots = [_SHARE]
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        roots.append(_PACKAGE.parent)
    found = [root / name for root in roots for name in ("cfg", "data")]
    return [folder for folder in found if folder.is_dir()]
