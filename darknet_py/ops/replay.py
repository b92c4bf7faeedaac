"""A recording computed call by call with the plain functions of a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from darknet_py.ops.record import Map, Recording, replaced

Array = Any


def replay(recording: Recording, given: Sequence[Array]) -> list[Array]:
    """The outputs of a recording for the arrays that it is given."""
    arrays: dict[Map, Array] = dict(zip(recording.inputs, given, strict=True))
    for call in recording.calls:
        assert call.function is not None, call.name
        result = call.function(*replaced(call.arguments, arrays.__getitem__))
        if not call.results:  # it was for its effect
            continue
        results = result if isinstance(result, tuple | list) else [result]
        arrays.update(zip(call.results, results, strict=True))
    return [arrays[y] for y in recording.outputs]
