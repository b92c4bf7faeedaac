"""Ours beside PyTorch's, with the same weights and pictures: answers, and milliseconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

from darknet_py import ops as devices
from darknet_py.network import Network
from scripts.benchmark.dreams import our_steps
from scripts.benchmark.dreams import sizes as dream_sizes
from scripts.benchmark.graph import fold
from scripts.benchmark.networks import FULL_SIZE, Subject, make_subject
from scripts.benchmark.pictures import random_pictures, random_truths
from scripts.benchmark.torch_net import TorchNet
from scripts.benchmark.torch_peer import Training, dream_steps
from scripts.benchmark.walk import walk
from scripts.benchmark.works import scores_layer
from scripts.gpu import first
from scripts.gpu.accuracy import error_of
from scripts.gpu.goals import BATCHES, NETWORKS, PRECISIONS, TRAINING_BATCH
from scripts.gpu.plan import Planned, Settings
from scripts.gpu.rows import Compared

DREAM = "vgg-conv", 10
LAYOUTS = {"contiguous": False, "channels_last": True}
"""Names of PyTorch's; whether each is channels_last."""
RATE = 1e-6
"""Of learning: so low that weights stay what they are."""

Call = Callable[[], Any]


def plan(settings: Settings) -> Iterator[Planned]:
    """Network by network, so that each is made once; answers alone where floats are whole."""
    for name in NETWORKS:
        for precision in PRECISIONS:
            for batch in BATCHES:
                work = f"inference, {name}, {batch}, {precision}"
                yield work, partial(_inference, name, batch, precision, settings)
            work = f"training, {name}, {TRAINING_BATCH}, {precision}"
            yield work, partial(_training, name, precision, settings)
        yield f"inference, {name}, 1, exact", partial(_inference, name, 1, "exact", settings)
    for precision in PRECISIONS:
        yield f"dream, {DREAM[0]}, {precision}", partial(dream, *DREAM, precision, settings)
    yield from first.plan(settings)


@lru_cache(maxsize=1)
def _subject(name: str) -> Subject:
    return make_subject(name, batch=TRAINING_BATCH)


def _inference(name: str, batch: int, precision: str, settings: Settings) -> Compared:
    return inference(_subject(name), batch, precision, settings)


def _training(name: str, precision: str, settings: Settings) -> Compared:
    return training(_subject(name), precision, settings)


def inference(subject: Subject, batch: int, precision: str, settings: Settings) -> Compared:
    """From pictures on the host to probabilities on the host, for both. PyTorch's normalisations
    are within its weights, and with half precision these are bfloat16."""
    _prepare(precision)
    net = our_network(subject, precision, settings)
    x = random_pictures(batch, *subject.graph.shape)
    graph = fold(subject.graph)
    dtype = torch.bfloat16 if precision == "half" else torch.float32

    def call(theirs: TorchNet) -> np.ndarray:
        with torch.inference_mode():
            found: np.ndarray = theirs(theirs.input(x)).double().cpu().numpy()
            return found.reshape(batch, -1)

    peers: dict[str, Call] = {
        layout: partial(
            call, TorchNet(graph, dtype=dtype, channels_last=last, device=settings.peer)
        )
        for layout, last in LAYOUTS.items()
    }
    ours = partial(net.predict, x)
    truth = call(TorchNet(graph, dtype=torch.float64, device=settings.peer))
    error = max(error_of(answer, truth) for answer in _answers(ours))
    peer = max(error_of(theirs(), truth) for theirs in peers.values())
    times = None if precision == "exact" else timed(ours, peers, settings)
    return _row("inference", subject.name, batch, precision, error, times, peer)


def training(subject: Subject, precision: str, settings: Settings) -> Compared:
    """A step from pictures on the host to moved weights; its losses are compared."""
    _prepare(precision)
    net = our_network(subject, precision, settings)
    batch = net.settings.batch
    x, y = random_pictures(batch, *subject.graph.shape), random_truths(batch, net.outputs)
    graph = subject.graph.truncated(scores_layer(subject))
    smallest = min(net.parameters(), key=lambda each: each.size)

    def step() -> float:
        loss = net.accumulate(x, y)
        net.update(RATE)
        net.ops.to_host(smallest.data)  # which waits for the update
        return loss

    trainings = {
        layout: Training(graph, x, y, channels_last=last, device=settings.peer)
        for layout, last in LAYOUTS.items()
    }
    peers = {layout: _step(each, x, precision, settings) for layout, each in trainings.items()}

    def loss(layout: str) -> float:
        return trainings[layout].losses(peers[layout]())[net.layers[-1].kind]

    error = _difference(step, [partial(loss, layout) for layout in peers])
    times = timed(step, peers, settings)
    return _row("training", subject.name, batch, precision, error, times)


