"""Whether other processes used the machine meanwhile: Linux's /proc/stat less our own time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

STAT = Path("/proc/stat")


class Reading(NamedTuple):
    """Seconds of CPU time since some start: of all processes, and of this one."""

    all: float
    own: float


class Load:
    """Readings, and what counts as quiet. Without `read` nothing is known: all is quiet."""

    def __init__(self, read: Callable[[], Reading] | None) -> None:
        self.read = read

    def mark(self) -> Reading:
        """A point in time to look back at."""
        return self.read() if self.read else Reading(0, 0)

    def others(self, since: Reading) -> float:
        """CPU seconds that other processes used since."""
        now = self.mark()
        return (now.all - since.all) - (now.own - since.own)

    def was_quiet(self, since: Reading, elapsed: float) -> bool:
        """Whether they used at most about 4 % of one CPU; the clocks tick every 10 ms."""
        return self.others(since) < 0.03 + 0.04 * elapsed

    def wait(self, limit: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """Until a moment is quiet, or for `limit` seconds."""
        moment = 0.15
        for _ in range(max(round(limit / moment), 1)):
            mark = self.mark()
            sleep(moment)
            if self.others(mark) < 0.021:
                return


def machine_load() -> Load:
    """This machine's load; one that knows nothing where /proc/stat is not there or stands still."""
    try:
        before = read_stat()
    except (OSError, ValueError, IndexError):
        return Load(None)
    end = time.process_time() + 0.08
    while time.process_time() < end:  # some sandboxes have a /proc/stat that never moves
        pass
    return Load(read_stat if read_stat().all > before.all else None)


def read_stat() -> Reading:
    """Raises OSError, ValueError or IndexError where the system has no such file."""
    words = STAT.read_text(encoding="ascii").split(maxsplit=8)[1:8]
    user, nice, system, _idle, _wait, irq, softirq = (int(word) for word in words)
    ticks = user + nice + system + irq + softirq
    # os.times counts children once they have ended, as the C program's run has by then
    return Reading(ticks / os.sysconf("SC_CLK_TCK"), sum(os.times()[:4]))
