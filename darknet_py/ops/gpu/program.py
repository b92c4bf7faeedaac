"""A graph compiled for the GPU: its own stream and memory, and from its second run on a CUDA graph.

The first run launches kernel by kernel, which compiles and plans what is missing and takes all
memory that is needed. The second is captured; from then on one launch runs it. Memory comes from a
pool of its own: what a CUDA graph's kernels use must stay theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import cupy as cp
import numpy as np
from cupyx import empty_pinned

from darknet_py.ops.array_types import Array
from darknet_py.ops.execution import Times, compute, peak_bytes, replay
from darknet_py.ops.gpu.autocast import HALF_ARGUMENTS, autocast
from darknet_py.ops.gpu.faults import first_line
from darknet_py.ops.gpu.fuse import fuse
from darknet_py.ops.gpu.kernel import algorithm, note_algorithms
from darknet_py.ops.gpu.memory import Pool, StagingBuffer
from darknet_py.ops.gpu.profile import operation_count, seconds_of, seconds_of_call, step_name
from darknet_py.ops.graph import Graph, Node
from darknet_py.ops.simplify import simplify

_PIECE = 512
"""Bytes: cupy rounds sizes up to multiples of this."""
_WORKSPACE = 4
"""A fourth of what the maps take is left for cuDNN's workspaces."""

CAPTURED = {
    *HALF_ARGUMENTS,
    "absolute_error",
    "accumulate",
    "activate_boxes",
    "activate_boxes_backward",
    "batch_loss",
    "binarize",
    "binarize_weights",
    "blend",
    "blend_backward",
    "blur",
    "blur_backward",
    "crop",
    "crop_backward",
    "depth_to_space",
    "dream_delta",
    "dream_limit",
    "dropout",
    "flatten_chw",
    "flatten_chw_backward",
    "guide_delta",
    "join_steps",
    "l2norm",
    "l2norm_backward",
    "local_avgpool",
    "local_avgpool_backward",
    "local_biases_backward",
    "logistic_cross_entropy",
    "lrn",
    "lrn_backward",
    "masked_squared_error",
    "maxpool_depth",
    "maxpool_depth_backward",
    "moving_average",
    "multiply",
    "multiply_backward",
    "narrow",
    "one_hot",
    "pad_channels",
    "pad_to",
    "pad_to_backward",
    "random_crop",
    "random_crop_backward",
    "reorg",
    "reorg_backward",
    "reorg_flatten",
    "reorg_flatten_backward",
    "reorg_reverse",
    "reorg_reverse_backward",
    "reshape",
    "scale",
    "shortcut_backward",
    "shortcut_factors",
    "shortcut_factors_backward",
    "slice_channels",
    "slice_channels_backward",
    "smooth_error",
    "smooth_truth",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "space_to_depth",
    "split_steps",
    "squared_error",
    "stand_out",
    "standardize",
    "standardize_backward",
    "to_chw",
    "to_hwc",
    "upsample",
    "upsample_backward",
    "weighted_sum",
    "weighted_sum_backward",
    "widen",
    "zero_map",
    "zero_state",
}
"""Calls that launch kernels and do nothing else. A copy from the host must not be in a CUDA graph:
its source is gone when it runs again. Nor does cupy capture cuBLAS, so that [local] is not here."""


