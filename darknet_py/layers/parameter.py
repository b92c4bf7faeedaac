"""An array that a layer learns or counts, and the checks when it is assigned."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from darknet_py.errors import NotFiniteError, ShapeError

Array = Any
Initialiser = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@dataclass(eq=False)
class _Cell:
    """The storage of a parameter, which several networks may share."""

    data: Array = None
    updates: Array = None
    shown: Array = None
    """The view of data that callers of `value` have, and may write to at any time."""
    digest: int | None = None
    """The checksum of data at the last `version`."""
    version: int = 0

    def __getstate__(self) -> dict[str, Any]:
        """A copy has no views."""
        return {**vars(self), "shown": None, "digest": None}


@dataclass(eq=False)
class Parameter:
    """An array of a layer: learned ones have `updates`, and all are in `.weights`, in the C
    program's order: `to_file` and `from_file` convert."""

    name: str
    shape: tuple[int, ...]
    initialise: Initialiser
    decay: bool = False
    learned: bool = True
    file_shape: tuple[int, ...] | None = None
    file_axes: tuple[int, ...] | None = None
    """The array in the file has `file_shape`; its axis i is axis file_axes[i] here."""
    owner: str = ""
    """Its layer, for messages."""
    _cell: _Cell = field(default_factory=_Cell, repr=False)

    @property
    def value(self) -> Array:
        """The values, of `shape`, float32, on the network's device; None before initialisation.

        Can be changed in place, before any prediction: so once it was asked for, each prediction
        begins by reading all of it, some 0.6 ms a million. Can be assigned an array, or a list, of
        real numbers of this shape, on the host or this device: it is copied. Raises ShapeError for
        anything else, NotFiniteError for values that are not finite in float32.
        """
        cell = self._cell
        if cell.shown is None and cell.data is not None:
            cell.shown, cell.digest = cell.data.view(), None
        return cell.shown

    @value.setter
    def value(self, given: Array) -> None:
        if given is None:
            self.data = None
        elif given is not self._cell.shown:  # else it was changed in place: p.value *= 2
            self.data = self._finite(self._copied(given))

    @property
    def data(self) -> Array:
        """The values for internal use: after a change in place call Network.changed."""
        return self._cell.data

    @data.setter
    def data(self, given: Array) -> None:
        fits = given is None or self._fits(given)
        self._cell.data, self._cell.shown = given if fits else self._copied(given), None

    @property
    def updates(self) -> Array:
        """The sum over a batch, of `shape`, float32; between batches, SGD's velocity. None before
        the first. Can be assigned as `value` can."""
        return self._cell.updates

    @updates.setter
    def updates(self, given: Array) -> None:
        fits = given is None or self._fits(given)
        self._cell.updates = given if fits else self._copied(given)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def share(self, other: Parameter) -> None:
        """Shares the other one's storage."""
        self._cell = other._cell

    def to_meta(self) -> None:
        """Gets storage of its own: zeros that take no memory, as on PyTorch's meta device."""
        self._cell = _Cell(np.broadcast_to(np.zeros((), np.float32), self.shape))

    @property
    def has_views(self) -> bool:
        """Whether a caller has `value`, and may change it in place at any time."""
        return self._cell.shown is not None

    def version(self, to_host: Callable[[Array], np.ndarray]) -> int:
        """A number that differs from the last one if `value` has been changed in place."""
        cell = self._cell
        digest = zlib.crc32(np.ascontiguousarray(to_host(cell.data)).data)
        cell.version += digest != cell.digest
        cell.digest = digest
        return cell.version

    def from_file(self, flat: np.ndarray) -> np.ndarray:
        """Values in a file's order (size,) as an array of `shape`."""
        if self.file_axes is None:
            return flat.reshape(self.shape)
        back = np.argsort(self.file_axes)
        stored = flat.reshape(self._file_grid())
        return np.ascontiguousarray(stored.transpose(back)).reshape(self.shape)

    def to_file(self, value: np.ndarray) -> np.ndarray:
        """The values (size,) in the order of a file."""
        if self.file_axes is None:
            return value.reshape(-1)
        grid = self._file_grid()
        here = [0] * len(grid)
        for axis, length in zip(self.file_axes, grid, strict=True):
            here[axis] = length
        return value.reshape(here).transpose(self.file_axes).reshape(-1)

    def _file_grid(self) -> tuple[int, ...]:
        assert self.file_shape is not None
        return self.file_shape

    @property
    def where(self) -> str:
        return f"{self.owner}: {self.name}" if self.owner else self.name

    def _fits(self, given: Any) -> bool:
        """Whether kernels can use the array without a copy."""
        data = self._cell.data
        if not hasattr(given, "flags") or isinstance(given, np.memmap | np.ma.MaskedArray):
            return False
        if data is not None and (type(given) is not type(data) or given.dtype != data.dtype):
            return False
        flags = given.flags
        can_write = getattr(flags, "writeable", True) and getattr(flags, "aligned", True)
        is_float = given.dtype in (np.float32, np.float64)
        return is_float and given.shape == self.shape and flags.c_contiguous and can_write

    def _copied(self, given: Any) -> Array:
        """A C-contiguous copy on the device, of the values' type. Raises ShapeError."""
        data = self._cell.data
        if isinstance(given, np.ma.MaskedArray):
            raise ShapeError(f"{self.where}: was given a masked array: expected all its numbers")
        is_elsewhere = data is None and hasattr(given, "__cuda_array_interface__")
        if not (is_elsewhere or (data is not None and isinstance(given, type(data)))):
            try:
                given = np.asarray(given)
            except (TypeError, ValueError, RuntimeError) as error:
                what = type(given).__name__
                raise ShapeError(f"{self.where}: no array can be made of a {what}") from error
        if given.dtype.kind not in "fiu":
            raise ShapeError(f"{self.where}: expected real numbers, found {given.dtype}")
        if given.shape != self.shape:
            raise ShapeError(f"{self.where}: expected shape {self.shape}, found {given.shape}")
        kind = np.float64 if data is None and given.dtype == np.float64 else np.float32
        with np.errstate(over="ignore"):  # what is too large becomes infinite
            if is_elsewhere:  # on the network's device, which is not known here
                return np.array(given, np.float32, order="C", like=given)
            if data is None:
                return np.array(given, kind, order="C")
            return np.array(given, data.dtype, order="C", like=data)

    def _finite(self, array: Array) -> Array:
        if not bool(np.isfinite(array).all()):
            raise NotFiniteError(f"{self.where}: was given numbers that are not finite (NaN)")
        return array
