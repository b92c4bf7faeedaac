"""Weights: files that are damaged, of another size, or hold values that no network can use.

A file is refused in one line, and the network stays as it was; or the network has the very values
that stand in the file, by its own reckoning of where they are. Which of both is known beforehand.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import numpy as np

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import WeightsError
from darknet_py.network import Network
from darknet_py.ops import for_device
from scripts.trials.damage import damaged
from scripts.trials.trial import Failed

NAME, GROUP = "weights", "fuzz"
SLICE = 400
MEMORY = 1 << 30

_NET = "[net]\nheight=4\nwidth=4\nchannels=2\n"
_CFGS = [
    "[convolutional]\nfilters=3\nsize=3\npad=1\nbatch_normalize=1\n[connected]\noutput=3\n[softmax]\n",
    "[local]\nfilters=2\nsize=3\npad=1\n[batchnorm]\n[connected]\noutput=2\nbatch_normalize=1\n",
    "[convolutional]\nfilters=4\ngroups=2\n[avgpool]\n[softmax]\n",
    "[gru]\noutput=3\n[rnn]\noutput=2\nhidden=2\n[softmax]\n",
    "[maxpool]\n[softmax]\n",
]
_VERSIONS = [(0, 1, 0), (0, 2, 0), (0, 2, 4), (1001, 0, 0), (0, 1001, 3), (-1, 0, 0), (2**30, 2, 2)]
_BAD = [np.nan, np.inf, -np.inf, -1, -1e-5, -1e-7, 3e38, 1e-45]
_MOST_SEEN = 2**61


@dataclass
class _Subject:
    """A network, and how many floats each layer with weights has."""

    net: Network
    sizes: list[int]
    values: bytes
    """A file's, which the network has."""


def prepare() -> None:
    _subjects()


def trial(random: Random, folder: Path) -> str:
    subject = random.choice(_subjects())
    data, partial = _file(random, subject), random.randrange(2) == 0
    path = folder / "net.weights"
    path.write_bytes(data)
    net = subject.net
    expected = _expected(subject, data, partial)
    before = [parameter.value.copy() for parameter in net.parameters()], net.seen
    try:
        net.load_weights(path, partial=partial)
    except WeightsError as error:
        line = str(error)
        if not line.startswith(f"{path}: ") or not line.isprintable() or len(line) > 1000:
            raise Failed(f"is refused in other words than a line: {line!r}") from error
        if expected is not None:
            raise Failed(f"is refused, and should be read: {line}") from error
        values = [parameter.value for parameter in net.parameters()]
        if net.seen != before[1] or not all(map(np.array_equal, values, before[0])):
            raise Failed(f"is refused ({line}), and has changed the network") from error
        path.unlink()
        return "refused"
    path.unlink()
    if expected is None:
        raise Failed("is read, and should be refused")
    floats, transposed, seen = expected
    if net.seen != seen:
        raise Failed(f"seen is {net.seen}, and {seen} in the file")
    _check_is(net, floats, transposed)
    return f"read{', a part' if 4 * sum(subject.sizes) > len(floats) else ''}"


@cache
def _subjects() -> list[_Subject]:
    found = []
    for number, layers in enumerate(_CFGS):
        net = Network(parse_sections(_NET + layers, "a.cfg"), "a.cfg", for_device("cpu"))
        net.initialise(number)
        sizes = [sum(p.size for p in layer.parameters()) for layer in net.layers]
        rng = np.random.default_rng(number)
        values = rng.random(sum(sizes), np.float32).astype("<f4").tobytes()
        found.append(_Subject(net, [size for size in sizes if size], values))
    return found


def _file(random: Random, subject: _Subject) -> bytes:
    """Mostly right ones, that what is wrong is wrong in one way."""
    major, minor, revision = random.choice(_VERSIONS)
    seen = random.choice([0, 7, 2**32 - 1, 2**32, 2**61, 2**61 + 1, 2**63, 2**64 - 1])
    wide = random.choice([_is_wide(major, minor), bool(random.randrange(2))])
    header = struct.pack("<iii", major, minor, revision)
    header += struct.pack("<Q", seen) if wide else struct.pack("<I", seen % 2**32)
    values = subject.values
    how = random.randrange(6)
    if how == 0 and values:
        found = np.frombuffer(values, "<f4").copy()
        found[random.randrange(found.size)] = random.choice(_BAD)
        values = found.tobytes()
    elif how == 1:
        ends = [4 * sum(subject.sizes[:i]) for i in range(len(subject.sizes) + 1)]
        end = random.choice(ends) + random.choice([0, 0, 0, -4, 4, 1])
        values = values[: max(end, 0)]
    data = header + values
    if how in (2, 3):
        others = [each.values for each in _subjects()]
        return damaged(random, data, [b"<html>" * 40, b"version https://git-lfs", *others])
    return data


def _is_wide(major: int, minor: int) -> bool:
    return major * 10 + minor >= 2 and major < 1000 and minor < 1000


def _expected(subject: _Subject, data: bytes, partial: bool) -> tuple[bytes, bool, int] | None:
    """The floats that are to be read, whether those of connected layers are transposed, and seen;
    None where the file is to be refused."""
    whole = 4 * sum(subject.sizes)
    start = data[:64].lstrip()
    if len(data) < 16 or start[:1] == b"<" or data.startswith(b"version https://git-lfs"):
        return None
    major, minor, _ = struct.unpack("<iii", data[:12])
    wide = _is_wide(major, minor) and len(data) >= 20 and len(data) - 16 != whole
    seen = int.from_bytes(data[12 : 20 if wide else 16], "little")
    floats = data[20 if wide else 16 :]
    ends = [4 * sum(subject.sizes[:i]) for i in range(len(subject.sizes) + 1)]
    if len(floats) not in (ends[1:] if partial and whole else [whole]):
        return None
    if seen > _MOST_SEEN or not np.isfinite(np.frombuffer(floats, "<f4")).all():
        return None
    for (_, name), values in _pieces(subject.net, floats):
        if name == "rolling_variance" and (values < -1e-6).any():
            return None
    return floats, major > 1000 or minor > 1000, seen


def _pieces(net: Network, floats: bytes) -> list[tuple[tuple[int, str], np.ndarray]]:
    """The values of each parameter that is in a file, by its number and name."""
    left, found = np.frombuffer(floats, "<f4"), []
    for index, parameter in enumerate(net.parameters()):
        if len(left):
            found.append(((index, parameter.name), left[: parameter.size]))
            left = left[parameter.size :]
    return found


def _check_is(net: Network, floats: bytes, transposed: bool) -> None:
    """Fails where the network has other values than stand in the file."""
    parameters = net.parameters()
    for (index, name), values in _pieces(net, floats):
        parameter = parameters[index]
        wanted = values
        if transposed and name == "weights" and len(parameter.shape) == 2:
            wanted = values.reshape(parameter.shape[::-1]).T.reshape(-1)
        if not np.array_equal(parameter.to_file(parameter.value), wanted):
            raise Failed(f"parameter {index}, {name}, is not what the file says")
