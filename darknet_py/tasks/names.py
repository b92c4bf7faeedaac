"""The names of a network's outputs."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from pathlib import Path

from darknet_py.cfg.data_file import DataFile, read_lines
from darknet_py.errors import CfgError, DarknetError
from darknet_py.network import Network
from darknet_py.network.boxes import is_detector
from darknet_py.resources import find_resource
from darknet_py.text import counted, joined_bytes

_SHIPPED = {1000: "data/imagenet.shortnames.list"}
"""What the outputs mean where nobody says: a network with 1000 was trained on ImageNet."""
_SHIPPED_BOXES = {20: "data/voc.names", 80: "data/coco.names"}
"""The same for a detector's classes; those of a classifier of so many may be anybody's."""
_FEW = 12
"""Names that an error lists."""


def read_names(path: str | Path, outputs: int, beside: Path | None = None) -> list[str]:
    """The first `outputs` lines of a names file, found as resources.find_resource does; one that
    is longer is usual.

    Raises CfgError where it cannot be read or has fewer.
    """
    found = find_resource(str(path), beside)
    if found is None and beside is not None and os.path.exists(path) and not os.path.isdir(path):
        raise CfgError(path, None, "is no regular file")
    found = found or Path(path)
    names = read_lines(found)
    if len(names) < outputs:
        raise CfgError(
            found,
            None,
            f"holds {counted(len(names), 'name')}, and the network knows {outputs} classes",
        )
    return names[:outputs]


def default_names(outputs: int, net: Network) -> list[str]:
    """The names in NAME.names (see names_file), if there are so many; else the shipped ones for so
    many outputs, or a detector's classes; where there are none, the numbers."""
    known = own_names(outputs, net) or shipped_names(outputs) or _shipped_boxes(outputs, net)
    return known or [str(index) for index in range(outputs)]


def own_names(outputs: int, net: Network) -> list[str] | None:
    """The names in NAME.names (see names_file); None where there is no such file, or it has fewer.
    Raises CfgError."""
    beside = names_file(net)
    found = read_lines(beside) if os.path.isfile(beside) else []
    return found[:outputs] if len(found) >= outputs else None


def shipped_names(outputs: int) -> list[str] | None:
    """What so many outputs mean where nobody says; None where that cannot be guessed."""
    return read_names(_SHIPPED[outputs], outputs) if outputs in _SHIPPED else None


def _shipped_boxes(classes: int, net: Network) -> list[str] | None:
    """As shipped_names, where a network finds boxes; None for others."""
    if classes not in _SHIPPED_BOXES or not is_detector(net):
        return None
    return read_names(_SHIPPED_BOXES[classes], classes)


def names_file(net: Network) -> Path:
    """NAME.names beside NAME.cfg, whether or not it is there; where it is not, the one that a
    training has left beside the weights."""
    beside = Path(net.path).with_suffix(".names")
    if net.weights_path is not None and not os.path.isfile(beside):
        left = Path(net.weights_path).with_name(beside.name)
        return left if os.path.isfile(left) else beside
    return beside


def names_of_data(data: DataFile, outputs: int, net: Network) -> list[str]:
    """The names that a `.data` file gives, found from its own folder too."""
    if data.names is None:
        return default_names(outputs, net)
    return read_names(data.names, outputs, data.path.parent)


def choose_names(names: str | Path | Sequence[str] | None, outputs: int, net: Network) -> list[str]:
    """Names given as a list, as a file, or not at all; net: the network."""
    if names is None:
        return default_names(outputs, net)
    if isinstance(names, (str, Path)):
        return read_names(names, outputs)
    several: object = names
    if isinstance(several, bytes) or not isinstance(several, Sequence):
        found = type(several).__name__
        raise CfgError("names", None, f"expected a list or a file, found a {found}")
    if len(names) < outputs:
        raise CfgError(
            "names", None, f"{len(names)} were given, and the network knows {outputs} classes"
        )
    for name in names[:outputs]:
        if not isinstance(name, str):
            raise CfgError("names", None, f"expected words, found a {type(name).__name__}")
    return list(names[:outputs])


def classes_called(name: str, names: Sequence[str]) -> list[int]:
    """The numbers of classes of this name: spelled so, else in large or small letters; or the
    number that it is."""
    name = joined_bytes(name)  # as the C locale takes a name that is not ASCII
    exact = [index for index, each in enumerate(names) if each == name.strip()]
    if exact:
        return exact
    wanted = name.strip().lower()
    found = [index for index, each in enumerate(names) if each.lower() == wanted]
    if not found and wanted.isdecimal() and len(wanted) < 10 and int(wanted) < len(names):
        return [int(wanted)]
    return found


def find_class(name: str, names: Sequence[str]) -> int:
    """The number of a class, from its name, in large or small letters, or from its number.

    Raises DarknetError for a name that no class has, or several.
    """
    found = classes_called(name, names)
    if len(found) == 1:
        return found[0]
    shown = joined_bytes(name)
    if found:
        numbers = " or ".join(map(str, found))
        raise DarknetError(f"{shown!r} is the name of {len(found)} classes: say {numbers}")
    near = difflib.get_close_matches(name.strip().lower(), [each.lower() for each in names], 3)
    last = len(names) - 1
    if near:
        advice = f"did you mean {', '.join(near)}?"
    elif list(names) == [str(index) for index in range(len(names))]:
        advice = f"the classes' names are not known (--names FILE): expected 0 to {last}"
    elif len(names) <= _FEW:
        advice = f"expected {', '.join(names)}, or 0 to {last}"
    else:
        advice = f"expected the name of one of {len(names)} classes, or 0 to {last}"
    raise DarknetError(f"there is no class {shown!r}: {advice}")
