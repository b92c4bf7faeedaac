"""The state of a training: all that a run needs to go on as if it had never stopped.

A numpy archive (.npz): `header`, JSON as bytes, and for each parameter its value, its updates
(SGD's velocity), its moments and, where one is kept, its average; with policy=plateau all of
that a second time, as it was at the best look. Weights are in it too, so that
one file, renamed into place, is the whole truth: a run that is killed between two files has lost
nothing.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from darknet_py.atomic import atomic_file
from darknet_py.errors import StateError
from darknet_py.network.average import Average
from darknet_py.network.memory import Memory, arrays_of, put_arrays
from darknet_py.network.network import Network
from darknet_py.network.plateau import Plateau

T = TypeVar("T")

_VERSION = 4
_MORE = "more_"
"""Before the names of the caller's arrays."""
_DAMAGE = (
    *(OSError, EOFError, KeyError, ValueError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError),
)
"""What reading a damaged archive brings up: the last two where it seems to be of another kind."""
_KEPT = "kept_"
"""Before the names of arrays that policy=plateau goes back to."""
_NET_KEYS = (
    *("width", "height", "channels", "inputs", "mean", "std"),
    *("batch", "subdivisions", "optimizer", "seed"),
)


def save_state(
    path: str | Path,
    network: Network,
    notes: dict[str, Any],
    more: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Writes the state, whole or not at all. `notes` are the caller's, any JSON, and so are the
    arrays in `more`.

    Raises StateError.
    """
    header = {
        "version": _VERSION,
        "cfg": cfg_digest(network),
        "seen": network.seen,
        "steps": network.optimiser.steps,
        "average": _average_of(network),
        "plateau": _plateau_of(network),
        "layers": [layer.state() for layer in network.layers],
        "notes": notes,
    }
    arrays = {
        "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
        **dict(arrays_of(network)),
        **_kept_arrays(network),
        **{f"{_MORE}{name}": array for name, array in (more or {}).items()},
    }
    try:
        with atomic_file(path) as file:
            np.savez(file, allow_pickle=False, **arrays)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StateError(f"{path}: cannot be written: {reason}") from error


def load_state(path: str | Path, network: Network) -> dict[str, Any]:
    """Puts a state into a network of the same cfg; the notes. Raises StateError."""
    return _read(path, lambda archive: _restore(archive, network, path))


def read_notes(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A state's notes, and the arrays of its caller, without a network. Raises StateError."""

    def read(archive: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        names = [name for name in archive if name.startswith(_MORE)]
        more = {name.removeprefix(_MORE): archive[name] for name in names}
        return _header(archive, path)["notes"], more

    return _read(path, read)


def _read(path: str | Path, how: Callable[[Any], T]) -> T:
    """What `how` makes of a state's archive."""
    try:
        with open(path, "rb") as file:
            if file.read(2) != b"PK":
                raise StateError(
                    f"{path}: is no training state (weights are given without --resume)"
                )
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                return how(archive)
    except FileNotFoundError as error:
        raise StateError(
            f"{path}: no such file: there is nothing to resume: leave out --resume"
        ) from error
    except _DAMAGE as error:
        raise StateError(f"{path}: is damaged: {error}") from error


def cfg_digest(network: Network) -> str:
    """A digest of what a state depends on: the layers, and of [net] the sizes and the optimiser.

    The rates and max_batches may change between runs.
    """
    net, *layers = network.sections
    lines = [f"{key}={net.values[key].text}" for key in _NET_KEYS if key in net.values]
    for section in layers:
        lines.append(f"[{section.name}]")
        lines += sorted(f"{key}={value.text}" for key, value in section.values.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _average_of(network: Network) -> dict[str, float] | None:
    average = network.average
    return None if average is None else {"decay": average.decay, "steps": average.steps}


def _plateau_of(network: Network) -> dict[str, Any] | None:
    """What policy=plateau remembers; its arrays are in `_kept_arrays`."""
    plateau = network.plateau
    if plateau is None or plateau.kept is None:
        return None
    kept = {name: value for name, value in vars(plateau.kept).items() if name != "arrays"}
    return {"notes": plateau.notes(), "kept": kept}


def _kept_arrays(network: Network) -> dict[str, np.ndarray]:
    if network.plateau is None or network.plateau.kept is None:
        return {}
    return {f"{_KEPT}{name}": array for name, array in network.plateau.kept.arrays.items()}


def _restore_plateau(plateau: Plateau, header: dict[str, Any], archive: Any) -> None:
    plateau.take_up(header["notes"])
    names = [name for name in archive if name.startswith(_KEPT)]
    arrays = {name.removeprefix(_KEPT): archive[name] for name in names}
    plateau.kept = Memory(arrays, **header["kept"])


def _header(archive: Any, path: str | Path) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(archive["header"].tobytes())
    if header["version"] != _VERSION:
        raise StateError(f"{path}: is a state of another version of this program")
    return header


def _restore(archive: Any, network: Network, path: str | Path) -> dict[str, Any]:
    header = _header(archive, path)
    if header["cfg"] != cfg_digest(network):
        raise StateError(f"{path}: is a state of another network than {network.path}")
    ops = network.ops
    network.average = None
    if header["average"] is not None:
        network.average = Average(header["average"]["decay"], ops)
        network.average.steps = header["average"]["steps"]
    put_arrays(network, archive)
    if network.plateau is not None and header["plateau"] is not None:
        _restore_plateau(network.plateau, header["plateau"], archive)
    for layer, state in zip(network.layers, header["layers"], strict=True):
        for name, value in state.items():
            setattr(layer, name, value)
    network.seen, network.optimiser.steps = header["seen"], header["steps"]
    notes: dict[str, Any] = header["notes"]
    return notes
