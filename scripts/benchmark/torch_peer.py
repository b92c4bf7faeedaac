"""PyTorch, in its default memory format and in channels_last."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from scripts.benchmark.graph import Conv, Graph
from scripts.benchmark.peers import Build, Call
from scripts.benchmark.torch_net import TorchNet

FORMATS = {"torch": False, "torch channels_last": True}
"""Names of the settings; whether each is channels_last."""


def start(threads: int) -> None:
    torch.set_num_threads(threads)


def infer(net: TorchNet, x: np.ndarray) -> Call:
    """The output; the pictures are in the build's own format before the clock runs."""
    pictures = net.input(x)

    def call() -> np.ndarray:
        with torch.inference_mode():
            y: np.ndarray = net(pictures).numpy()
            return y

    return call


def _in_format(channels_last: bool) -> Build:
    return lambda graph, x: infer(TorchNet(graph, channels_last=channels_last), x)


SETTINGS: dict[str, Build] = {name: _in_format(last) for name, last in FORMATS.items()}


def image_delta(net: TorchNet, x: np.ndarray, thresh: float) -> Call:
    """What Network.image_delta gives."""
    pictures = net.input(x).requires_grad_()

    def call() -> np.ndarray:
        y = net(pictures)
        with torch.no_grad():
            axes = tuple(range(1, y.ndim))
            deviation = y.std(axes, unbiased=False, keepdim=True)
            limit = y.mean(axes, keepdim=True) + thresh * deviation
            delta = torch.where(y > limit, y, torch.zeros_like(y))
        (x_delta,) = torch.autograd.grad(y, pictures, delta)
        found: np.ndarray = x_delta.numpy()
        return found

    return call


def image_deltas(graph: Graph, x: np.ndarray, thresh: float) -> dict[str, Call]:
    return {
        name: image_delta(TorchNet(graph, channels_last=last), x, thresh)
        for name, last in FORMATS.items()
    }


class Training:
    """Forward, cross-entropy and backward; graph ends where the softmax begins."""

    def __init__(self, graph: Graph, x: np.ndarray, y: np.ndarray, **settings: Any) -> None:
        self.net = TorchNet(graph, training=True, **settings)
        self.pictures = self.net.input(x)
        self.labels = torch.from_numpy(y.argmax(1))
        self.learned = self.net.learned()
        self.first = next(
            i for i, step in enumerate(graph.steps) if isinstance(step.operation, Conv)
        )

    def step(self) -> Any:
        """The logits, as a tensor; gradients are in the weights."""
        for tensor in self.learned:
            tensor.grad = None
        logits = self.net(self.pictures).flatten(1)
        loss: Any = functional.cross_entropy(logits, self.labels)
        loss.backward()
        return logits

    def found(self) -> dict[str, Any]:
        """What one step gives: losses by the name of the last layer, and the first updates."""
        logits = self.step().detach().double()
        truth = functional.one_hot(self.labels, logits.shape[1])
        squares = (functional.softmax(logits, 1) - truth).square()
        # darknet's updates are sums over the batch, and negative gradients
        updates = self.net.tensors[self.first][0].grad * -len(self.labels)
        return {
            "softmax": float(functional.cross_entropy(logits, self.labels)),
            "cost": float(squares.sum() / len(logits)),
            "updates": updates.numpy(),
        }


def trainings(graph: Graph, x: np.ndarray, y: np.ndarray) -> dict[str, Training]:
    return {name: Training(graph, x, y, channels_last=last) for name, last in FORMATS.items()}
