"""Curves of one training, or of several side by side, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from darknet_py.images import Panel, Series, draw_chart, save_image, smooth
from darknet_py.tasks.metrics import Metrics

_KEEP = 0.95
"""How much of the smoothed loss stays from batch to batch."""


def save_chart(path: Path, runs: Sequence[Metrics]) -> None:
    """Draws loss (raw where there is one run, and smoothed), validation accuracy and rate."""
    losses, accuracies, rates = [], [], []
    for run in runs:
        name = run.name if len(runs) > 1 else ""
        if len(runs) == 1:
            losses.append(Series("loss of a batch", run.batch, run.loss, faint=True))
        losses.append(Series(name or "smoothed", run.batch, smooth(run.loss, _KEEP)))
        if run.valid_loss and len(runs) == 1:
            losses.append(Series("validation", run.valid_batch, run.valid_loss, dots=True))
        if run.valid_batch:
            percent = [100 * share for share in run.valid_top1]
            accuracies.append(Series(name, run.valid_batch, percent, dots=True))
        rates.append(Series(name, run.batch, run.rate))
    panels = [Panel("Loss", "batch", "loss", losses)]
    if accuracies:
        panels.append(Panel("Validation accuracy", "batch", "% right", accuracies))
    panels.append(Panel("Learning rate", "batch", "rate", rates))
    save_image(draw_chart(panels, height=300), path)
