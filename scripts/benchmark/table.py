"""Rows as a table of text, each printable as soon as it is known."""

from __future__ import annotations

from collections.abc import Sequence

from scripts.benchmark.results import OURS, Row, geometric_means


class Table:
    """Milliseconds of ours and of each peer (its better setting), the best, ratio and errors."""

    def __init__(self, peers: Sequence[str]) -> None:
        self.peers = peers
        times = "".join(f"{name:>13}" for name in (OURS, *peers))
        self.head = (
            f"{'work':<10} {'network':<13}{'batch':>5}{times}"
            f"  {'ratio':>6}  {'best peer':<19}{'error':>8}{'its error':>10}"
        )

    def line(self, row: Row) -> str:
        """A row; `~` marks one that other processes disturbed."""
        cells = [row.cells[OURS], *(row.best_of(peer) for peer in self.peers)]
        times = "".join(f"{_milliseconds(cell.seconds if cell else None):>13}" for cell in cells)
        best = row.best_peer
        ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
        its_error = row.cells[best].error if best else None
        line = (
            f"{row.work:<10} {row.network:<13}{row.batch:>5}{times}"
            f"  {ratio:>6}  {best or '-':<19}"
            f"{_error(row.cells[OURS].error):>8}{_error(its_error):>10}"
        )
        return f"{line} ~" if row.noisy else line

    def foot(self, rows: Sequence[Row]) -> list[str]:
        """What it comes to."""
        lines = [
            f"{work}: geometric mean of the ratios {mean:.2f}"
            for work, mean in geometric_means(rows).items()
        ]
        lines.append(
            "Times are medians, in milliseconds. ratio: the best peer's time / ours. error: the "
            "largest, relative to float64."
        )
        if any(row.noisy for row in rows):
            lines.append("~ other processes disturbed the row: no quiet block was to be had.")
        return lines


def _milliseconds(seconds: float | None) -> str:
    """Three or four figures, whatever the size."""
    if seconds is None:
        return "-"
    value = 1000 * seconds
    return f"{value:.3f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def _error(value: float | None) -> str:
    return "-" if value is None else f"{value:.0e}"
