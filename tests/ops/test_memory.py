from __future__ import annotations

import pytest

from darknet_py.errors import OutOfMemoryError
from darknet_py.ops import memory

MB = 1 << 20


def test_this_machine_has_some() -> None:
    assert MB < memory.machine_memory() < 1 << 50
    assert all(left >= 0 for left in memory.container_memory())
    assert 0 < memory.available_memory() <= memory.machine_memory() + 512 * MB


def test_the_least_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine_memory", lambda: 1000 * MB)
    monkeypatch.setattr(memory, "container_memory", list)
    monkeypatch.setattr(memory, "_process_memory", list)
    assert memory.available_memory() == 1000 * MB
    monkeypatch.setattr(memory, "container_memory", lambda: [500 * MB])
    assert memory.available_memory() == 500 * MB
    monkeypatch.setattr(memory, "_process_memory", lambda: [200 * MB])
    assert memory.available_memory() == 200 * MB


def test_what_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 100_000_000)
    memory.check_memory(100_000_000, 10)
    with pytest.raises(OutOfMemoryError) as caught:
        memory.check_memory(400_000_000, 10)
    assert str(caught.value) == "10 at once need 0.40 GB of memory, and 0.10 GB are free"
    assert caught.value.fits == 2
    monkeypatch.setattr(memory, "available_memory", lambda: 0)
    memory.check_memory(memory.SMALL, 10)
