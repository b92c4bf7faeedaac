"""A layer of some kind in a small network: its programs in float32, for inference, the gradient at
a picture and training, against the plain functions in float64."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.network import Network
from darknet_py.ops.cpu.runtime import engine
from darknet_py.ops.cpu.runtime import threads as plain_threads
from scripts.trials.guards import Guards
from scripts.trials.networks import KINDS, network_text
from scripts.trials.rounding import UNIT, Rounding
from scripts.trials.trial import Failed

NAME = "layers"
GROUP = "layers"
LIMIT = 300

_NOISES = (4, 1)
"""Of the runs with noise: twice the largest distance of one, for its noise, is what is allowed, as
so few may not have found the largest; and none may change a decision."""
_TRIES = 40
_CPU = devices.for_device("cpu")

Found = dict[str, np.ndarray]


class Given(NamedTuple):
    """All that a trial has drawn: pictures x for inference, batches to train on."""

    text: str
    exact: bool
    threads: int
    values: list[np.ndarray]
    x: np.ndarray
    target: int
    thresh: float
    delta: np.ndarray
    batches: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]]


def trial(random: Random, folder: Path) -> str:
    kind, error = measure(random)
    return f"{kind}" if error < 1 else f"{kind}: {error:.3g}"


def prepare() -> None:
    """Two threads, where a trial asks for them: one is what a process of trials gets otherwise."""
    os.environ["DARKNET_NUM_THREADS"] = "2"


def measure(random: Random, kind: str | None = None) -> tuple[str, float]:
    """A kind of layer, the given one or any, and its largest error in units of what is allowed.
    Raises Failed where it is more than that, or no number."""
    kind = kind or random.choice(list(KINDS))
    for _ in range(_TRIES):
        given = draw(kind, random)
        if given is None:
            continue
        plain = Rounding(0, 0, given.exact)
        expected = compute(given, plain)
        runs = []
        for run, noise in enumerate(_NOISES):
            ops = Rounding(noise, 1 + run, given.exact)
            runs.append(compute(given, ops))
            if not ops.decides_as(plain):
                break
        else:
            found = compute_in_float32(given, Guards(random))
            return kind, _largest_error(given, found, expected, runs)
    return f"{kind}, at a kink", 0.0


def draw(kind: str, random: Random) -> Given | None:
    """None where the keys that were drawn do not fit together."""
    text = network_text(kind, random)
    rng = np.random.default_rng(random.getrandbits(63))
    try:
        net = _network(text, _CPU)
    except CfgError:
        return None
    net.initialise(random.getrandbits(31))
    values = [_value(parameter, rng) for parameter in net.parameters()]
    h, w, c = net.in_shape
    x = rng.random((random.choice([1, 1, 2, 3, 5, 9]), c, h, w), np.float32)
    target = random.randrange(len(net.layers))
    delta = rng.standard_normal((len(x), net.layers[target].out_shape.size), np.float32)
    if net.settings.time_steps > 1:
        x = np.concatenate([x[:1]] * net.settings.time_steps)
        delta = np.concatenate([delta[:1]] * net.settings.time_steps)
    rows = net.settings.batch * net.settings.time_steps
    weighted = random.random() < 0.2
    batches = []
    for _ in range(2):
        truth = np.eye(net.outputs, dtype=np.float32)[rng.integers(net.outputs, size=rows)]
        if any(getattr(layer, "error", "").startswith("masked") for layer in net.layers):
            truth[rng.random(truth.shape) < 0.3] = -1234
        weights = rng.uniform(0, 2, rows).astype(np.float32) if weighted else None
        batches.append((rng.random((rows, c, h, w), np.float32), truth, weights))
    exact = random.random() < 0.3
    # they wait for one another, which takes long where other processes have the cores
    threads = 1 if random.random() < 0.85 else 2
    thresh = random.choice([-0.9, 0.1, 0.7])  # none at which a value of few may be the limit
    return Given(text, exact, threads, values, x, target, thresh, delta, batches)


def _value(parameter: Any, rng: np.random.Generator) -> np.ndarray:
    value = parameter.value + 0.0
    if parameter.name == "rolling_variance":
        value = rng.uniform(0.2, 2, parameter.shape)
    elif parameter.name in ("biases", "rolling_mean"):
        value = 0.3 * rng.standard_normal(parameter.shape)
    elif parameter.name == "scales":
        value = rng.uniform(-1.5, 1.5, parameter.shape)
    return np.asarray(value, np.float32)


def _network(text: str, ops: Any, exact: bool = False) -> Network:
    return Network(parse_sections(text, "my.cfg"), "my.cfg", ops, exact=exact)


def compute_in_float32(given: Given, guards: Guards) -> Found:
    """By the programs, arrays between guard pages."""
    ops = SimpleNamespace(**{name: getattr(_CPU, name) for name in _CPU.__all__})
    ops.array = guards.copy
    threads = mock.patch.object(engine, "thread_count", return_value=given.threads)
    with threads, guards.around_programs():
        return compute(given, ops, guards.copy)


def compute(given: Given, ops: Any, hand: Any = np.array) -> Found:
    """All that is compared. hand: what pictures and truths are given as."""
    plain = mock.patch.object(plain_threads, "thread_count", return_value=1)
    with plain, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        net = _network(given.text, ops, given.exact)
        for parameter, value in zip(net.parameters(), given.values, strict=True):
            parameter.value = ops.array(value)
        net.initialise()
        found: Found = {}
        x, delta = hand(given.x), hand(given.delta)
        _look(net, x, delta, given, found, "before")
        for number, batch in enumerate(given.batches):
            pictures, truths, weights = batch
            handed = hand(pictures), hand(truths), None if weights is None else hand(weights)
            found[f"loss {number}"] = np.array(net.accumulate(*handed))
            for index, layer in enumerate(net.layers):
                for parameter in layer.parameters():
                    if parameter.updates is not None:
                        name = f"updates {number} of {index} {parameter.name}"
                        found[name] = parameter.updates.copy()
            net.update()
            for index, layer in enumerate(net.layers):
                for place, parameter in enumerate(layer.parameters()):
                    name = f"value {number} of {index} {parameter.name} {place}"
                    found[name] = parameter.value.copy()
        _look(net, x, delta, given, found, "after")
    return found


def _look(
    net: Network, x: np.ndarray, delta: np.ndarray, given: Given, found: Found, when: str
) -> None:
    """Inference before training and after it, and a gradient at the picture of either sort."""
    found[f"prediction {when}"] = net.predict(x)
    if when == "before":
        for index, y in enumerate(net.activations(x)):
            found[f"output {when} of {index}"] = y
        found[f"image_delta {when}"] = net.image_delta(x, given.target, given.thresh)
    else:
        _, (found[f"delta {when}"],) = net.vjp(x, delta, given.target, [-1])


def _largest_error(given: Given, found: Found, expected: Found, runs: list[Found]) -> float:
    """Of all arrays."""
    largest = 0.0
    for name, array in found.items():
        right = expected[name]
        if array.shape != right.shape:
            raise Failed(f"{name}: shape {array.shape}, not {right.shape}\n{given.text}")
        if not array.size:
            continue
        if not np.isfinite(array).all():
            raise Failed(f"{name}: not finite\n{given.text}")
        distances = [
            np.abs(run[name] - right).max() / noise
            for run, noise in zip(runs, _NOISES, strict=True)
        ]
        # what was computed is rounded itself, and so may the numbers be that it was put together of
        allowed = 2 * max(distances) + 4 * UNIT * np.abs(right).max() + 1e-37
        error = np.abs(array - right).max() / allowed
        if not error <= 1:
            size = np.abs(right).max()
            raise Failed(
                f"{name}: off by {error * allowed:.3g} of at most {size:.3g}, allowed are "
                f"{allowed:.3g} (exact={given.exact}, threads={given.threads})\n{given.text}"
            )
        largest = max(largest, float(error))
    return largest
