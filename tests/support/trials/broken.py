"""A kind that cannot begin."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

NAME, GROUP = "broken", "kills"


def prepare() -> None:
    print("there is no disk", flush=True)
    os._exit(7)


def trial(random: Random, folder: Path) -> str:
    raise NotImplementedError
