"""What a device is told while a stream captures: written down, and done when the graph is launched.

As on a device, nothing is computed while it is captured, and nothing may come from the host or go
there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_calls: list[Callable[[], Any]] | None = None


def begin() -> None:
    """From now on calls are written down."""
    global _calls  # noqa: PLW0603
    assert _calls is None
    _calls = []


def end() -> list[Callable[[], Any]]:
    """The calls."""
    global _calls
    calls, _calls = _calls, None
    if calls is None:
        raise RuntimeError("cudaErrorStreamCaptureInvalidated: nothing is captured")
    return calls


def effect(call: Callable[[], Any]) -> None:
    """Something that changes memory: done now, or when the graph is launched."""
    if _calls is None:
        call()
    else:
        _calls.append(call)


def result(call: Callable[[], Any]) -> Any:
    """Something that gives an array: the same memory gets the values of each launch."""
    if _calls is None:
        return call()
    with np.errstate(all="ignore"):  # of memory that nothing has written yet
        value = call()
    if isinstance(value, np.ndarray):
        _calls.append(lambda: np.copyto(value, call()))
    return value


def host(what: str, refusal: type[RuntimeError] = RuntimeError) -> None:
    """The host waits for the device, or gives it something. Fails while a stream captures."""
    if _calls is not None:
        raise refusal(f"cudaErrorStreamCaptureUnsupported: {what}")
