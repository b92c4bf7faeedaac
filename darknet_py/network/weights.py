"""darknet's `.weights` files: a header and float32 values, little-endian, layer after layer.

The header is int32 major, minor, revision, then `seen`, the number of pictures trained on: 64 bits
if major * 10 + minor >= 2 and both are below 1000, else 32. If either is above 1000, the weights of
connected layers stand transposed. Some files claim 0.2 and have a 32-bit `seen`: their size tells.
Source: load_weights_upto and save_weights_upto of darknet's parser.c.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from darknet_py.atomic import atomic_file
from darknet_py.errors import WeightsError
from darknet_py.layers import Layer, Parameter

Array = Any

_VERSION = struct.Struct("<iii")
_FLOAT = np.dtype("<f4")


@dataclass(frozen=True)
class Header:
    """What stands before the values."""

    major: int
    minor: int
    revision: int
    seen: int
    size: int
    """Bytes: 16 with a 32-bit `seen`, 20 with a 64-bit one."""

    @property
    def transposed(self) -> bool:
        """Whether connected layers' weights stand as (inputs, outputs)."""
        return self.major > 1000 or self.minor > 1000


@dataclass(frozen=True)
class Loaded:
    """What a file gave: its header, and how many layers that have weights it filled."""

    header: Header
    layers: int
    of_layers: int

    @property
    def is_partial(self) -> bool:
        return self.layers < self.of_layers


def read_weights(
    path: str | Path, layers: Sequence[Layer], partial: bool = False, upto: int | None = None
) -> Loaded:
    """Fills the parameters of layers, as host arrays, from a file.

    A file that ends exactly between two layers is a partial one: an error unless `partial`, when
    the layers it does not reach keep what they have. With `upto` only the first so many layers
    are filled, and a partial file may end after them. The file's size is checked before anything
    is read. Raises WeightsError.
    """
    try:
        with open(path, "rb") as file:
            return _read(file, Path(path), layers, partial, upto)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: {_reason(error)}") from error


def write_weights(
    path: str | Path,
    layers: Sequence[Layer],
    seen: int,
    to_host: Callable[[Array], np.ndarray] = np.asarray,
) -> None:
    """Writes header 0.2.0 and the parameters' values; to_host: what makes them numpy's.

    The file appears whole or not at all. Raises WeightsError.
    """
    try:
        with atomic_file(path) as file:
            file.write(_VERSION.pack(0, 2, 0) + struct.pack("<Q", seen))
            for parameter in _parameters(layers, "dontsave"):
                values = parameter.to_file(to_host(parameter.value))
                file.write(np.ascontiguousarray(values, _FLOAT).data)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be written: {_reason(error)}") from error


def weights_bytes(layers: Sequence[Layer]) -> int:
    """The size of the file that write_weights would write."""
    return 20 + 4 * sum(parameter.size for parameter in _parameters(layers, "dontsave"))


def _read(
    file: BinaryIO, path: Path, layers: Sequence[Layer], partial: bool, upto: int | None
) -> Loaded:
    size = os.fstat(file.fileno()).st_size
    start = file.read(64)
    _refuse_other_kinds(path, start, size)
    wanted = _with_weights(layers)
    filled = len(_with_weights(layers[:upto]))
    sizes = [4 * sum(p.size for p in layer.parameters()) for layer in wanted]
    header = _header(start, size, sum(sizes))
    least = 1 if partial else max(filled, 1)
    count = _count_layers(path, layers, wanted, sizes, size - header.size, least)
    file.seek(header.size)
    for layer in wanted[: min(count, filled)]:
        for parameter in layer.parameters():
            flat = np.fromfile(file, _FLOAT, parameter.size)
            if flat.size < parameter.size:
                raise WeightsError(f"{path}: ended while it was read: is it still being written?")
            if header.transposed and parameter.name == "weights" and len(parameter.shape) == 2:
                outputs, inputs = parameter.shape
                flat = flat.reshape(inputs, outputs).T.reshape(-1)
            parameter.value = parameter.from_file(flat.astype(np.float32, copy=False))
    return Loaded(header, min(count, filled), filled)


def _with_weights(layers: Sequence[Layer]) -> list[Layer]:
    return [layer for layer in layers if layer.parameters() and not layer.dontload]


def _header(start: bytes, size: int, expected: int) -> Header:
    major, minor, revision = _VERSION.unpack_from(start)
    is_long = major * 10 + minor >= 2 and major < 1000 and minor < 1000
    if is_long and (size - 16 == expected or size < 20):
        is_long = False
    (seen,) = struct.unpack_from("<Q" if is_long else "<I", start, _VERSION.size)
    return Header(major, minor, revision, seen, 20 if is_long else 16)


def _count_layers(
    path: Path,
    layers: Sequence[Layer],
    wanted: list[Layer],
    sizes: list[int],
    found: int,
    least: int,
) -> int:
    """How many of the wanted layers the file holds; WeightsError where that is no whole answer,
    or fewer than `least`."""
    expected = sum(sizes)
    if found == expected:
        return len(wanted)
    if found > expected:
        raise WeightsError(
            f"{path}: holds {found:,} bytes of weights, {found - expected:,} more than the "
            f"{expected:,} that the cfg asks for: is it for another cfg?"
        )
    ends = list(accumulate(sizes))
    count = sum(end <= found for end in ends)
    complete = found == (ends[count - 1] if count else 0)
    if complete and count >= least:
        return count
    first = wanted[count]
    where = f"layer {layers.index(first)} [{first.kind}]"
    what = "is a partial file that ends before" if complete and count else "runs short in"
    raise WeightsError(
        f"{path}: {what} {where}: expected {expected:,} bytes of weights, found {found:,}"
    )


def _refuse_other_kinds(path: Path, start: bytes, size: int) -> None:
    if size == 0:
        raise WeightsError(f"{path}: is empty")
    if start.lstrip()[:1] == b"<":
        raise WeightsError(
            f"{path}: is an HTML page, not weights: the download failed, fetch it again"
        )
    if size < 16:
        raise WeightsError(f"{path}: has {size} bytes, too few for a .weights file")
    if start.startswith(b"version https://git-lfs"):
        raise WeightsError(f"{path}: is a Git LFS pointer, not weights: run git lfs pull")


def _parameters(layers: Sequence[Layer], unless: str) -> list[Parameter]:
    return [p for layer in layers if not getattr(layer, unless) for p in layer.parameters()]


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    if isinstance(error, IsADirectoryError):
        return "is a folder, not a file"
    return getattr(error, "strerror", None) or str(error)
