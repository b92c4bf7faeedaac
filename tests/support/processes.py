"""Python in a process of its own, for what must not be loaded, or must be torn down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_python(code: str, *arguments: str, **environment: str) -> str:
    """What it prints. An error there, or a minute without an end, is an error here."""
    process = start_python(code, *arguments, **environment)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    return out


def start_python(code: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
