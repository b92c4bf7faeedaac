"""The tests that need a device."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.gpu.plan import Planned, Settings
from scripts.gpu.rows import Suite

ROOT = Path(__file__).resolve().parents[2]
PATHS = ("tests/ops/test_gpu.py", "tests/ops/gpu/test_cudnn.py")
"""The others beside them run on stand-ins, everywhere."""
NO_GPU = ": no GPU: "
"""In the reason of a test that was left out since it found none: nothing is shown then."""
LIMIT = 300.0
"""Seconds after which they are stopped: others want the machine too."""


def plan(settings: Settings) -> Iterator[Planned]:
    """One row. The tests choose their devices themselves."""
    yield "pytest", lambda: run(PATHS)


def run(paths: tuple[str, ...]) -> Suite:
    """Raises TimeoutExpired."""
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", *paths]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT
    )
    print(done.stdout, done.stderr, file=sys.stderr)
    return read(done.stdout, done.returncode)


def read(output: str, code: int) -> Suite:
    """What pytest has printed, and its exit code."""
    lines = output.strip().splitlines() or [f"pytest ended with code {code}"]
    notes = [line for line in lines if line.startswith(("FAILED ", "ERROR ", "SKIPPED "))]
    without_gpu = any(NO_GPU in note for note in notes)
    return Suite(code == 0 and not without_gpu, lines[-1], notes)
