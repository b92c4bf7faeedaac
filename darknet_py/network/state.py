"""The state of training: all that a run needs to resume bit for bit.

One file (state_file.py) holds the arrays of snapshot.arrays_of, weights included, so that a run may
be killed at any time; with policy=plateau those of the best weights too. All of it is checked
against the network before it is used.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from darknet_py import untrusted
from darknet_py.cfg.rules import PROGRAMS
from darknet_py.errors import StateError
from darknet_py.network.model import Model
from darknet_py.network.optimiser import Average
from darknet_py.network.plateau import Plateau, Snapshot, check_state_dict
from darknet_py.network.snapshot import ArraySpec, array_specs, arrays_of, put_arrays
from darknet_py.network.state_file import StateReader, reading_state, write_state
from darknet_py.network.weights import values_fault
from darknet_py.untrusted import BadValueError, integer, number, text

_NET_KEYS = (
    *("width", "height", "channels", "inputs", "mean", "std"),
    *("batch", "subdivisions", "optimizer", "seed"),
)
_HEADER = (
    *("cfg", "rules", "seen", "steps", "average", "plateau"),
    *("layers", "notes", "more", "arrays", "digest"),
)
_MOST_MORE = 1 << 28
"""Bytes that a caller may add under one name."""
_COUNTS = [each.name for each in fields(Snapshot) if each.name != "arrays"]


def save_state(
    path: str | Path,
    network: Model,
    notes: dict[str, Any],
    more: Mapping[str, bytes] | None = None,
) -> None:
    """Writes the state, whole or not at all. `notes` are the caller's, any JSON, and so are the
    bytes in `more`. Raises StateError, also where values are not finite: no run could resume."""
    average, plateau, more = network.average, network.plateau, more or {}
    arrays = dict(arrays_of(network))
    kept = None if plateau is None else plateau.kept
    slots = dict(array_specs(network))
    try:
        for name, array in (*arrays.items(), *(kept.arrays.items() if kept else ())):
            _check_array(name, slots[name], network, array)
    except BadValueError as error:
        raise StateError(f"{path}: is not written: {error}") from error
    header: dict[str, Any] = {
        "cfg": cfg_digest(network),
        "rules": network.settings.rules.program,
        "seen": network.seen,
        "steps": network.optimiser.steps,
        "average": average and {"decay": average.decay, "steps": average.steps},
        "plateau": None,
        "layers": [layer.state() for layer in network.layers],
        "notes": notes,
        "more": [[name, len(each)] for name, each in more.items()],
        "arrays": list(arrays),
    }
    if plateau is not None and kept is not None:
        counts = {name: getattr(kept, name) for name in _COUNTS}
        header["plateau"] = {"notes": plateau.state_dict(), "arrays": list(kept.arrays), **counts}
    every = [*arrays.values(), *(kept.arrays.values() if kept else ())]
    write_state(path, header, more.values(), every)


@dataclass
class State:
    """A file's content, checked against its network. notes: the caller's, any JSON, not checked."""

    notes: Any
    decay: float | None
    """Of the average, where one is kept."""
    _header: dict[str, Any]
    _arrays: dict[str, np.ndarray]
    _kept: dict[str, np.ndarray]

    def restore(self, network: Model) -> None:
        """Loads it into the network, once: the arrays are moved one by one, so that memory holds
        them once."""
        header = self._header
        network.average = None
        if self.decay is not None:
            network.average = Average(self.decay, network.ops)
            network.average.steps = header["average"]["steps"]
        put_arrays(network, lambda name: self._arrays.pop(name, None))
        if network.plateau is not None:
            network.plateau = Plateau(network.plateau.how)  # by its current settings
            if (found := header["plateau"]) is not None:
                network.plateau.load_state_dict(found["notes"])
                counts = {name: found[name] for name in _COUNTS}
                network.plateau.kept = Snapshot(self._kept, **counts)
        for layer, counters in zip(network.layers, header["layers"], strict=True):
            layer.restore(counters)
        network.seen, network.optimiser.steps = header["seen"], header["steps"]
        network.changed()


def read_state(path: str | Path, network: Model) -> State:
    """The state of a network of the same cfg, all checked. Raises StateError."""
    with reading_state(path) as reader:
        header, _ = _front(reader)
        if header["cfg"] != cfg_digest(network):
            raise StateError(f"{path}: is a state of another network than {network.path}")
        _check_counts(header, network)
        _follow_rules(header["rules"], path, network)
        slots, plateau = dict(array_specs(network)), header["plateau"]
        averaged = header["average"] is not None
        names = _names(header["arrays"], slots, averaged)
        kept_names = [] if plateau is None else _names(plateau["arrays"], slots, averaged)
        floats = sum(math.prod(slots[name].shape) for name in (*names, *kept_names))
        if 4 * floats != reader.left:
            raise BadValueError("its size is not what its header says")
        arrays, kept = (
            {name: reader.array(slots[name].shape) for name in each} for each in (names, kept_names)
        )
        reader.end()
        for name, array in (*arrays.items(), *kept.items()):
            _check_array(name, slots[name], network, array)
    decay = header["average"]["decay"] if averaged else None
    return State(header["notes"], decay, header, arrays, kept)


def read_notes(path: str | Path) -> tuple[Any, dict[str, bytes]]:
    """A state's notes, not checked, and the bytes of its caller, without a network. Raises
    StateError."""
    with reading_state(path) as reader:
        header, more = _front(reader)
    return header["notes"], more


def cfg_digest(network: Model) -> str:
    """A digest of what a state depends on: the layers, and of [net] the sizes and the optimiser.

    The rates and max_batches may change between runs.
    """
    net, *layers = network.sections
    lines = [f"{key}={net.values[key].text}" for key in _NET_KEYS if key in net.values]
    for section in layers:
        lines.append(f"[{section.name}]")
        lines += sorted(f"{key}={value.text}" for key, value in section.values.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _front(reader: StateReader) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The header and the caller's bytes, as they were written: by name."""

    def pair(value: Any, what: str) -> tuple[str, int]:
        name, size = value if type(value) is list and len(value) == 2 else (None, None)
        return text(name, what), integer(size, what, most=_MOST_MORE)

    header = untrusted.fields(reader.header, "its header", _HEADER)
    pairs = untrusted.items(header["more"], "more", pair)
    more = {name: reader.read(size) for name, size in pairs}
    if len(more) < len(pairs):
        raise BadValueError("a name is in it twice")
    reader.check()
    return header, more


