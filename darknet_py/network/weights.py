"""darknet's `.weights` files: a header and float32 values, little-endian, layer after layer.

The header is int32 major, minor, revision, then `seen`, the pictures trained on: 64 bits if major *
10 + minor >= 2 and both are below 1000, else 32; some files of 0.2 have 32: their size tells. If
either is above 1000, the weights of connected layers stand transposed.
Source: load_weights_upto and save_weights_upto of darknet's parser.c.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from darknet_py.atomic import atomic_file
from darknet_py.errors import WeightsError
from darknet_py.layers import Layer, Parameter
from darknet_py.untrusted import MOST, open_file

Array = Any

_VERSION = struct.Struct("<iii")
_FLOAT = np.dtype("<f4")
_MOST_SEEN = MOST // 2
"""Pictures: with so many at the start, training never overflows the counter."""
_LEAST = {"rolling_variance": -1e-6, "mean_square": 0.0}
"""The least values that rounding may explain."""


@dataclass(frozen=True)
class Header:
    """The header of a file."""

    major: int
    minor: int
    revision: int
    seen: int
    size: int
    """Bytes: 16 with a 32-bit `seen`, 20 with a 64-bit one."""

    @property
    def transposed(self) -> bool:
        """Whether connected layers' weights are stored as (inputs, outputs)."""
        return self.major > 1000 or self.minor > 1000


@dataclass(frozen=True)
class Loaded:
    """A loaded file: its header, and how many layers with weights it filled. left: layers with
    dontload=1 of which the file has no weights."""

    header: Header
    layers: int
    of_layers: int
    left: tuple[int, ...] = ()

    @property
    def is_partial(self) -> bool:
        return self.layers < self.of_layers


def read_revision(path: str | Path) -> int:
    """The last number of a file's version. Raises WeightsError."""
    try:
        with open_file(path) as file:
            start = file.read(64)
            _refuse_other_kinds(Path(path), start, os.fstat(file.fileno()).st_size)
            revision: int = _VERSION.unpack_from(start)[2]
            return revision
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: {_reason(error)}") from error


def read_weights(
    path: str | Path,
    layers: Sequence[Layer],
    partial: bool = False,
    upto: int | None = None,
    begin: bool = False,
) -> Loaded:
    """Loads the parameters of layers, as host arrays, from a file.

    A file that ends exactly between two layers is an error unless `partial`, when layers beyond its
    end keep their values. upto: only the first so many layers are filled. The size is checked
    before anything is read, and nothing is filled before all is read. Raises WeightsError.

    Whether layers with dontload=1 or dontsave=1 are in the file, its size shows. If so they are
    filled; with `begin`, at the start of training, those with dontload=1 are not.
    """
    try:
        with open_file(path) as file:
            return _File(Path(path), layers).read(file, partial, upto, begin)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: {_reason(error)}") from error


def write_weights(
    path: str | Path,
    layers: Sequence[Layer],
    seen: int,
    to_host: Callable[[Array], np.ndarray] = np.asarray,
    revision: int = 0,
) -> None:
    """Writes header 0.2.revision and the parameters' values, whole or not at all; to_host: converts
    them to numpy. Raises WeightsError."""
    try:
        with atomic_file(path) as file:
            file.write(_VERSION.pack(0, 2, revision) + struct.pack("<Q", seen))
            for parameter in _parameters(layers, "dontsave"):
                values = parameter.to_file(to_host(parameter.data))
                file.write(np.ascontiguousarray(values, _FLOAT).data)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be written: {_reason(error)}") from error


def weights_bytes(layers: Sequence[Layer]) -> int:
    """The size of the file that write_weights would write."""
    return 20 + 4 * sum(parameter.size for parameter in _parameters(layers, "dontsave"))


