"""The works, each measured on one network: contestants built, checked, and timed in turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.benchmark.c_program import CProgram
from scripts.benchmark.dreams import DRAWS, our_steps, sizes
from scripts.benchmark.errors import relative_error
from scripts.benchmark.graph import Crop, Dropout, UnsupportedError, fold
from scripts.benchmark.measure import Block, Plan, calls, interleave
from scripts.benchmark.networks import Dream, Subject, make_subject
from scripts.benchmark.peers import Peer, PeerError
from scripts.benchmark.pictures import random_pictures, random_truths
from scripts.benchmark.quiet import Load
from scripts.benchmark.results import OURS, Cell, Row
from scripts.benchmark.walk import walk

THRESH = 1.0
Errors = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Context:
    """What all rows share."""

    peers: Mapping[str, Peer]
    program: CProgram | None
    truth: Any
    """The module truth, or None without PyTorch: no errors then."""
    plan: Plan
    load: Load
    say: Callable[[str], None]

    def subject(self, name: str, **settings: Any) -> Subject:
        return make_subject(name, calibrates=self.truth is not None, **settings)


def inference_row(subject: Subject, batch: int, context: Context) -> Row:
    """Network.predict against all."""
    x = random_pictures(batch, *subject.graph.shape)
    net, graph = subject.net, fold(subject.graph)
    scores = scores_layer(subject)
    truths: dict[str, np.ndarray] = {}
    errors: Errors = {}
    if context.truth:
        true = context.truth.true_outputs(subject.graph, x, (scores, net.output_layer))
        truths = dict(zip(("scores", "output"), true, strict=True))
        found = {"scores": net.activations(x)[scores], "output": net.predict(x)}
        errors[OURS] = _errors(found, truths)
    blocks = {OURS: calls(lambda: net.predict(x))}
    for peer in context.peers.values():
        for name, build in peer.SETTINGS.items():
            try:
                blocks[name] = calls(build(graph, x))
                if truths:
                    ends = {"scores": graph.truncated(scores), "output": graph}
                    outputs = {what: build(end, x)() for what, end in ends.items()}
                    errors[name] = _errors(outputs, truths)
            except PeerError as error:
                blocks.pop(name, None)
                context.say(f"{name} is left out of {subject.name}: {error}")
    if context.program and batch == 1:
        _add_program(blocks, context.program, subject, context)
    return _row("inference", subject, batch, blocks, errors, context)


def training_row(name: str, batch: int, context: Context) -> Row:
    """Network.accumulate against PyTorch's forward, cross-entropy and backward."""
    subject = context.subject(name, batch=batch)
    net = subject.net
    _check_trainable(subject)
    graph = subject.graph.truncated(scores_layer(subject))
    x, y = random_pictures(batch, *graph.shape), random_truths(batch, net.outputs)
    blocks, errors = {OURS: calls(lambda: net.accumulate(x, y))}, Errors()
    # masks and windows drawn at random have no truth
    checks = context.truth is not None and not subject.graph.has(Crop, Dropout)
    if checks:
        truth = context.truth.true_training(graph, x, y, exact=True)
        errors[OURS] = training_errors(accumulated(subject, x, y), truth)
    if "torch" in context.peers:
        trainings = context.peers["torch"].trainings(graph, x, y)
        truth = context.truth.true_training(graph, x, y, exact=False) if checks else {}
        for setting, training in trainings.items():
            blocks[setting] = calls(training.step)
            if checks:
                errors[setting] = training_errors(training.found(), truth)
    return _row("training", subject, batch, blocks, errors, context)


