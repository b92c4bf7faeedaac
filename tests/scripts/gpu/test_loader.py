"""How long training waits for pictures."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from darknet_py.images.dataset import readable
from darknet_py.images.io.image import load_pixels
from scripts.gpu import loader
from tests.scripts.gpu.rows import CPU


def test_pictures_from_files() -> None:
    row = loader.loaded("cifar_small", 4, 8, CPU)
    assert row.files > 0
    assert row.memory > 0
    assert 0 <= row.waited <= row.files
    assert 10 < row.kilobytes < 40


def test_a_slow_loader_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that take long to decode are waited for, each time anew."""
    decoded = []

    def slow(path: Path) -> Any:
        decoded.append(path)
        time.sleep(0.02)
        return load_pixels(path)

    monkeypatch.setattr(readable, "load_pixels", slow)
    row = loader.loaded("cifar_small", 4, 4, CPU)
    assert len(decoded) >= 4 * 6
    assert row.waited > 10
    assert row.share > 0.5
