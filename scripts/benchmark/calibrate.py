"""Random networks whose maps neither vanish nor explode: statistics as if they had been trained."""

from __future__ import annotations

import numpy as np
import torch

from scripts.benchmark.graph import Graph, Norm
from scripts.benchmark.torch_net import TorchNet


def calibrate(graph: Graph, x: np.ndarray) -> None:
    """Writes the statistics of the batch x into each normalisation: those of the network itself."""
    net = TorchNet(graph, dtype=torch.float64)
    outputs = {-1: net.input(x)}
    with torch.inference_mode():
        for index, step in enumerate(graph.steps):
            inputs = [outputs[i] for i in step.inputs]
            if isinstance(step.operation, Norm):
                _measure(step.operation, inputs[0].numpy())
                net.refresh(index)
            # a copy of what a step may change in its place
            outputs[index] = net.run(index, [t.clone() for t in inputs])
            for i in set(step.inputs):
                if net.last_readers[i] == index:
                    del outputs[i]


def _measure(norm: Norm, y: np.ndarray) -> None:
    axes = tuple(axis for axis in range(y.ndim) if axis != 1)
    norm.mean[...] = y.mean(axes)
    # a channel that is always the same would be divided by nothing
    norm.variance[...] = np.maximum(y.var(axes, ddof=1), 1e-3)
