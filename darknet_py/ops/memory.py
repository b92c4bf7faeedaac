"""How much memory there is, and what to say where it is too little."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from darknet_py.errors import OutOfMemoryError

_SHARE = 0.95
"""Of what is free: a safety margin."""
SMALL = 64 << 20
"""Bytes that are taken without a check."""


def check_memory(needed: int, n: int) -> None:
    """Raises OutOfMemoryError where the bytes that `n` pictures at once need are not free: before
    they are allocated, as a system may grant memory that it has not, and end the program later."""
    if needed > SMALL and needed > (free := available_memory()):
        raise OutOfMemoryError(
            f"{n:,} at once need {needed / 1e9:,.2f} GB of memory, and {free / 1e9:,.2f} GB are "
            "free",
            int(_SHARE * n * free / needed),
        )


def available_memory() -> int:
    """Bytes that may still be taken on this machine, of its container's share, within the limits
    of the process."""
    return min([machine_memory(), *container_memory(), *_process_memory()])


def machine_memory() -> int:
    """Bytes that the machine has left; where that is not known, that it has."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = {line.split(":")[0]: line.split()[1] for line in lines}
        return 1024 * int(found["MemAvailable"])
    except (OSError, KeyError, IndexError, ValueError):
        pass  # no Linux
    return physical_memory() or 4 << 30


def physical_memory() -> int | None:
    """Bytes that the machine has, if the system says so."""
    if sys.platform == "win32" or not hasattr(os, "sysconf"):
        return None
    try:
        return max(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), 0) or None
    except (ValueError, OSError):
        return None


def container_memory() -> list[int]:
    """What is left of a container's share, if this is one; files that it has read do not count."""
    folder = Path("/sys/fs/cgroup")
    try:
        most = (folder / "memory.max").read_text().strip()
        if most == "max":
            return []
        used = int((folder / "memory.current").read_text())
        lines = (folder / "memory.stat").read_text().splitlines()
        cached = int(dict(line.split() for line in lines)["inactive_file"])
        return [max(int(most) - used + cached, 0)]
    except (OSError, KeyError, ValueError):
        return []


def _process_memory() -> list[int]:
    """What is left of what the process may address (ulimit -v), if that is limited."""
    if sys.platform == "win32":
        return []
    with suppress(ImportError, OSError, ValueError):
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            return [max(most - pages * os.sysconf("SC_PAGE_SIZE"), 0)]
    return []
