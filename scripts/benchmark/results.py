"""What was found: rows, their ratios, and JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

OURS = "ours"


@dataclass(frozen=True)
class Cell:
    """One contestant in one row. `errors` are relative to what float64 gives."""

    seconds: float
    noisy: bool = False
    quiet_calls: int = 0
    rejected_blocks: int = 0
    errors: dict[str, float] = field(default_factory=dict)

    @property
    def error(self) -> float | None:
        """The largest of the errors."""
        return max(self.errors.values(), default=None)


@dataclass(frozen=True)
class Row:
    """One work on one network: ours and the peers, whose names may say a setting behind a blank."""

    work: str
    network: str
    batch: int
    width: int
    height: int
    cells: dict[str, Cell]
    layer: int | None = None

    @property
    def noisy(self) -> bool:
        return any(cell.noisy for cell in self.cells.values())

    @property
    def best_peer(self) -> str | None:
        """The fastest of the others; None where there is none."""
        peers = {name: cell.seconds for name, cell in self.cells.items() if name != OURS}
        return min(peers, key=lambda name: peers[name], default=None)

    @property
    def ratio(self) -> float | None:
        """The best peer's time over ours: above 1 we are faster."""
        best = self.best_peer
        return None if best is None else self.cells[best].seconds / self.cells[OURS].seconds

    def best_of(self, peer: str) -> Cell | None:
        """A peer's better setting: of "torch" and "torch channels_last" the faster."""
        cells = [cell for name, cell in self.cells.items() if name.split()[0] == peer]
        return min(cells, key=lambda cell: cell.seconds, default=None)

    def as_json(self) -> dict[str, Any]:
        cells = {
            name: {"milliseconds": 1000 * cell.seconds, "error": cell.error, **_rest(cell)}
            for name, cell in self.cells.items()
        }
        return {
            "work": self.work,
            "network": self.network,
            "batch": self.batch,
            "picture": [self.width, self.height],
            "layer": self.layer,
            "noisy": self.noisy,
            "best_peer": self.best_peer,
            "ratio": self.ratio,
            "contestants": cells,
        }


def _rest(cell: Cell) -> dict[str, Any]:
    values = asdict(cell)
    del values["seconds"]
    return values


def geometric_means(rows: Sequence[Row]) -> dict[str, float]:
    """Of the ratios, for each work."""
    ratios: dict[str, list[float]] = {}
    for row in rows:
        if row.ratio is not None:
            ratios.setdefault(row.work, []).append(row.ratio)
    return {work: geometric_mean(values) for work, values in ratios.items()}


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))


def as_json(machine: dict[str, Any], settings: dict[str, Any], rows: Sequence[Row]) -> Any:
    """All of it, for a file."""
    return {
        "machine": machine,
        "settings": settings,
        "rows": [row.as_json() for row in rows],
        "geometric_means": geometric_means(rows),
    }