def _step(training: Training, x: np.ndarray, precision: str, settings: Settings) -> Call:
    """The logits, once the weights have moved."""
    optimiser = torch.optim.SGD(training.learned, RATE, momentum=0.9, weight_decay=5e-4, fused=True)

    def call() -> Any:
        training.pictures = training.net.input(x)
        with _autocast(precision, settings):
            logits = training.step().detach().float()
        optimiser.step()
        if settings.peer != "cpu":
            torch.cuda.synchronize(settings.peer)
        return logits

    return call


def dream(name: str, layer: int, precision: str, settings: Settings) -> Compared:
    """A step of a dream in each of its octaves."""
    _prepare(precision)
    width, height = FULL_SIZE
    x = random_pictures(1, 3, height, width)
    subject = make_subject(name, size=FULL_SIZE)
    ours = our_steps(our_network(subject, precision, settings), x, layer, 1.0)
    graphs = [fold(walk(subject.net.resized(*size)).truncated(layer)) for size in dream_sizes(x)]

    def call(steps: Call) -> np.ndarray:
        with _autocast(precision, settings):
            found: np.ndarray = steps()
            return found

    peers: dict[str, Call] = {}
    for layout, last in LAYOUTS.items():
        nets = [TorchNet(graph, channels_last=last, device=settings.peer) for graph in graphs]
        peers[layout] = partial(call, dream_steps(nets, x, 1.0))
    error = _difference(ours, peers.values())
    return _row("dream", name, 1, precision, error, timed(ours, peers, settings))


def our_network(subject: Subject, precision: str, settings: Settings) -> Network:
    """The subject's network on a device, with its own copies of the parameters."""
    ops = devices.for_device(settings.device)
    exact, half = precision == "exact", precision == "half"
    net = Network(subject.net.sections, str(subject.cfg), ops, exact=exact, half=half)
    for mine, given in zip(net.parameters(), subject.net.parameters(), strict=True):
        mine.value = ops.array(given.data.copy())
    net.initialise()
    return net


def _difference(ours: Call, peers: Iterable[Call]) -> float:
    """The largest between any answer of ours and any of theirs."""
    expected = [np.asarray(theirs()) for theirs in peers]
    return max(error_of(one, other) for one in _answers(ours) for other in expected)


def _answers(ours: Call) -> list[np.ndarray]:
    """Three: from the second on they are a CUDA graph's."""
    return [np.asarray(ours()) for _ in range(3)]


def timed(ours: Call, peers: Mapping[str, Call], settings: Settings) -> dict[str, float]:
    """Medians in milliseconds, of all in turns, once each has run; ours are under "ours"."""
    calls = {"ours": ours, **peers}
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    start = time.perf_counter()
    while time.perf_counter() - start < settings.seconds or len(seconds["ours"]) < 3:
        for name, call in calls.items():
            before = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - before)
    return {name: 1e3 * statistics.median(found) for name, found in seconds.items()}


def _row(
    work: str,
    network: str,
    batch: int,
    precision: str,
    error: float,
    times: dict[str, float] | None,
    peer: float | None = None,
) -> Compared:
    theirs = dict(times or {})
    ours = theirs.pop("ours", None)
    return Compared(work, network, batch, precision, error, ours, theirs, peer)


def _prepare(precision: str) -> None:
    """PyTorch at its fastest, as far as the precision lets it, and without what it keeps."""
    tf32 = precision != "exact"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    torch.cuda.empty_cache()


def _autocast(precision: str, settings: Settings) -> Any:
    kind = settings.peer.partition(":")[0]
    return torch.autocast(kind, torch.bfloat16, enabled=precision == "half")