class Program:
    """What an engine keeps for a graph. Programs are run by one thread at a time."""

    def __init__(
        self,
        graph: Graph,
        arrays: Sequence[Array],
        pool: Pool,
        *,
        exact: bool,
        half: bool,
        changing: bool,
    ) -> None:
        """arrays: the parameters; changing: they move between runs, and are read in each. pool: its
        memory, which no CUDA graph shares with another program."""
        self.changing = changing
        self.arrays = arrays
        self.captured: str = ""
        """Why it is not a CUDA graph; empty while it is, or may become one."""
        self._graph = prepared(graph, exact=exact, half=half, changing=changing)
        odd = sorted({call.name for call in self._graph.calls} - CAPTURED)
        if odd:
            self.captured = f"it has {', '.join(odd)}"
        self._item = 2 if half else 4
        self._stream, self._pool = pool.stream, pool
        self._cuda_graph: Any = None
        self._runs = 0
        self._given: list[StagingBuffer] = []
        self._outputs: list[Array] = []
        self._returned: list[np.ndarray] = []

    def __del__(self) -> None:
        # before the pool
        self._cuda_graph, self._given, self._outputs = None, [], []

    def has_room(self) -> bool:
        """Whether there is memory for its maps, in one piece, which stays theirs."""
        maps = peak_bytes(self._graph, self._item) + len(self._graph.calls) * _PIECE
        with self._in_use():
            return self._pool.has_room(maps + maps // _WORKSPACE)

    @property
    def is_graph(self) -> bool:
        """Whether one launch runs it."""
        return self._cuda_graph is not None

    def run(self, given: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The outputs for what the graph is given, float32."""
        # what moved the parameters was launched elsewhere
        cp.cuda.get_current_stream().synchronize()
        with self._in_use():
            self._take(given)
            self._launch()
            outputs = self._give()
        self._runs += 1
        return outputs

    def times(self, given: Sequence[np.ndarray], rounds: int) -> Times:
        """How long each call takes by itself, and all of them as one graph; but for the peak."""
        for _ in range(2):  # the second one is captured
            self.run(given)
        steps: list[tuple[str, tuple[int, ...], str, int, float]] = []

        def measured(call: Node, arguments: tuple[Any, ...]) -> Any:
            with note_algorithms() as used:
                result = compute(call, arguments)
            work = partial(compute, call, arguments)
            captured = call.name in CAPTURED
            seconds = seconds_of_call(work, self._stream, rounds, captured)
            way = "" if call.name == "reshape" else algorithm(used)
            shape = (call.results or call.maps())[0].shape
            steps.append((step_name(call), shape, way, operation_count(call), seconds))
            return result

        with self._in_use():
            replay(self._graph, [staging.device for staging in self._given], measured)
            whole = None
            if self._cuda_graph is not None:
                launch = partial(self._cuda_graph.launch, self._stream)
                whole = seconds_of(launch, self._stream, rounds)
        megabytes = peak_bytes(self._graph, self._item) / 1e6
        return Times(steps, 0.0, megabytes, whole, self.captured)

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._stream, cp.cuda.using_allocator(self._pool.malloc):
            yield

    def _take(self, given: Sequence[np.ndarray]) -> None:
        if not self._given:
            self._given = [StagingBuffer(x.shape) for x in given]
        for staging, x in zip(self._given, given, strict=True):
            staging.send(x, self._stream)

    def _launch(self) -> None:
        if self._runs == 1 and not self.captured:
            self._capture()
        if self._cuda_graph is not None:
            self._cuda_graph.launch(self._stream)
        else:
            self._outputs = self._replayed()

    def _replayed(self) -> list[Array]:
        outputs = replay(self._graph, [staging.device for staging in self._given])
        return [y if y.flags.c_contiguous else y.copy() for y in outputs]

    def _capture(self) -> None:
        self._outputs = []  # their memory is used again
        self._pool.begin()
        self._stream.begin_capture()
        try:
            outputs = self._replayed()
            cuda_graph = self._stream.end_capture()
        except (RuntimeError, cp.cuda.memory.OutOfMemoryError) as error:
            # the same calls have just run: what is wrong is that they are captured
            self.captured = first_line(error)
            with suppress(RuntimeError):
                self._stream.end_capture()
            return
        if not self._pool.has_all():
            self.captured = "there is too little memory"
            return
        self._cuda_graph, self._outputs = cuda_graph, outputs

    def _give(self) -> list[np.ndarray]:
        if not self._returned:
            self._returned = [empty_pinned(y.shape, y.dtype) for y in self._outputs]
        for y, pinned in zip(self._outputs, self._returned, strict=True):
            y.get(stream=self._stream, out=pinned, blocking=False)
        self._stream.synchronize()
        return [pinned.copy() for pinned in self._returned]


def prepared(graph: Graph, *, exact: bool, half: bool, changing: bool) -> Graph:
    """A graph as it will run."""
    fused = fuse(simplify(graph), exact, changing)
    return autocast(fused, changing) if half else fused
