"""A recording computed call by call with the plain functions of a device."""

from __future__ import annotations

from typing import Any

from darknet_py.ops.record import Map, Recording, replaced

Array = Any


def replay(recording: Recording, x: Array) -> list[Array]:
    """The outputs of a recording for the array that it is given."""
    (given,) = recording.inputs
    arrays: dict[Map, Array] = {given: x}
    for call in recording.calls:
        assert call.function is not None, call.name
        result = call.function(*replaced(call.arguments, arrays.__getitem__))
        results = result if isinstance(result, tuple | list) else [result]
        arrays.update(zip(call.results, results, strict=True))
    return [arrays[y] for y in recording.outputs]
