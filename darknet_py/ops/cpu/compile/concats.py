"""Concatenations that copy nothing: their parts are written side by side from the start."""

from __future__ import annotations

from collections.abc import Sequence

from darknet_py.ops.cpu.codegen.host import vector_length
from darknet_py.ops.cpu.compile.allocate import Within
from darknet_py.ops.cpu.compile.step import Step
from darknet_py.ops.cpu.operations.batchnorm import Normalize
from darknet_py.ops.cpu.operations.convolution.convolution import Convolution
from darknet_py.ops.cpu.operations.elementwise import Concat, Picture
from darknet_py.ops.graph import TensorSpec


def share_concats(steps: Sequence[Step], outputs: Sequence[TensorSpec]) -> dict[TensorSpec, Within]:
    """Maps that may be written where a concatenation has them, and where that is."""
    inside: dict[TensorSpec, Within] = {}
    keep = set(outputs)
    for step in steps:
        if isinstance(step, Convolution | Normalize):
            twins = step.reads[1:]
            keep.update([step.y, *twins] if twins else [])
    written = {x for step in steps if not isinstance(step, Picture) for x in step.writes}
    # the last first, so that a concatenation within another ends up in the outermost
    for step in reversed(steps):
        if not isinstance(step, Concat) or len(set(step.parts)) < len(step.parts):
            continue
        channel = 0
        for part in step.parts:
            is_free = part in written and part not in inside and part not in keep
            if is_free and part.shape[3] % vector_length() == 0:
                inside[part] = Within(step.y, channel)
            channel += part.shape[3]
    return inside
