"""First runs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.gpu import first
from tests.scripts.gpu.rows import CPU


def test_first_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first, "CACHES", ())  # kernels are compiled elsewhere
    row = first.measure("training", "cifar_small", 2, CPU)
    assert row[:3] == ("training", "cifar_small", 2)
    assert min(row.compiled, row.kept) > 0


def test_first_runs_have_caches_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def seconds_of(arguments: list[str], environment: Any) -> float:
        seen.append(dict(environment))
        assert not seen[1:] or Path(environment["DARKNET_CACHE_DIR"]).is_dir()
        return float(len(seen))

    monkeypatch.setattr(first, "seconds_of", seconds_of)
    assert first.measure("inference", "tiny", 1, CPU) == ("inference", "tiny", 1, 1.0, 2.0)
    assert seen[0] == seen[1]
    assert set(seen[0]) == {"DARKNET_CACHE_DIR", "CUPY_CACHE_DIR", "CUDA_CACHE_PATH"}


def test_a_process_that_fails() -> None:
    code = "import os, sys; sys.exit(int(os.environ['DARKNET_CODE']))"
    assert first.seconds_of(["-c", code], {"DARKNET_CODE": "0"}) > 0
    with pytest.raises(subprocess.CalledProcessError):
        first.seconds_of(["-c", code], {"DARKNET_CODE": "3"})
