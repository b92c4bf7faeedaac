"""Most trials are well; the others each have a fault of their own."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path
from random import Random

from scripts.trials.trial import Failed

NAME, GROUP, LIMIT, MEMORY = "odd", "fuzz", 1, 1 << 28

FAULTS = ("Failed", "ValueError", "SystemExit", "MemoryError", "SIGSEGV", "exit", "hang", "locked")


def drawn(random: Random) -> str:
    """What a trial does."""
    return random.choice(FAULTS) if random.random() < 0.1 else "well"


def trial(random: Random, folder: Path) -> str:
    assert Path.cwd() == folder
    assert not os.listdir(folder)
    fault = drawn(random)
    if fault == "Failed":
        raise Failed("as it should\nin two lines")
    if fault == "ValueError":
        raise ValueError("by mistake")
    if fault == "SystemExit":
        sys.exit("no")
    elif fault == "MemoryError":
        bytearray(1 << 30)
    elif fault == "SIGSEGV":
        ctypes.string_at(0)
    elif fault == "exit":
        os._exit(3)
    elif fault == "hang":
        time.sleep(60)
    elif fault == "locked":
        (folder / "a").mkdir()
        (folder / "a" / "file").touch()
        (folder / "a").chmod(0)
    else:
        (folder / "file").touch()
    return fault
