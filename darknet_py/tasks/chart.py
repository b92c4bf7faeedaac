"""Curves of one training, or of several side by side, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from darknet_py.atomic import write_text
from darknet_py.images import Panel, Series, draw_chart, draw_svg_chart, save_image, smooth
from darknet_py.tasks.metrics import Metrics

KEEP = 0.95
"""How much of the smoothed loss stays from batch to batch."""


def chart_panels(runs: Sequence[Metrics], keep: float = KEEP) -> list[Panel]:
    """Loss, each batch's and smoothed; validation's loss of one run; accuracy; rate.

    keep: of the smoothed loss, from batch to batch, 0 to below 1. Curves of several runs bear their
    names, and raw losses lie pale behind.
    """
    alone = len(runs) == 1
    losses, accuracies, rates = [], [], []
    for run in runs:
        name = "" if alone else run.name
        losses.append(Series("loss of a batch" if alone else "", run.batch, run.loss, faint=True))
        losses.append(Series(name or "smoothed", run.batch, smooth(run.loss, keep)))
        if run.valid_loss and alone:
            losses.append(Series("validation", run.valid_batch, run.valid_loss, dots=True))
        if run.valid_batch:
            percent = [100 * share for share in run.valid_top1]
            accuracies.append(Series(name, run.valid_batch, percent, dots=True))
        rates.append(Series(name, run.batch, run.rate))
    panels = [Panel("Loss", "batch", "loss", losses)]
    if accuracies:
        panels.append(Panel("Validation accuracy", "batch", "% right", accuracies))
    panels.append(Panel("Learning rate", "batch", "rate", rates))
    return panels


def save_chart(path: Path, runs: Sequence[Metrics], keep: float = KEEP) -> None:
    """Draws `chart_panels` as the PNG, JPEG or SVG that the path's suffix names.

    Raises DarknetError where it cannot be written, and for an SVG without matplotlib.
    """
    panels = chart_panels(runs, keep)
    if path.suffix.lower() != ".svg":
        save_image(draw_chart(panels, height=300), path)
        return
    write_text(path, draw_svg_chart(panels))
