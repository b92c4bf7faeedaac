"""States of trainings: damaged, or hostile with a digest that is right.

A state is refused in one line, and the network stays as it was; or the network is exactly what the
file says, and trains on. Only the very bytes that were written pass without a new digest.
"""

from __future__ import annotations

import hashlib
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import StateError
from darknet_py.network import Network
from darknet_py.network.learning import prepare_updates
from darknet_py.network.snapshot import arrays_of, take_snapshot
from darknet_py.network.state import save_state
from darknet_py.network.state_file import MAGIC
from darknet_py.ops import for_device
from darknet_py.tasks.checkpoint import how_it_began, resume
from darknet_py.tasks.run import Progress
from darknet_py.tasks.split import Side, Split
from scripts.trials.damage import NOT_JSON, damaged, mutated, value
from scripts.trials.trial import Failed

NAME, GROUP = "states", "fuzz"
SLICE = 400
MEMORY = 1 << 30

_CFG = """[net]
batch=2
height=4
width=4
channels=2
learning_rate=.01
{}
[crop]
crop_height=4
crop_width=4
[convolutional]
filters=3
size=3
pad=1
batch_normalize=1
activation=leaky
[dropout]
[connected]
output=3
activation=linear
[softmax]
"""
_KINDS = {
    "": 0.0,
    "optimizer=adam\npolicy=plateau\nplateau_window=2\n": 0.9,
    "optimizer=rmsprop\npolicy=plateau\n": 0.0,
}
"""Keys of [net], and the decay of an average."""
_FRONT = len(MAGIC) + 32 + 8
"""Bytes before a header."""


@dataclass
class _Subject:
    """A network, the state that it is in, and another that it was in, and the parts of that."""

    net: Network
    own: bytes
    data: bytes
    header: dict[str, Any]
    split: bytes
    floats: bytes
    """All arrays, as they are in the file."""


def prepare() -> None:
    _subjects()


def trial(random: Random, folder: Path) -> str:
    subject = random.choice(_subjects())
    names = list(_DAMAGES)
    (name,) = random.choices(names, [_DAMAGES[each][1] for each in names])
    data = _DAMAGES[name][0](random, subject)
    path = folder / "net.state"
    path.write_bytes(data)
    net, before = subject.net, _everything(subject.net)
    is_known = _refusal(how_it_began, path) is None
    refusal = _refusal(lambda path: resume(net, path), path)
    if refusal is not None:
        if data == subject.data:
            raise Failed(f"what was written is refused: {refusal}")
        if _everything(net) != before:
            raise Failed(f"is refused ({refusal}), and has changed the network")
        path.unlink()
        return f"{name}: refused"
    if name in ("damage", "no state") and data != subject.data:
        raise Failed("passed with other bytes than were written")
    try:
        _check_is(net, data)
        if is_known:  # else the program had stopped before
            _go_on(net, path)
    finally:
        path.write_bytes(subject.own)
        resume(net, path)
        path.unlink()
    if _everything(net) != before:
        raise Failed("what was written does not bring the network back")
    return f"{name}: {'taken as it is' if is_known else 'refused'}"


def _refusal(read: Callable[[Path], object], path: Path) -> str | None:
    """The line in which a file is refused."""
    try:
        read(path)
    except StateError as error:
        line = str(error)
        if not line.startswith(f"{path}: ") or not line.isprintable() or len(line) > 1000:
            raise Failed(f"is refused in other words than a line: {line!r}") from error
        return line.removeprefix(f"{path}: ")
    return None


@cache
def _subjects() -> list[_Subject]:
    split = _split_of_four()
    found = []
    for number, (keys, decay) in enumerate(_KINDS.items()):
        net = Network(parse_sections(_CFG.format(keys), "a.cfg"), "a.cfg", for_device("cpu"))
        net.initialise(number)
        prepare_updates(net)
        data, own = (_saved(net, decay, split, 2 * number + k) for k in (1, 2))
        header, rest = _parts(data)
        found.append(_Subject(net, own, data, header, split, rest[len(split) :]))
    return found


