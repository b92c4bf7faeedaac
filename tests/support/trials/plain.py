"""A kind in which nothing fails, in a group of its own."""

from __future__ import annotations

from pathlib import Path
from random import Random

NAME, GROUP, WEIGHT = "plain", "fuzz", 3

_prepared: list[bool] = []


def prepare() -> None:
    _prepared.append(True)


def trial(random: Random, folder: Path) -> str:
    assert _prepared == [True]
    return random.choice(["heads", "tails"])
