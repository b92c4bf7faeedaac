"""Where a training begins: given weights, drawn ones, or a state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from darknet_py.network import Network
from darknet_py.tasks.checkpoint import resume
from darknet_py.tasks.reinit import layers_to_draw
from darknet_py.tasks.run import Options, Progress


@dataclass(frozen=True)
class Beginning:
    """weights: a file, or None for drawn ones; clear: `seen` is 0 again; reinit: which layers of
    weights are drawn anew, as text; state: a file to go on from instead."""

    weights: str | None = None
    clear: bool = False
    reinit: str | None = None
    state: Path | None = None


def begin(net: Network, options: Options, beginning: Beginning) -> Progress | None:
    """Gives a network on paper its values, always the same ones; None: the run is a new one.

    Raises WeightsError, StateError, and DarknetError for layers that cannot be drawn.
    """
    if beginning.state is not None:
        return resume(net, beginning.state, options)
    layers = layers_to_draw(net, beginning.reinit) if beginning.reinit else []
    if beginning.weights:
        net.load_weights(beginning.weights, partial=True, clear=beginning.clear, begin=True)
    net.initialise(options.seed)
    net.reinitialise(layers, options.seed)
    return None
