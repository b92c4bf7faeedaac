"""Pictures on their way to the device."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

STREAM: Any = None


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (3, 3, 11, 7), (2, 1)])
@pytest.mark.parametrize("order", ["in order", "turned"])
def test_what_is_sent_arrives(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], order: str
) -> None:
    monkeypatch.setattr(gpu.staging, "_PIECE", 100)
    buffer = gpu.staging.StagingBuffer(shape)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.random(shape, np.float32)
        given = np.array(x, order="C" if order == "in order" else "F")
        buffer.send(given, STREAM)
        given[...] = np.nan
        np.testing.assert_array_equal(gpu.to_host(buffer.device), x)


def test_large_arrays_go_in_pieces(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    kind = type(gpu.array(np.zeros(1)))

    def note(self: Any, x: np.ndarray, stream: Any) -> None:
        sizes.append(x.size)

    monkeypatch.setattr(kind, "set", note)
    monkeypatch.setattr(gpu.staging, "_PIECE", 100)
    gpu.staging.StagingBuffer((2, 130)).send(np.ones((2, 130), np.float32), STREAM)
    assert sizes == [100, 100, 60]
