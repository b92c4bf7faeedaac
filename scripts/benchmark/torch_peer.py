"""PyTorch, in its default memory format and in channels_last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from darknet_py.tasks.dream.options import octave_size
from darknet_py.tasks.dream.step import Draw
from scripts.benchmark.dreams import DRAWS, GREY, OPTIONS, PULL
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
        (x_delta,) = torch.autograd.grad(y, pictures, _stands_out(y, thresh))
        found: np.ndarray = x_delta.numpy()
        return found

    return call


def _stands_out(y: torch.Tensor, thresh: float) -> torch.Tensor:
    with torch.no_grad():
        axes = tuple(range(1, y.ndim))
        deviation = y.std(axes, unbiased=False, keepdim=True)
        limit = y.mean(axes, keepdim=True) + thresh * deviation
        return torch.where(y > limit, y, torch.zeros_like(y))


def image_deltas(graph: Graph, x: np.ndarray, thresh: float) -> dict[str, Call]:
    return {
        name: image_delta(TorchNet(graph, channels_last=last), x, thresh)
        for name, last in FORMATS.items()
    }


def dream_steps(nets: Sequence[TorchNet], x: np.ndarray, thresh: float) -> Call:
    """What dreams.our_steps gives; nets: one for the size of each draw."""
    start = nets[0].input(x)
    _, _, h, w = x.shape

    def moved(picture: torch.Tensor, dx: int, dy: int) -> torch.Tensor:
        rows = torch.arange(dy, dy + h, device=picture.device).clamp(0, h - 1)
        columns = torch.arange(dx, dx + w, device=picture.device).clamp(0, w - 1)
        return picture[:, :, rows][:, :, :, columns]

    def scaled(picture: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        if tuple(picture.shape[2:]) == size:
            return picture
        return functional.interpolate(picture, size, mode="bilinear", align_corners=True)

    def step(picture: torch.Tensor, net: TorchNet, drawn: Draw) -> torch.Tensor:
        small_w, small_h = octave_size(w, h, drawn.octave)
        seen = scaled(moved(picture, drawn.dx, drawn.dy), (small_h, small_w))
        seen = (seen.flip(3) if drawn.flip else seen).contiguous(memory_format=net.format)
        seen.requires_grad_()
        with torch.enable_grad():
            y = net(seen)
        (delta,) = torch.autograd.grad(y, seen, _stands_out(y, thresh))
        delta = scaled(delta.flip(3) if drawn.flip else delta, (h, w))
        delta = moved(delta, -drawn.dx, -drawn.dy)
        delta += PULL * (GREY - picture)
        delta -= delta.mean()
        delta /= delta.std(unbiased=False)
        return (picture + OPTIONS.rate * delta).clamp_(0, 1)

    def call() -> np.ndarray:
        picture = start
        with torch.no_grad():
            for net, drawn in zip(nets, DRAWS, strict=True):
                picture = step(picture, net, drawn)
        found: np.ndarray = picture.cpu().numpy()
        return found

    return call


def all_dream_steps(graphs: Sequence[Graph], x: np.ndarray, thresh: float) -> dict[str, Call]:
    return {
        name: dream_steps([TorchNet(graph, channels_last=last) for graph in graphs], x, thresh)
        for name, last in FORMATS.items()
    }


class Training:
    """Forward, cross-entropy and backward; graph ends where the softmax begins."""

    def __init__(self, graph: Graph, x: np.ndarray, y: np.ndarray, **settings: Any) -> None:
        self.net = TorchNet(graph, training=True, **settings)
        self.pictures = self.net.input(x)
        self.labels = torch.from_numpy(y.argmax(1)).to(self.net.device)
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
        logits = self.step().detach()
        # darknet's updates are sums over the batch, and negative gradients
        updates = self.net.tensors[self.first][0].grad * -len(self.labels)
        return {
            **self.losses(logits),
            "updates": updates.numpy(),
        }

    def losses(self, logits: Any) -> dict[str, float]:
        """By the name of the last layer, what it says of these."""
        logits = logits.double()
        truth = functional.one_hot(self.labels, logits.shape[1])
        squares = (functional.softmax(logits, 1) - truth).square()
        return {
            "softmax": float(functional.cross_entropy(logits, self.labels)),
            "cost": float(squares.sum() / len(logits)),
        }


def trainings(graph: Graph, x: np.ndarray, y: np.ndarray) -> dict[str, Training]:
    return {name: Training(graph, x, y, channels_last=last) for name, last in FORMATS.items()}
