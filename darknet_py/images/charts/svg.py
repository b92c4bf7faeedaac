"""Line charts as SVG, drawn by matplotlib, which is an extra."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from darknet_py.errors import DarknetError
from darknet_py.images.charts.chart import Panel
from darknet_py.images.charts.drawing import PALETTE

_WIDTH, _HEIGHT = 10.0, 3.0  # Of a panel, in inches.
_LINES = ("-", "--", ":", "-.")
_MARKS = ("o", "s", "^", "D")


def draw_svg_chart(panels: Sequence[Panel]) -> str:
    """The panels one below the other, as `draw_chart` has them, as the text of an SVG
    file.

    The same figures give the same text. Raises DarknetError where matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise DarknetError(
            "an SVG needs matplotlib: pip install 'darknet[plot]', or end the name in .png"
        )
    import matplotlib
    from matplotlib.figure import Figure

    # letters stay letters, and nothing says when or by whose random numbers it was made
    settings = {"svg.fonttype": "none", "svg.hashsalt": "darknet", "axes.spines.right": False}
    with matplotlib.rc_context({**settings, "axes.spines.top": False}):
        figure = Figure(figsize=(_WIDTH, _HEIGHT * len(panels)), layout="constrained")
        is_shared = len({panel.x_label for panel in panels}) == 1
        rows = figure.subplots(len(panels), sharex=is_shared, squeeze=False)[:, 0]
        for axes, panel in zip(rows, panels, strict=True):
            _draw(axes, panel)
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue().decode()


def _draw(axes: Any, panel: Panel) -> None:
    number = 0
    for series in panel.series:
        color = tuple(part / 255 for part in PALETTE[number % len(PALETTE)])
        x, y = np.asarray(series.x, np.float64), np.asarray(series.y, np.float64)
        label = series.name or "_"  # what begins so is left out of the legend
        if series.faint:
            axes.plot(x, y, color=color, alpha=0.35, linewidth=0.8, label=label, zorder=1)
            continue
        mark = _MARKS[number % len(_MARKS)] if series.dots else None
        line = "-" if series.dots else _LINES[number % len(_LINES)]
        axes.plot(x, y, line, color=color, marker=mark, markersize=4, label=label)
        number += 1
    axes.set(xlabel=panel.x_label, ylabel=panel.y_label)
    axes.set_title(panel.title, loc="left")
    axes.tick_params(labelbottom=True)  # also where the x axis is shared
    if panel.log_y:
        axes.set_yscale("log")
    if panel.log_x:
        axes.set_xscale("log")
    axes.grid(alpha=0.3)
    if any(series.name for series in panel.series):
        axes.legend(frameon=False)
