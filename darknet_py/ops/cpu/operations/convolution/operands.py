"""What a convolution's kernel is given, whatever its algorithm: where maps and parameters lie."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import numpy as np

from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.compile.allocate import FLOAT, padded
from darknet_py.ops.cpu.compile.step import Binding
from darknet_py.ops.cpu.compile.table import Row
from darknet_py.ops.cpu.operations.convolution.packing import Packing, biases_row, folded
from darknet_py.ops.normalize import EPSILON

if TYPE_CHECKING:
    from darknet_py.ops.cpu.operations.convolution.convolution import Convolution


class Operands:
    """Of one convolution, once maps have addresses.

    before: rows that are to run first, which pack what moves between runs. factors: of a float a
    filter, to be multiplied into the weights, or None.
    """

    def __init__(self, step: Convolution, binding: Binding) -> None:
        self.step, self.binding = step, binding
        self.x, self.y = binding.place(step.x), binding.place(step.y)
        self.before: list[Row] = []
        self.factors, self._biases = self._factors_and_biases()
        self.vectors = padded(step.filters) // vector_length()
        """Of filters."""

    def _factors_and_biases(self) -> tuple[np.ndarray | None, int]:
        step, binding = self.step, self.binding
        if step.changing and step.norm is None and step.biases is not None:
            room = binding.room(padded(step.filters))
            self.before.append(biases_row(step.biases, room))
            return None, int(room.ctypes.data)
        factors, biases = folded(step.weights, step.biases, step.norm, EPSILON)
        if step.backward:  # nothing but the factors belongs to what comes back
            biases = np.zeros(padded(step.filters), np.float32)
        binding.kept.append(biases)
        return factors, int(biases.ctypes.data)

    def start(self) -> dict[str, int]:
        """Where the first window and the first output lie, and the biases."""
        x = self.x.address - self.step.padding * (self.x.row + self.x.pixel)
        return {"x": x, "y": self.y.address, "biases": self._biases}

    def finish(self) -> dict[str, int]:
        """What becomes of the sums once biases are added: see kernels/epilogue.py."""
        step, binding = self.step, self.binding
        added_after = step.gate[0] if step.gate else step.added_after
        return {
            "added": binding.difference(step.added, self.y),
            "added_after": binding.difference(added_after, self.y),
            "gate": binding.floats(SLOPES[step.gate[1]]) if step.gate else 0,
            "slopes": binding.floats(SLOPES[step.activation]),
        }

    def pitches(self) -> dict[str, int]:
        """Bytes from one output to the next, and from one window to the next."""
        return {**self.x.pitches("x", self.step.stride), **self.y.pitches("y")}

    def window(self) -> list[int]:
        """Where the places of a window lie, in bytes from its first."""
        high, wide = self.step.window
        return [ky * self.x.row + kx * self.x.pixel for ky in range(high) for kx in range(wide)]

    def segments(self, length: int) -> dict[str, int]:
        """Where the numbers of a window lie that follow one another, `length` in each place."""
        wide, segments = self.step.window[1], self.window()
        if self.x.pixel == FLOAT * length:  # a row of the window lies in one piece
            segments, length = segments[::wide], wide * length
        where = self.binding.integers(segments)
        return {"segments": where, "count": len(segments), "length": length}

    def packed(self, packing: Packing) -> int:
        """The address of packed weights, which the program has or a row before packs."""
        step, binding = self.step, self.binding
        at = 0 if self.factors is None else int(self.factors.ctypes.data)
        if self.factors is not None:
            binding.kept.append(self.factors)
        if step.changing:
            room = binding.shared(FLOAT * packing.floats(step.weights))
            self.before.append(packing.row(step.weights, room, at))
            return room
        return self.made(packing, lambda: binding.packed(packing, step.weights, at))

    def made(self, key: Hashable, make: Callable[[], np.ndarray]) -> int:
        """The address of what `make` gives of the weights, which is made once for each key."""
        # of a norm, scales and variance, which give the factors
        sources = [self.step.weights, *(self.step.norm[::2] if self.step.norm else ())]
        return int(self.binding.weights.get(sources, key, make).ctypes.data)
