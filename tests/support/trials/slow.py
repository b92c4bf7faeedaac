"""A kind that takes its time before its first trial."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

NAME, GROUP = "slow", "layers"


def prepare() -> None:
    time.sleep(0.7)


def trial(random: Random, folder: Path) -> str:
    return "well"
