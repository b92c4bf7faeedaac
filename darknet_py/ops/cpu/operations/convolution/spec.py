"""A convolution with all that was folded and fused into it, and what its kernels are given."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.epilogue import SLOPES
from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import Epilogue, PackedWeights, TensorView
from darknet_py.ops.cpu.compile.allocate import FLOAT, padded
from darknet_py.ops.cpu.compile.step import Binding, Row
from darknet_py.ops.cpu.operations.convolution.cost import Choice
from darknet_py.ops.cpu.operations.convolution.packing import Norm, Packing, folded
from darknet_py.ops.graph import TensorSpec
from darknet_py.ops.sizes import dilated


@dataclass
class ConvolutionSpec:
    """y = activation(norm(x * weights) + biases [+ residual]) [+ residual_after], [2x2 maxpool].

    backward: x is the delta of a convolution's output and y that of its input; the weights are
    turned, and stride and padding those of this convolution, not of that. stride: down and to the
    right. changing: the weights move between runs, and are packed in each.
    """

    x: TensorSpec
    y: TensorSpec
    weights: np.ndarray
    stride: tuple[int, int]
    padding: int
    groups: int
    dilation: int = 1
    biases: np.ndarray | None = None
    norm: Norm | None = None
    activation: str = "linear"
    residual: TensorSpec | None = None
    residual_after: TensorSpec | None = None
    mask: tuple[TensorSpec, str] | None = None
    """An activation's output, of y's shape, and its name: y is multiplied by the slope there."""
    pooled: bool = False
    exact: bool = False
    backward: bool = False
    changing: bool = False
    source: TensorSpec | None = None
    """The map within x that is written, where that is not x itself."""
    choice: Choice | None = None

    @property
    def window(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.weights.shape[1], self.weights.shape[2]

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns from the first to the last place of a window."""
        high, wide = self.window
        return dilated(high, self.dilation), dilated(wide, self.dilation)

    @property
    def is_dense(self) -> bool:
        """Whether each pixel is in a window's every place."""
        return self.stride == (1, 1) and self.dilation == 1 and self.groups == 1

    @property
    def filters(self) -> int:
        return int(self.weights.shape[3 if self.backward else 0])

    @property
    def out(self) -> tuple[int, int]:
        """Height and width, before pooling."""
        _, h, w, _ = self.y.shape
        return (2 * h, 2 * w) if self.pooled else (h, w)

    @property
    def chosen(self) -> Choice:
        assert self.choice is not None
        return self.choice


def windows_of(x: TensorView, stride: tuple[int, int], padding: int) -> TensorView:
    """A map from the first window on, its pitches from a window to the next."""
    down, right = stride
    first = x.address - padding * (x.row + x.pixel)
    return x._replace(address=first, row=down * x.row, pixel=right * x.pixel)


def segments_of(
    x: TensorView, window: tuple[int, int], length: int, dilation: int
) -> tuple[list[int], int]:
    """Where the numbers of a window lie that follow one another, `length` in each place: in bytes
    from its first; and how many do."""
    high, wide = window
    row, pixel = dilation * x.row, dilation * x.pixel
    segments = [ky * row + kx * pixel for ky in range(high) for kx in range(wide)]
    if x.pixel == FLOAT * length and dilation == 1:  # a row of the window lies in one piece
        return segments[::wide], wide * length
    return segments, length


class Operands:
    """Of one convolution, once maps have addresses.

    windows: see windows_of. before: rows to run first, which pack what moves between runs. factors:
    of a float a filter, to be multiplied into the weights, or None. vectors: of filters."""

    def __init__(self, spec: ConvolutionSpec, binding: Binding) -> None:
        self.spec, self.binding = spec, binding
        self.x, self.y = binding.place(spec.x), binding.place(spec.y)
        self.windows = windows_of(self.x, spec.stride, spec.padding)
        self.before: list[Row] = []
        self.factors, self.biases = self._factors_and_biases()
        self.vectors = padded(spec.filters) // vector_length()

    def _factors_and_biases(self) -> tuple[np.ndarray | None, int]:
        spec, binding = self.spec, self.binding
        if spec.changing and spec.norm is None and spec.biases is not None:
            room = binding.room(padded(spec.filters))
            column = spec.biases.reshape(-1, 1, 1, 1)
            self.before.append(Packing(0, 1, panel=1).row(column, room.ctypes.data, 0))
            return None, int(room.ctypes.data)
        factors, biases = folded(spec.weights, spec.biases, spec.norm)
        if spec.backward:  # nothing but the factors belongs to what comes back
            biases = np.zeros(padded(spec.filters), np.float32)
        binding.kept.append(biases)
        return factors, int(biases.ctypes.data)

    def epilogue(self) -> Epilogue:
        """What becomes of the sums."""
        spec, binding = self.spec, self.binding
        after = spec.mask[0] if spec.mask else spec.residual_after
        return Epilogue(
            biases=self.biases,
            slopes=binding.floats(SLOPES[spec.activation]),
            residual=binding.difference(spec.residual, self.y),
            residual_after=binding.difference(after, self.y),
            mask=binding.floats(SLOPES[spec.mask[1]]) if spec.mask else 0,
        )

    def window(self, length: int, weights: int) -> PackedWeights:
        """Where the numbers of a window lie, `length` in each place, and weights for them."""
        spec = self.spec
        segments, length = segments_of(self.x, spec.window, length, spec.dilation)
        return PackedWeights(self.binding.integers(segments), len(segments), length, weights)

    def packed(self, packing: Packing) -> int:
        """The address of packed weights, which the program has or a row before packs."""
        spec, binding = self.spec, self.binding
        at = 0 if self.factors is None else int(self.factors.ctypes.data)
        if self.factors is not None:
            binding.kept.append(self.factors)
        if spec.changing:
            room = binding.shared(FLOAT * packing.floats(spec.weights))
            self.before.append(packing.row(spec.weights, room, at))
            return room
        return self.cached(packing, lambda: packing.packed(spec.weights, at))

    def cached(self, key: Hashable, make: Callable[[], np.ndarray]) -> int:
        """The address of what `make` gives of the weights, which is made once for each key."""
        norm = self.spec.norm  # whose factors are of scales and variance
        sources = [self.spec.weights, *((norm.scales, norm.variance) if norm else ())]
        packed = self.binding.weights.get(sources, key, make)
        # programs of training outlive what was packed before a step, and blur's weights never move
        self.binding.kept.append(packed)
        return int(packed.ctypes.data)
