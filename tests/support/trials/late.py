"""A kind whose process ends between its trials."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from random import Random

NAME, GROUP = "late", "kills"


class _Circle:
    """Collected once the trials of a message are done."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        os._exit(9)


def prepare() -> None:
    gc.disable()


def trial(random: Random, folder: Path) -> str:
    _Circle()
    return "well"
