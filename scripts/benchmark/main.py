"""scripts/bench: plans the rows, measures them one by one, prints and writes them."""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from darknet_py.atomic import atomic_file
from darknet_py.errors import DarknetError
from scripts.benchmark.c_program import CProgram
from scripts.benchmark.graph import UnsupportedError
from scripts.benchmark.machine import describe_machine, machine_line
from scripts.benchmark.measure import Plan
from scripts.benchmark.networks import (
    DREAMS,
    FULL_SIZE,
    GRADIENT,
    INFERENCE,
    TRAINING,
    Dream,
    Subject,
)
from scripts.benchmark.options import parse_options
from scripts.benchmark.peers import DISTRIBUTIONS, PeerError, load_peers, missing_packages
from scripts.benchmark.pictures import random_pictures, read_picture
from scripts.benchmark.quiet import machine_load
from scripts.benchmark.results import Row, as_json
from scripts.benchmark.table import Table
from scripts.benchmark.works import (
    Context,
    dream_row,
    gradient_row,
    inference_row,
    training_row,
)

Measure = Callable[[], Row]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    options = parse_options(arguments)
    try:
        return _run(options)
    except (DarknetError, PeerError, OSError) as error:
        say(str(error))
        return 1


def say(line: str) -> None:
    """One line on stderr."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def _run(options: argparse.Namespace) -> int:
    # read when the first kernel runs
    os.environ["DARKNET_NUM_THREADS"] = str(options.threads)
    context = _context(options)
    machine = describe_machine(options.threads, DISTRIBUTIONS)
    names = [*context.peers, *(["C"] if context.program else [])]
    table = Table(names)
    print(machine_line(machine))
    print(table.head, flush=True)
    rows: list[Row] = []
    for what, measure in _plan(options, context):
        say(what)
        gc.collect()  # the network before, where its contestants hold one another in circles
        try:
            row = measure()
        except UnsupportedError as error:
            say(f"{what} is left out: {error}")
            continue
        rows.append(row)
        print(table.line(row), flush=True)
        if options.json:
            _write(options, machine, rows)
    print(*table.foot(rows), sep="\n")
    return 0


def _context(options: argparse.Namespace) -> Context:
    peers = load_peers(options.peers, options.threads, say)
    program = CProgram(options.darknet, options.threads) if options.darknet else None
    load = machine_load()
    if load.read is None:
        say("this system does not say what other processes do: no block is thrown away")
    truth = None
    if missing_packages("torch"):
        say("without torch there is nothing to compare answers with: the column error stays empty")
    else:
        truth = importlib.import_module("scripts.benchmark.truth")
    plan = Plan(options.rounds, options.seconds, options.max_tries)
    return Context(peers, program, truth, plan, load, say)


def _plan(options: argparse.Namespace, context: Context) -> Iterator[tuple[str, Measure]]:
    """What each row is, and how it is measured."""
    plans = {
        "inference": _inference,
        "training": _training,
        "gradient": _gradient,
        "dream": _dream,
    }
    for work in options.work:
        yield from plans[work](options, context)


def _inference(options: argparse.Namespace, context: Context) -> Iterator[tuple[str, Measure]]:
    for name in options.networks or INFERENCE:
        subjects: list[Subject] = []  # made when the first row is measured, kept for the others

        def measure(batch: int, name: str = name, subjects: list[Subject] = subjects) -> Row:
            if not subjects:
                subjects.append(context.subject(name))
            return inference_row(subjects[0], batch, context)

        for batch in options.batches:
            yield f"inference, {name}, batch {batch}", partial(measure, batch)


def _training(options: argparse.Namespace, context: Context) -> Iterator[tuple[str, Measure]]:
    """Networks that have no batch size are not trained, unless one is given for all."""
    for name in options.networks or TRAINING:
        for batch in options.training_batches or TRAINING.get(name, ()):
            yield f"training, {name}, batch {batch}", partial(training_row, name, batch, context)


def _gradient(options: argparse.Namespace, context: Context) -> Iterator[tuple[str, Measure]]:
    """The same for networks that have no layer to dream from."""
    for name in options.networks or GRADIENT:
        dream = GRADIENT.get(name) if options.layer is None else Dream(options.layer)
        if dream:
            x = _photo(options) if dream.full_size else None
            what = f"gradient, {name}, layer {dream.layer}"
            yield what, partial(gradient_row, name, dream, x, context)


def _dream(options: argparse.Namespace, context: Context) -> Iterator[tuple[str, Measure]]:
    """The same for networks of which no layer is dreamed."""
    for name in options.networks or DREAMS:
        layer = DREAMS.get(name) if options.layer is None else options.layer
        if layer is not None:
            what = f"dream, {name}, layer {layer}"
            yield what, partial(dream_row, name, layer, _photo(options), context)


def _photo(options: argparse.Namespace) -> np.ndarray:
    if options.picture:
        return read_picture(options.picture)
    width, height = FULL_SIZE
    return random_pictures(1, 3, height, width)


def _write(options: argparse.Namespace, machine: dict[str, Any], rows: Sequence[Row]) -> None:
    settings = {
        name: str(value) if isinstance(value, os.PathLike) else value
        for name, value in vars(options).items()
    }
    with atomic_file(options.json) as file:
        file.write(json.dumps(as_json(machine, settings, rows), indent=1).encode())
        file.write(b"\n")
