"""What a part is: a module of its name whose plan(settings) gives its rows, to be measured one by
one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scripts.gpu.rows import Row

PARTS = ("accuracy", "speed", "loader", "nightmare", "tests")
"""In the order in which they run: what tells least comes last, should time run out."""


class Settings(NamedTuple):
    """device: ours, "gpu"; seconds: of clock for each row that is timed."""

    device: str
    seconds: float

    @property
    def peer(self) -> str:
        """What PyTorch calls the device."""
        kind, _, number = self.device.partition(":")
        return "cpu" if kind == "cpu" else f"cuda:{number or 0}"


Planned = tuple[str, Callable[[], Row]]
"""A row: what it is, and how it is measured. A plan is the same each time."""
