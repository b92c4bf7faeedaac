"""What float64 says. It needs PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from scripts.benchmark.graph import Graph
from scripts.benchmark.torch_net import TorchNet
from scripts.benchmark.torch_peer import Training, dream_steps, image_delta


def true_outputs(graph: Graph, x: np.ndarray, layers: Sequence[int]) -> list[np.ndarray]:
    """Of these layers of the graph as it is, not folded."""
    net = TorchNet(graph, dtype=torch.float64, layers=layers)
    with torch.inference_mode():
        return [y.numpy() for y in net.outputs(net.input(x))]


def true_delta(graph: Graph, x: np.ndarray, thresh: float) -> np.ndarray:
    """What image_delta should give for the graph's output."""
    return image_delta(TorchNet(graph, dtype=torch.float64), x, thresh)()


def true_dream(graphs: Sequence[Graph], x: np.ndarray, thresh: float) -> np.ndarray:
    """What a step of each draw should make of the pictures."""
    nets = [TorchNet(graph, dtype=torch.float64) for graph in graphs]
    return dream_steps(nets, x, thresh)()


def true_training(graph: Graph, x: np.ndarray, y: np.ndarray, *, exact: bool) -> dict[str, Any]:
    """One step, with darknet's batch normalisation if exact, else with PyTorch's."""
    return Training(graph, x, y, dtype=torch.float64, exact=exact).found()
