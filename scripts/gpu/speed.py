"""Milliseconds on a GPU, ours beside PyTorch's, with the same weights and pictures."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from darknet_py import ops as devices
from darknet_py.network import Network
from scripts.benchmark.dreams import our_steps
from scripts.benchmark.dreams import sizes as dream_sizes
from scripts.benchmark.graph import Graph
from scripts.benchmark.networks import FULL_SIZE, Subject, make_subject
from scripts.benchmark.pictures import random_pictures, random_truths
from scripts.benchmark.torch_net import TorchNet
from scripts.benchmark.torch_peer import Training, dream_steps
from scripts.benchmark.walk import walk

INFERENCE = ("tiny", "darknet19", "resnet50")
BATCHES = (1, 64)
TRAINING = ("tiny", "resnet18")
TRAINING_BATCH = 64
DREAM = "vgg-conv", 10
SECONDS = 3.0


class Time(NamedTuple):
    """One row. precision: "tf32" or "half"; error: of our result, against PyTorch's."""

    work: str
    precision: str
    ours: float
    torch: float
    error: float


class OnDevice(TorchNet):
    """A TorchNet whose tensors are on a device."""

    def __init__(self, graph: Graph, device: str, **settings: Any) -> None:
        super().__init__(graph, channels_last=True, **settings)
        self.device = device
        self.tensors = [tuple(map(self._moved, tensors)) for tensors in self.tensors]

    def input(self, x: np.ndarray) -> Any:
        return super().input(x).to(self.device)

    def _moved(self, tensor: Any) -> Any:
        if tensor is None:
            return None
        return tensor.detach().to(self.device).requires_grad_(tensor.requires_grad)


def times(device: str, peer: str, precision: str) -> Iterator[Time]:
    """All rows. device: ours, "gpu"; peer: PyTorch's, "cuda"."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    half = precision == "half"
    for name in INFERENCE:
        subject = make_subject(name)
        for batch in BATCHES:
            yield inference(subject, batch, device, peer, half)
    for name in TRAINING:
        yield training(make_subject(name, batch=TRAINING_BATCH), device, peer, half)
    yield dream(*DREAM, device, peer, half)


def inference(subject: Subject, batch: int, device: str, peer: str, half: bool) -> Time:
    """From pictures on the host to probabilities on the host, for both."""
    net = _ours(subject, device, half)
    x = random_pictures(batch, *subject.graph.shape)
    theirs = OnDevice(subject.graph, peer)

    def call() -> np.ndarray:
        with torch.inference_mode(), _autocast(peer, half):
            found: np.ndarray = theirs(theirs.input(x)).float().cpu().numpy()
            return found.reshape(batch, -1)

    return _row(f"inference, {subject.name}, {batch}", half, lambda: net.predict(x), call)


def training(subject: Subject, device: str, peer: str, half: bool) -> Time:
    """Forward and backward of a batch; the result that is compared is the loss."""
    net = _ours(subject, device, half)
    batch = net.settings.batch
    x, y = random_pictures(batch, *subject.graph.shape), random_truths(batch, net.outputs)
    theirs = Training(_before_softmax(subject.graph), x, y, channels_last=True)
    theirs.net = OnDevice(theirs.net.graph, peer, training=True)
    theirs.pictures, theirs.labels = theirs.net.input(x), theirs.labels.to(peer)
    theirs.learned = theirs.net.learned()

    def call() -> np.ndarray:
        with _autocast(peer, half):
            logits = theirs.step().detach().float()
        loss = torch.nn.functional.cross_entropy(logits, theirs.labels)
        return np.array(float(loss))

    name = f"training, {subject.name}, {batch}"
    return _row(name, half, lambda: np.array(net.accumulate(x, y)), call)


def dream(name: str, layer: int, device: str, peer: str, half: bool) -> Time:
    """A step of a dream in each of its octaves."""
    width, height = FULL_SIZE
    x = random_pictures(1, 3, height, width)
    subject = make_subject(name, size=FULL_SIZE)
    net = _ours(subject, device, half)
    graphs = [walk(subject.net.resized(*size)).upto(layer) for size in dream_sizes(x)]
    nets = [OnDevice(graph, peer) for graph in graphs]
    steps = dream_steps(nets, x, 1.0)

    def call() -> np.ndarray:
        with _autocast(peer, half):
            return steps()

    return _row(f"dream, {name}, layer {layer}", half, our_steps(net, x, layer, 1.0), call)


def _ours(subject: Subject, device: str, half: bool) -> Network:
    """The subject's network on a device, with its own copies of the parameters."""
    ops = devices.for_device(device)
    net = Network(subject.net.sections, str(subject.cfg), ops, half=half)
    for mine, given in zip(net.parameters(), subject.net.parameters(), strict=True):
        mine.value = ops.array(given.value)
    net.initialise()
    return net


def _before_softmax(graph: Graph) -> Graph:
    """The graph up to the layer before the loss."""
    kinds = [type(step.operation).__name__ for step in graph.steps]
    steps = graph.steps[: kinds.index("Softmax")] if "Softmax" in kinds else graph.steps
    last = max(layer for layer, end in enumerate(graph.ends) if end < len(steps))
    return graph.upto(last)


def _autocast(peer: str, half: bool) -> Any:
    return torch.autocast(peer, torch.bfloat16, enabled=half)


def _row(
    work: str, half: bool, ours: Callable[[], np.ndarray], theirs: Callable[[], np.ndarray]
) -> Time:
    """Both in turns; medians, in milliseconds."""
    found, expected = ours(), theirs()
    difference = np.abs(found.reshape(expected.shape) - expected).max()
    error = float(difference / np.abs(expected).max())
    seconds: dict[Any, list[float]] = {ours: [], theirs: []}
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS or len(seconds[ours]) < 3:
        for call, taken in seconds.items():
            before = time.perf_counter()
            call()
            taken.append(time.perf_counter() - before)
    mine, other = (1e3 * statistics.median(seconds[call]) for call in (ours, theirs))
    return Time(work, "half" if half else "tf32", mine, other, error)