def _saved(net: Network, decay: float, split: bytes, number: int) -> bytes:
    """A state in which all differs from that of another number."""
    rng = np.random.default_rng(number)
    if decay:
        net.keep_average(decay / number)
    for parameter in net.parameters():
        arrays = [parameter.value, *net.optimiser.moments_of(parameter)]
        arrays += [] if parameter.updates is None else [parameter.updates]
        if net.average is not None:
            net.average.values[parameter] = np.zeros(parameter.shape, np.float32)
            net.average.steps = number
            arrays.append(net.average.values[parameter])
        for array in arrays:
            array[...] = rng.random(array.shape)
    if net.plateau is not None:
        net.plateau.kept = take_snapshot(net)
        net.plateau.observe(number + 0.5)
    net.seen, net.optimiser.steps = 2 * (7 + number), 7 + number
    for layer in net.layers:
        layer.restore(dict.fromkeys(layer.counters, 5 + number))
    progress = Progress(1.5, 0.75, 6, 1, seed=3, share=0.1, class_weights=(0.5, 1, 1.5))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.state"
        # always the same, whatever the process
        save_state(path, net, {**progress.notes(), "run": "0" * 16}, {"split": split})
        return path.read_bytes()


def _split_of_four() -> bytes:
    sides = (Side((f"{side}/1.png", f"{side}/2.png"), ((0,), (1, 2)), (7, -1)) for side in "ab")
    return Split(("cat", "dog", "fox"), "/pictures", *sides).packed


def _parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    """A file's header, and what follows it."""
    (length,) = struct.unpack("<Q", data[_FRONT - 8 : _FRONT])
    header: dict[str, Any] = json.loads(data[_FRONT : _FRONT + length])
    return header, data[_FRONT + length :]


def _file(header: dict[str, Any], more: bytes, floats: bytes) -> bytes:
    """A file whose digests are right."""
    known = (
        {**header, "digest": hashlib.sha256(floats).hexdigest()} if "digest" in header else header
    )
    return _raw(json.dumps(known).encode(), more, floats)


def _raw(header: bytes, more: bytes, floats: bytes, length: int | None = None) -> bytes:
    """The same of any header, of which nothing is changed."""
    size = struct.pack("<Q", len(header) if length is None else length)
    content = b"".join([size, header, more])
    return MAGIC + hashlib.sha256(content).digest() + content + floats


def _everything(net: Network) -> tuple[object, ...]:
    """All of a network that a state may change."""
    arrays = {name: array.tobytes() for name, array in arrays_of(net)}
    average, plateau = net.average, net.plateau
    steered = None
    if plateau is not None:
        kept = plateau.kept and {
            name: each if name != "arrays" else {k: a.tobytes() for k, a in each.items()}
            for name, each in vars(plateau.kept).items()
        }
        steered = plateau.state_dict(), kept
    averaged = average and (average.decay, average.steps, len(average.values))
    counters = [layer.state() for layer in net.layers]
    return arrays, net.seen, net.optimiser.steps, averaged, counters, steered


def _check_is(net: Network, data: bytes) -> None:
    """Fails where a network is not what a file says, read in the plainest way."""
    header, rest = _parts(data)
    rest = rest[sum(size for _, size in header["more"]) :]
    steered = header["plateau"]
    sizes = {f"{index}": each.shape for index, each in enumerate(net.parameters())}
    read: list[dict[str, bytes]] = []
    for names in (header["arrays"], steered["arrays"] if steered else []):
        arrays = {}
        for name in names:
            size = 4 * int(np.prod(sizes[name.split("_")[1]]))
            arrays[name], rest = rest[:size], rest[size:]
        read.append(arrays)
    found, seen, steps, average, counters, plateau = _everything(net)
    expected_plateau = None
    if steered is not None:
        counts = {name: steered[name] for name in ("steps", "average_steps", "batch")}
        expected_plateau = steered["notes"], {"arrays": read[1], **counts}
    kept = header["average"]
    agreed = [
        not rest,
        found == read[0],
        (seen, steps) == (header["seen"], header["steps"]),
        (average and average[:2]) == (kept and (kept["decay"], kept["steps"])),  # type: ignore[index]
        counters == header["layers"],
        net.plateau is None or steered is None or plateau == expected_plateau,
    ]
    if not all(agreed):
        raise Failed(f"the network is not what the file says: {agreed}")


def _go_on(net: Network, path: Path) -> None:
    """What training does with what a state has brought: nothing may break, and what is then saved
    can be read."""
    prepare_updates(net)
    with np.errstate(all="ignore"):
        net.update()
        for loss in (1.0, 0.5, 2.0):
            if net.plateau is not None:
                net.plateau.observe(loss)
    try:
        save_state(path, net, {})
    except StateError as error:
        if "not finite" not in str(error):
            raise Failed(f"what was gone on from cannot be saved: {error}") from error


