"""Runs what was recorded, for pictures from the host."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, NoReturn

import numpy as np

from darknet_py.errors import DeviceError
from darknet_py.ops.gpu.arrays import array, to_host
from darknet_py.ops.record import Recording
from darknet_py.ops.replay import replay


class Engine:
    """What a network runs on; it keeps the programs that it made."""

    trains = False
    """Whether `run` takes recordings of training too."""

    def __init__(self, exact: bool = False) -> None:
        """exact: no algorithm that rounds more than the plain one does."""
        self.exact = exact
        self._recordings: dict[Hashable, Recording] = {}

    def clear(self) -> None:
        """Forgets all programs."""
        self._recordings.clear()

    def moved(self) -> None:
        """Forgets programs that hold parameters: an optimiser has moved them. None does."""

    def run(
        self,
        key: Hashable,
        record: Callable[[int], Recording],
        x: np.ndarray,
        *others: np.ndarray,
        arrays: Sequence[Any] = (),
        changing: bool = False,
    ) -> list[np.ndarray]:
        """The outputs (n, h, w, c) for x (n, c, h, w) float32; record(n) makes the recording.

        key: what is computed, and for which size of picture. others: what else the recording is
        given. arrays: the parameters; where they are no float32, all is computed as they are.
        changing: parameters move between runs, and are read in each.
        """
        full_key = key, tuple(map(id, arrays)), len(x)
        if full_key not in self._recordings:
            self._recordings[full_key] = record(len(x))
        dtype = arrays[0].dtype if arrays else np.float32
        given = [array(each, dtype) for each in (x, *others)]
        return [to_host(y) for y in replay(self._recordings[full_key], given)]

    def times(self, *_: Any, **__: Any) -> NoReturn:
        """Raises DeviceError: what a step is, is not known here."""
        raise DeviceError("steps are shown for the CPU alone: add --device cpu")
