"""Gradients of a convolution's weights, added to their updates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.codegen.kernel import PackedWeights
from darknet_py.ops.cpu.codegen.tile import PANEL
from darknet_py.ops.cpu.compile.allocate import FLOAT, Memory, padded
from darknet_py.ops.cpu.compile.match import Chain, Rules, take_accumulation
from darknet_py.ops.cpu.compile.step import Binding, Rows, Step
from darknet_py.ops.cpu.operations.convolution import direct_gradient as direct
from darknet_py.ops.cpu.operations.convolution import winograd_gradient as winograd
from darknet_py.ops.cpu.operations.convolution.cost import Choice, cheapest
from darknet_py.ops.cpu.operations.convolution.spec import segments_of, windows_of
from darknet_py.ops.graph import TensorSpec
from darknet_py.ops.sizes import pair, stride_name

_KERNELS = {
    2: (winograd.winograd2_gradient, winograd.add_winograd2_gradient),
    4: (winograd.winograd4_gradient, winograd.add_winograd4_gradient),
}
_SHARED = 4 * 1024 * 1024
"""Bytes of sums from which on threads share one copy."""
_PANELS = 4
"""Panels of filters whose deltas are transformed together, at most."""
_CACHE = 320 * 1024
"""Bytes that a thread's block may fill."""


@dataclass
class WeightGradient(Step):
    """updates (filters, size, size, c / groups) += what x and the delta of the output give."""

    READS, WRITES = ("x", "delta"), ()
    x: TensorSpec
    delta: TensorSpec
    updates: np.ndarray
    stride: tuple[int, int]
    padding: int
    groups: int
    dilation: int = 1
    exact: bool = False
    choice: Choice | None = None

    @property
    def window(self) -> tuple[int, int]:
        return self.updates.shape[1], self.updates.shape[2]

    @property
    def name(self) -> str:
        high, wide = self.window
        return f"weights {wide}x{high}/{stride_name(self.stride)} {self.updates.shape[0]}"

    @property
    def algorithm(self) -> str:
        return self.choice.algorithm if self.choice else ""

    def operations(self) -> int:
        n, h, w, _ = self.delta.shape
        return 2 * int(self.updates.size) * n * h * w

    def choose(self, threads: int) -> None:
        n, h, w, filters = self.delta.shape
        self.choice = cheapest(
            (n, h, w),
            self.x.shape[3],
            filters,
            self.window,
            max(self.stride),
            self.groups,
            threads,
            self.exact or self.window != (3, 3) or self.dilation > 1,
        )

    @property
    def m(self) -> int:
        """Outputs of Winograd's tiles at a side, 0 for direct."""
        assert self.choice is not None
        return self.choice.m

    def prepare(self, memory: Memory, threads: int) -> None:
        request = memory.request(self.x)
        request.border = max(request.border, self.padding)
        if self.m:
            request.below = max(request.below, -self.delta.shape[1] % self.m)
            request.tail |= self.delta.shape[2] % self.m > 0

    def scratch(self, threads: int) -> int:
        return threads * self._scratch(threads) if self.m else 0

    def _scratch(self, threads: int) -> int:
        size = winograd.scratch_size(
            self.m, self._block(threads), self._together, padded(self.x.shape[3])
        )
        return -(-size // 64) * 64

    @property
    def _together(self) -> int:
        """Panels of filters that are done together."""
        return min(-(-self._vectors // PANEL), _PANELS)

    @property
    def _vectors(self) -> int:
        """Vectors of filters of all groups."""
        filters = self.updates.shape[0] // self.groups
        return self.groups * padded(filters) // vector_length()

    def _copies(self, threads: int) -> int:
        filters, high, wide, c = self.updates.shape
        places = (self.m + 2) ** 2 if self.m else high * wide
        size = FLOAT * places * padded(c) * padded(filters)
        return 1 if size >= _SHARED else threads

    def _block(self, threads: int) -> int:
        """Tiles that are done together."""
        each = (self.m + 2) ** 2 * FLOAT
        numbers = padded(self.x.shape[3]) + self._together * PANEL * vector_length()
        return max(min(_CACHE // (each * numbers), 64), 8)

    def rows(self, binding: Binding) -> Rows:
        x, delta = binding.place(self.x), binding.place(self.delta)
        filters, high, wide, c = self.updates.shape
        windows = windows_of(x, self.stride, self.padding)
        copies = self._copies(binding.threads)
        updates = {"updates": self.updates.ctypes.data, "filters": filters, "copies": copies}
        if self.m:
            channels = padded(c)
            size = winograd.winograd_sums_size(self.m, channels, self._vectors)
            sums = {"sums": binding.shared(copies * size), "sums_size": size}
            multiply, add = _KERNELS[self.m]
            row = multiply.step(
                x=windows,
                delta=delta,
                vectors=self._vectors,
                block=self._block(binding.threads),
                together=self._together,
                scratch=binding.scratch.ctypes.data,
                scratch_size=self._scratch(binding.threads),
                copies=copies,
                **sums,
            )
            return [row, add.step(c=c, c_padded=channels, **updates, **sums)]
        length = padded(c) if self.groups == 1 and x.pixel == FLOAT * padded(c) else c
        segments, piece = segments_of(x, self.window, length, self.dilation)
        size = direct.sums_size(filters, len(segments) * piece, self.groups)
        sums = {"sums": binding.shared(copies * size), "sums_size": size}
        row = direct.weight_gradient.step(
            x=windows,
            delta=delta,
            window=PackedWeights(binding.integers(segments), len(segments), piece, 0),
            groups=self.groups,
            group_vectors=self._vectors // self.groups,
            x_group=FLOAT * c,
            delta_group=FLOAT * filters // self.groups,
            block=max(256 // delta.w, 1),
            copies=copies,
            **sums,
        )
        taps = {"taps": high * wide, "c": c, "c_padded": length, "groups": self.groups}
        return [row, direct.add_weight_gradient.step(**taps, **updates, **sums)]


def match_weight_gradient(chain: Chain) -> Step | None:
    delta, x, _, stride, padding, groups, dilation = chain.call.arguments
    updates = take_accumulation(chain)
    if updates is None:
        return None
    window = pair(stride), padding, groups, dilation
    return WeightGradient(x, delta, updates, *window, chain.lowering.exact)


RULES: Rules = {"conv2d_backward_weights": match_weight_gradient}