def _damage(random: Random, subject: _Subject) -> bytes:
    return damaged(random, subject.data, [each.data for each in _subjects()])


def _no_state(random: Random, subject: _Subject) -> bytes:
    """A file of another kind."""
    old = BytesIO()
    with zipfile.ZipFile(old, "w") as archive:
        archive.writestr("header.npy", b"\x93NUMPY")
    kinds = [b"", MAGIC, MAGIC[:-1], MAGIC + bytes(40), old.getvalue(), b"\x80\x04.", b"<html>"]
    return random.choice([*kinds, random.randbytes(random.randrange(300))])


def _header(random: Random, subject: _Subject) -> bytes:
    header = mutated(random, subject.header)
    return _raw(json.dumps(header).encode(), subject.split, subject.floats)


def _numbers(random: Random, subject: _Subject) -> bytes:
    """One place that holds a number, changed."""
    header = json.loads(json.dumps(subject.header))
    places = list(_numbers_in(header))
    where, key = random.choice(places)
    where[key] = value(random)
    return _file(header, subject.split, subject.floats)


def _numbers_in(document: Any) -> Any:
    pairs = document.items() if isinstance(document, dict) else enumerate(document)
    for key, each in pairs:
        if isinstance(each, dict | list):
            yield from _numbers_in(each)
        elif not isinstance(each, str):
            yield document, key


def _text(random: Random, subject: _Subject) -> bytes:
    """A header that is no JSON, or of another length than it says."""
    good = json.dumps(subject.header).encode()
    if random.randrange(3):
        return _raw(random.choice(NOT_JSON), subject.split, subject.floats)
    length = random.choice([0, 1, len(good) - 1, len(good) + 1, 2**24, 2**31, 2**63, 2**64 - 1])
    return _raw(good, subject.split, subject.floats, length=length)


def _arrays(random: Random, subject: _Subject) -> bytes:
    """Other names, and as many floats as these would have, or others; or what no float may be."""
    header, floats = json.loads(json.dumps(subject.header)), subject.floats
    if random.randrange(2):
        found = np.frombuffer(floats, "<f4").copy()
        bad = [np.nan, np.inf, -np.inf, -1, -1e-9, 3e38, 1e-45, -0.0]
        for _ in range(random.choice([1, 1, 3])):
            found[random.randrange(found.size)] = random.choice(bad)
        return _file(header, subject.split, found.tobytes())
    held = [header, *([header["plateau"]] if header["plateau"] else [])]
    where = random.choice(held)
    where["arrays"] = mutated(random, where["arrays"])
    size = random.choice([0, 4, 12, len(floats) - 12, len(floats), 2 * len(floats)])
    return _file(header, subject.split, (2 * floats)[:size])


def _split(random: Random, subject: _Subject) -> bytes:
    """Another split, and the size that it has."""
    packed = subject.split
    how = random.randrange(4)
    if how == 0:
        packed = damaged(random, packed, [packed[::-1]])
    elif how == 1:
        packed = zlib.compress(random.choice(NOT_JSON))
    else:
        packed = zlib.compress(
            json.dumps(mutated(random, json.loads(zlib.decompress(packed)))).encode()
        )
    header = {**subject.header, "more": [["split", len(packed)]]}
    return _file(header, packed, subject.floats)


def _bomb(random: Random, subject: _Subject) -> bytes:
    """A split of some kilobytes that unpacks to megabytes, or to millions of items."""
    packer = zlib.compressobj(1)
    unit = random.choice([b" ", b"[],", b"0,", b'"",', b"{},", b"["]) * 2**18
    count = random.choice([2, 15, 60]) * 2**20 // len(unit)
    packed = b"".join(packer.compress(unit) for _ in range(count)) + packer.flush()
    header = {**subject.header, "more": [["split", len(packed)]]}
    return _file(header, packed, subject.floats)


_DAMAGES: dict[str, tuple[Callable[[Random, _Subject], bytes], float]] = {
    "damage": (_damage, 30),
    "no state": (_no_state, 5),
    "header": (_header, 20),
    "number": (_numbers, 15),
    "text": (_text, 10),
    "arrays": (_arrays, 20),
    "split": (_split, 10),
    "bomb": (_bomb, 0.05),
}
"""How a file is made, and how often among others."""
