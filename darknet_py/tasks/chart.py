"""Curves of one training, or of several side by side, as a picture."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from darknet_py.images.draw.canvas import save_drawing
from darknet_py.images.draw.chart import Panel, Series, draw_chart
from darknet_py.images.draw.curves import smooth, top_without_spikes
from darknet_py.images.draw.fonts import drawable_names
from darknet_py.tasks.metrics import Metrics

KEEP = 0.95
"""How much of the smoothed loss stays from batch to batch."""
_STEPS, _APART = 30, 20
"""Rates, at most, and how many times the last the first is, that are shown by their logarithm."""


def chart_panels(runs: Sequence[Metrics], keep: float = KEEP) -> list[Panel]:
    """Loss, each batch's and smoothed; validation's loss of one run; accuracy and its best; rate.

    keep: of the smoothed loss, from batch to batch, 0 to below 1. Curves of several runs bear their
    names, and raw losses lie pale behind. The loss's axis reaches as far as the losses without
    spikes.
    """
    alone = len(runs) == 1
    losses, accuracies, rates = [], [], []
    names = drawable_names([run.name for run in runs], "run")
    for number, run in enumerate(runs):
        name, validation = ("", 1) if alone else (names[number], number)
        raw = "loss of a batch" if alone else ""
        losses.append(Series(raw, run.batch, run.loss, number, faint=True))
        losses.append(Series(name or "smoothed", run.batch, smooth(run.loss, keep), number))
        if run.valid_loss and alone:
            losses.append(
                Series("validation", run.valid_batch, run.valid_loss, validation, dots=True)
            )
        accuracies += _accuracies(run, name, validation)
        rates.append(Series(name, run.batch, run.rate, number))
    top = top_without_spikes(row for run in runs for row in (run.loss, run.valid_loss * alone))
    panels = [Panel("Loss", "batch", "loss", losses, top=top)]
    if accuracies:
        panels.append(Panel("Validation accuracy", "batch", "% right", accuracies))
    panels.append(Panel("Learning rate", "batch", "rate", rates, log_y=_falls_by_steps(runs)))
    return panels


def _falls_by_steps(runs: Sequence[Metrics]) -> bool:
    """Whether rates are few values that lie far apart: beside the first the last would be 0."""
    found = {rate for run in runs for rate in run.rate if math.isfinite(rate)}
    return 1 < len(found) <= _STEPS and 0 < _APART * min(found) <= max(found)


def _accuracies(run: Metrics, name: str, style: int) -> list[Series]:
    """The curve, and a star at its best: the first of the highest, as the training keeps it."""
    if not run.valid_batch:
        return []
    percent = [100 * share for share in run.valid_top1]
    found = [number for number, value in enumerate(percent) if math.isfinite(value)]
    if not found:
        return [Series(name, run.valid_batch, percent, style, dots=True)]
    best = max(found, key=lambda number: percent[number])
    batch, height = run.valid_batch[best], percent[best]
    said = f"best: {height:.2f} % at batch {batch}"
    return [
        Series(name, run.valid_batch, percent, style, dots=True, note=said if name else ""),
        Series("" if name else said, [batch], [height], style, star=True),
    ]


def run_names(paths: Sequence[str | Path]) -> list[str]:
    """What tells runs apart: of the folders of their metrics.csv as much of the end as needed.

    Of a/backup and b/backup: a and b; of a NAME_metrics.csv: NAME. The same again gets a number.
    """
    parts = [_parts(Path(os.path.abspath(path))) for path in paths]
    lengths = [1] * len(parts)
    while True:
        shown = [own[-length:] for own, length in zip(parts, lengths, strict=True)]
        longer = [
            length + (_is_shared(shown, parts, k) and length < len(parts[k]))
            for k, length in enumerate(lengths)
        ]
        if longer == lengths:
            break
        lengths = longer
    while min(map(len, shown)) > 1 and len({own[-1] for own in shown}) == 1:
        shown = [own[:-1] for own in shown]
    names = [os.path.join(*own) for own in shown]
    counts: Counter[str] = Counter()
    for k, name in enumerate(names):
        counts[name] += 1
        names[k] = f"{name} ({counts[name]})" if counts[name] > 1 else name
    return names


def _parts(path: Path) -> tuple[str, ...]:
    if path.suffix != ".csv":
        return path.parts
    name, is_named, _ = path.stem.rpartition("_")
    return (*path.parent.parts, name) if is_named else path.parent.parts


def _is_shared(shown: Sequence[tuple[str, ...]], parts: Sequence[tuple[str, ...]], k: int) -> bool:
    """Whether another folder ends as this one is shown."""
    length = len(shown[k])
    return any(own[-length:] == shown[k] and own != parts[k] for own in parts)


def save_chart(path: Path, runs: Sequence[Metrics], keep: float = KEEP) -> None:
    """Draws `chart_panels` as the PNG, JPEG or SVG that the path's suffix names.

    Raises DarknetError where it cannot be written.
    """
    save_drawing(draw_chart(chart_panels(runs, keep)), path)
