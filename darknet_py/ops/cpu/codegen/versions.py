"""What compiled code depends on: a folder for the compiler and the processor, a key for sources."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from darknet_py.ops import cache as disk

_ROOT = Path(__file__).parents[3]
_IMPORT = re.compile(
    rf"^[ \t]*(?:from[ \t]+{_ROOT.name}([.\w]*)[ \t]+import[ \t]*(\([^)]*\)|.*)"
    rf"|import[ \t]+{_ROOT.name}([.\w]*))",
    re.MULTILINE,
)
_APART = {_ROOT / "ops/cache.py", _ROOT / "ops/notices.py", Path(__file__)}
"""What kernels are kept by: no code comes of it."""


def folder() -> Path | None:
    """Where code of this compiler for this processor is kept; None where nothing can be."""
    return disk.folder(disk.make_key(*_machine()))


@cache
def source_key(source: str) -> str:
    """A key of a file with kernels and of all files of ours that it imports, they import, and so
    on: a change in another one changes no code. Raises OSError where the source is in no file.
    """
    found: set[Path] = set()
    waiting = [Path(source)]
    while waiting:
        path = waiting.pop()
        if path not in found and path not in _APART:
            found.add(path)
            waiting += _read(path)[1]
    others = sorted(found - {Path(source)})
    parts = [part for path in others for part in (os.fsencode(path.name), _read(path)[0])]
    return disk.make_key(_read(Path(source))[0], *parts)


@cache
def _read(path: Path) -> tuple[bytes, list[Path]]:
    """The digest of a file, and the files of ours that it imports."""
    content = path.read_bytes()
    found = _IMPORT.findall(content.decode(errors="replace"))
    imported = [_files((start or whole)[1:], names) for start, names, whole in found]
    return hashlib.sha256(content).digest(), [path for paths in imported for path in paths]


def _files(module: str, names: str) -> list[Path]:
    """The file of a module of ours, dotted, or those of its names that are modules in it."""
    place = _ROOT / module.replace(".", "/")
    if module and (file := place.with_suffix(".py")).is_file():
        return [file]
    named = re.findall(r"(\w+)(?:[ \t]+as[ \t]+\w+)?", names)
    inside = [place / f"{name}.py" for name in named]
    found = [path for path in inside if path.is_file()]
    own = place / "__init__.py"  # what a name is of that is no module
    return found if (named and found == inside) or not own.is_file() else [own, *found]


@cache
def _machine() -> tuple[bytes, ...]:
    import llvmlite

    from darknet_py.ops.cpu.codegen import host

    settings = [f"{name}={value}" for name, value in os.environ.items() if name[:6] == "NUMBA_"]
    versions = [sys.version, np.__version__, llvmlite.__version__, _numba_version()]
    return tuple(os.fsencode(part) for part in [*versions, host.identity(), *sorted(settings)])


def _numba_version() -> str:
    """Without loading numba, which takes longer than all else, nor all packages' metadata."""
    found = find_spec("numba")
    place = found.origin if found is not None else None
    try:
        return Path(str(place)).with_name("_version.py").read_text(encoding="utf-8")
    except OSError:
        from importlib.metadata import version as version_of

        return version_of("numba")