class _File:
    """A file to be loaded into layers."""

    def __init__(self, path: Path, layers: Sequence[Layer]) -> None:
        self.path, self.layers = path, layers

    def with_weights(self, upto: int | None = None) -> list[int]:
        return [index for index, layer in enumerate(self.layers[:upto]) if layer.parameters()]

    def size(self, content: Sequence[int]) -> int:
        """Bytes of the weights of these layers."""
        return sum(4 * p.size for i in content for p in self.layers[i].parameters())

    def name(self, index: int) -> str:
        return f"layer {index} [{self.layers[index].kind}]"

    def error(self, message: str) -> WeightsError:
        return WeightsError(f"{self.path}: {message}")

    def read(self, file: BinaryIO, partial: bool, upto: int | None, begin: bool) -> Loaded:
        size = os.fstat(file.fileno()).st_size
        start = file.read(64)
        _refuse_other_kinds(self.path, start, size)
        contents = self.contents()
        header = _header(start, size, {self.size(content) for content in contents})
        there = self.found(size - header.size, partial, upto)
        if header.seen > _MOST_SEEN:
            raise self.error(f"is damaged: it says that {header.seen:,} pictures were trained on")
        file.seek(header.size)
        wanted = self.with_weights()[: len(self.with_weights(upto))]
        is_there = set(there)
        filled = [i for i in wanted if i in is_there and not (begin and self.layers[i].dontload)]
        is_filled = set(filled)
        read: list[tuple[Parameter, np.ndarray]] = []
        for index in there:
            for parameter in self.layers[index].parameters():
                if index in is_filled:
                    read.append((parameter, self.values(file, header, index, parameter)))
                else:
                    file.seek(4 * parameter.size, os.SEEK_CUR)
        for parameter, values in read:
            parameter.data = values
        left = [i for i in wanted if i not in is_filled and self.layers[i].dontload]
        return Loaded(header, len(filled), len(wanted) - len(left), tuple(left))

    def values(
        self, file: BinaryIO, header: Header, index: int, parameter: Parameter
    ) -> np.ndarray:
        """The next values of a file, in the parameter's shape."""
        flat = np.fromfile(file, _FLOAT, parameter.size)
        if flat.size < parameter.size:
            raise self.error("ended while it was read: is it still being written?")
        fault = values_fault(parameter.name, flat)
        if fault:
            raise self.error(
                f"{self.name(index)} has {fault}: the training diverged, the file is "
                "damaged, or it is for another cfg"
            )
        if header.transposed and parameter.name == "weights" and len(parameter.shape) == 2:
            outputs, inputs = parameter.shape
            flat = flat.reshape(inputs, outputs).T.reshape(-1)
        return parameter.from_file(flat.astype(np.float32, copy=False))

    def contents(self) -> list[list[int]]:
        """The layers that a file may hold: without those of dontload, as the C program reads it;
        all, as written by a cfg without the keys or with dontload alone; without those of dontsave.
        """
        all_ = self.with_weights()
        contents: list[list[int]] = []
        for keys in (("dontload",), (), ("dontsave",), ("dontload", "dontsave")):
            content = [i for i in all_ if not any(getattr(self.layers[i], key) for key in keys)]
            if content not in contents:
                contents.append(content)
        return contents

    def found(self, found: int, partial: bool, upto: int | None) -> list[int]:
        """The layers that a file of so many bytes of weights holds. Raises WeightsError where
        that is ambiguous, or does not fit."""
        contents = self.contents()
        needed = [i for i in self.with_weights(upto) if not self.layers[i].dontload]
        whole = [content for content in contents if self.size(content) == found]
        fitting = whole or self.prefixes(contents, found)
        fitting = [each for each in fitting if each or not needed]
        if len(fitting) > 1:
            raise self.error(
                "may hold all layers but those with dontload=1, or all but those with "
                "dontsave=1, by its size: remove one of the keys from the cfg"
            )
        if fitting and (partial or set(needed) <= set(fitting[0])):
            return fitting[0]
        expected = self.size(contents[0])
        if found > max(self.size(content) for content in contents):
            raise self.error(
                f"holds {found:,} bytes of weights, {found - expected:,} more than the "
                f"{expected:,} that the cfg asks for: is it for another cfg?"
            )
        if whole:
            missing = next(i for i in needed if i not in whole[0])
            raise self.error(
                f"holds nothing of {self.name(missing)}, as dontsave=1 says: without it there is "
                "no answer"
            )
        ends = list(accumulate(self.size([i]) for i in contents[0]))
        count = sum(end <= found for end in ends)
        where = self.name(contents[0][min(count, len(ends) - 1)])
        is_between = count and found == ends[count - 1]
        what = "is a partial file that ends before" if is_between else "runs short in"
        raise self.error(f"{what} {where}: expected {expected:,} bytes of weights, found {found:,}")

    def prefixes(self, contents: list[list[int]], found: int) -> list[list[int]]:
        """The first layers of each content with so many bytes in all."""
        prefixes: list[list[int]] = []
        for content in contents:
            ends = [0, *accumulate(self.size([i]) for i in content)]
            if found in ends and content[: ends.index(found)] not in prefixes:
                prefixes.append(content[: ends.index(found)])
        return prefixes


def values_fault(name: str, values: np.ndarray) -> str | None:
    """A message on values that make a network's output NaN: not finite, or negative means of
    squares; None if there are none. name: the parameter's. Variances slightly below 0, by rounding,
    count as 0: see ops.normalize.deviation."""
    bad = values.size - np.count_nonzero(np.isfinite(values))
    of, what = "weights", "not finite"
    if name in _LEAST and not bad:
        bad = np.count_nonzero(values < _LEAST[name])
        of, what = "variances", f"negative ({values.min():g})"
    return f"{of} that are {what}: {bad:,} of {values.size:,} {name}" if bad else None


def _header(start: bytes, size: int, expected: Collection[int]) -> Header:
    """expected: possible sizes of the weights in bytes."""
    major, minor, revision = _VERSION.unpack_from(start)
    is_long = major * 10 + minor >= 2 and major < 1000 and minor < 1000
    if is_long and (size - 16 in expected or size < 20):
        is_long = False
    (seen,) = struct.unpack_from("<Q" if is_long else "<I", start, _VERSION.size)
    return Header(major, minor, revision, seen, 20 if is_long else 16)


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
