"""What the figures hold for: processor, threads, versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PACKAGES = ("numpy", "numba")
VECTORS = ("avx512f", "avx2", "asimd")
"""Vector instructions, the widest first, as /proc/cpuinfo calls them."""


def describe_machine(threads: int, packages: Sequence[str]) -> dict[str, Any]:
    """For the first line and for JSON."""
    model, vectors = _processor()
    found = {name: _version(name) for name in (*PACKAGES, *packages)}
    return {
        "processor": model,
        "vectors": vectors,
        "cores": _cores(),
        "threads": threads,
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: version for name, version in found.items() if version},
    }


def machine_line(machine: dict[str, Any]) -> str:
    vectors = f" ({machine['vectors']})" if machine["vectors"] else ""
    versions = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"{machine['processor']}{vectors}, {machine['cores']} cores, {machine['threads']} threads; "
        f"{machine['system']}, Python {machine['python']}, {versions}"
    )


def default_threads() -> int:
    """As many as this process may use at once."""
    return _cores()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> tuple[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine(), ""
    model = re.search(r"(?m)^model name\s*:\s*(.*)$", text)
    flags = re.search(r"(?mi)^(?:flags|features)\s*:\s*(.*)$", text)
    words = set(flags[1].split()) if flags else set()
    vectors = next((name for name in VECTORS if name in words), "")
    return model[1].strip() if model else platform.machine(), vectors