def _check_counts(header: dict[str, Any], network: Model) -> None:
    """All numbers of a header but the caller's."""
    for name in ("seen", "steps"):
        integer(header[name], name)
    if header["average"] is not None:
        average = untrusted.fields(header["average"], "average", ("decay", "steps"))
        number(average["decay"], "the average's decay", 0, 1)
        integer(average["steps"], "the average's steps")
    if header["plateau"] is not None:
        found = untrusted.fields(header["plateau"], "plateau", ("notes", "arrays", *_COUNTS))
        check_state_dict(found["notes"])
        for name in _COUNTS:
            integer(found[name], f"plateau's {name}")
    counters = untrusted.items(header["layers"], "layers", lambda value, what: value)
    if len(counters) != len(network.layers):
        raise BadValueError(f"it has {len(counters):,} layers, not {len(network.layers):,}")
    for layer, found in zip(network.layers, counters, strict=True):
        for each in untrusted.fields(found, f"[{layer.kind}]", layer.counters).values():
            integer(each, f"a counter of [{layer.kind}]")


def _follow_rules(program: Any, path: str | Path, network: Model) -> None:
    """The rules that the run began with are the network's, which its cfg alone need not say."""
    rules = network.settings.rules
    if program not in PROGRAMS:
        raise BadValueError(f"its rules are of no program: expected {' or '.join(PROGRAMS)}")
    if program != rules.program:
        if rules.is_fixed:
            raise StateError(f"{path}: was begun by the rules of {program}: say --rules {program}")
        rules.follow(program, f"{path} says so")
        network.changed()


def _names(value: Any, slots: Mapping[str, ArraySpec], averaged: bool) -> list[str]:
    """Names of arrays, checked to be some that arrays_of gives, with all required ones."""
    there = set(untrusted.items(value, "arrays", text))
    expected = [
        name
        for name, slot in slots.items()
        if slot.always or (slot.needs or name) in there
        if averaged or not name.startswith("average")
    ]
    if value != expected:
        raise BadValueError("its arrays are not those of the network")
    return expected


def _check_array(name: str, slot: ArraySpec, network: Model, array: np.ndarray) -> None:
    if array.dtype != np.float32 or array.shape != slot.shape:
        raise BadValueError(f"{name} is {array.dtype} {array.shape}: expected float32 {slot.shape}")
    fault = values_fault(slot.what, array)
    if fault:
        raise BadValueError(f"layer {slot.layer} [{network.layers[slot.layer].kind}] has {fault}")