def gradient_row(name: str, dream: Dream, x: np.ndarray | None, context: Context) -> Row:
    """Network.image_delta against PyTorch; x: the pictures, None for random ones of cfg's size."""
    subject = context.subject(name, size=None if x is None else (x.shape[3], x.shape[2]))
    if x is None:
        x = random_pictures(dream.pictures, *subject.graph.shape)
    pictures, net, layer = x, subject.net, dream.layer
    if not 0 <= layer < len(net.layers):
        raise UnsupportedError(f"there is no layer {layer}: expected 0 to {len(net.layers) - 1}")
    blocks: dict[str, Block] = {OURS: calls(lambda: net.image_delta(pictures, layer, THRESH))}
    errors: Errors = {}
    truths: dict[str, np.ndarray] = {}
    if context.truth:
        truths["delta"] = context.truth.true_delta(subject.graph.truncated(layer), x, THRESH)
        errors[OURS] = _errors({"delta": net.image_delta(x, layer, THRESH)}, truths)
    if "torch" in context.peers:
        graph = fold(subject.graph.truncated(layer))
        for setting, call in context.peers["torch"].image_deltas(graph, x, THRESH).items():
            blocks[setting] = calls(call)
            if truths:
                errors[setting] = _errors({"delta": call()}, truths)
    return _row("gradient", subject, len(x), blocks, errors, context, layer)


def dream_row(name: str, layer: int, x: np.ndarray, context: Context) -> Row:
    """A step of a dream on a picture (1, c, h, w), the mean of one in each octave, against the same
    in PyTorch."""
    subject = context.subject(name, size=(x.shape[3], x.shape[2]))
    net = subject.net
    if not 0 <= layer < len(net.layers):
        raise UnsupportedError(f"there is no layer {layer}: expected 0 to {len(net.layers) - 1}")
    step = our_steps(net, x, layer, THRESH)
    blocks: dict[str, Block] = {OURS: calls(step, len(DRAWS))}
    errors: Errors = {}
    truths: dict[str, np.ndarray] = {}
    graphs = [walk(net.resized(w=w, h=h)).truncated(layer) for w, h in sizes(x)]
    if context.truth:
        truths["picture"] = context.truth.true_dream(graphs, x, THRESH)
        errors[OURS] = _errors({"picture": step()}, truths)
    if "torch" in context.peers:
        folded = [fold(graph) for graph in graphs]
        for setting, call in context.peers["torch"].all_dream_steps(folded, x, THRESH).items():
            blocks[setting] = calls(call, len(DRAWS))
            if truths:
                errors[setting] = _errors({"picture": call()}, truths)
    return _row("dream", subject, 1, blocks, errors, context, layer)


def scores_layer(subject: Subject) -> int:
    """The layer whose output the last softmax reads; without one, the output."""
    net = subject.net
    last = net.output_layer
    return net.layers[last].inputs[0] if net.layers[last].kind == "softmax" else last


def _check_trainable(subject: Subject) -> None:
    last: Any = subject.net.layers[subject.net.output_layer]
    plain = last.kind == "softmax" and (last.groups, last.temperature) == (1, 1)
    if not (plain and last.is_vector and last.is_loss):
        raise UnsupportedError("only networks that end in a plain [softmax] are trained here")


def accumulated(subject: Subject, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Our loss, by the name of the last layer, and updates of the first convolution."""
    net = subject.net
    loss = net.accumulate(x, y)
    first: Any = next(layer for layer in net.layers if layer.kind == "convolutional")
    weights = first.weights
    updates = weights.to_file(weights.updates).reshape(weights.file_shape)
    return {net.layers[-1].kind: loss, "updates": updates}


def training_errors(found: Mapping[str, Any], truth: Mapping[str, Any]) -> dict[str, float]:
    return _errors(*({k: np.asarray(v) for k, v in part.items()} for part in (found, truth)))


def _errors(found: Mapping[str, np.ndarray], truths: Mapping[str, np.ndarray]) -> dict[str, float]:
    return {what: relative_error(array, truths[what]) for what, array in found.items()}


def _add_program(
    blocks: dict[str, Block], program: CProgram, subject: Subject, context: Context
) -> None:
    try:
        blocks["C"] = program.block(subject.cfg)
    except PeerError as error:
        context.say(f"the C program is left out of {subject.name}: {error}")


def _row(
    work: str,
    subject: Subject,
    batch: int,
    blocks: Mapping[str, Block],
    errors: Errors,
    context: Context,
    layer: int | None = None,
) -> Row:
    timings = interleave(blocks, context.plan, context.load)
    cells = {
        name: Cell(
            timing.median,
            timing.is_noisy,
            len(timing.quiet),
            timing.rejected,
            errors.get(name, {}),
        )
        for name, timing in timings.items()
    }
    _, h, w = subject.graph.shape
    return Row(work, subject.name, batch, w, h, cells, layer)
