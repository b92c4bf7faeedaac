"""A dream on the command line, from files to files."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from darknet_py.cli.console import say_line
from darknet_py.cli.dream_output import Output, check_files
from darknet_py.cli.options import (
    NetworkOptions,
    chosen_threads,
    find_file,
    load_weights,
    read_network,
    say_network,
    usage_errors,
)
from darknet_py.cli.order import split_network
from darknet_py.cli.predictions import class_names
from darknet_py.cli.progress import Progress
from darknet_py.resources import EMBEDDED
from darknet_py.tasks.dream.request import (
    Request,
    check_request,
    files_of,
    ingredients_of,
    with_defaults,
)

if TYPE_CHECKING:
    from darknet_py.tasks.dream.estimate import Forecast
    from darknet_py.tasks.dream.options import DreamOptions
    from darknet_py.tasks.dream.recipe import Recipe
    from darknet_py.tasks.dreaming import Memory
    from darknet_py.tasks.nightmare import Event


def dream(arguments: Sequence[str], flags: DreamOptions, network: NetworkOptions) -> None:
    """Does what was asked for; prints the names of the pictures that are written."""
    wanted = _read_request(arguments, flags)
    check_files(wanted)
    work = prepare(wanted, network)
    request = work.request
    values = ingredients_of(request, network, work.resolved)
    out = Output(request, _recipe(values, request))
    with closing(work.progress):
        for event in work.events:
            out.take(event)
            work.progress.show(event)
            out.say(event)
    out.finish()
    if request.is_default and not network.quiet:
        say_line(_suggestion(request), err=True)


def _read_request(arguments: Sequence[str], flags: DreamOptions) -> Request:
    """Raises click.UsageError for what does not go together."""
    named = split_network(arguments)
    cfg, weights, rest = named or (EMBEDDED.cfg, EMBEDDED.weights, list(arguments))
    layer = int(rest.pop()) if rest and re.fullmatch(r"[0-9]{1,6}", rest[-1]) else None
    if len(rest) > 1:
        raise click.UsageError(f"Expected one PICTURE and one LAYER, found {shlex.join(rest)}.")
    context = click.get_current_context()
    given = {
        name
        for name in vars(flags)
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    picture = rest[0] if rest else None
    with usage_errors():
        request = with_defaults(Request(cfg, weights, picture, layer, flags, frozenset(given)))
        check_request(request)
    return request


def _suggestion(request: Request) -> str:
    how = f", --preset {request.preset}" if request.preset else ""
    return f"{request.picture}, dreamed on by {request.cfg}{how}: try a picture of your own"


def _recipe(values: Mapping[str, Any], request: Request) -> Recipe:
    from darknet_py import __version__
    from darknet_py.tasks.dream.recipe import Recipe, digests_of, plain_name

    files = files_of(request)
    names = {what: plain_name(name) for what, name in files.items()}
    return Recipe(values, request.layer, names, digests_of(files), __version__)


class DreamProgress:
    """A dream's steps: a bar on a terminal, the C program's lines elsewhere."""

    def __init__(self, rounds: int, iters: int, quiet: bool) -> None:
        self._rounds, self._iters, self._done = rounds, iters, 0
        self._lines = not quiet and not sys.stderr.isatty()
        self._bar = Progress(rounds * iters, shown=not quiet)
        self._is_open = False

    def show(self, event: Event) -> None:
        """Takes note of an event."""
        from darknet_py.tasks.nightmare import Stepped

        self._is_open = self._lines and isinstance(event, Stepped)
        if isinstance(event, Stepped):
            number, step = divmod(self._done, self._iters)
            self._done += 1
            what = f"round {number + 1}/{self._rounds}  iteration {step + 1}/{self._iters}"
            self._bar.show(self._done, what)
            if self._lines:
                start = "Iteration: " if event.iteration == 0 else ""
                say_line(f"{start}{event.iteration}, ", err=True, end="")
        else:
            self._bar.clear()
            if self._lines:
                say_line("done", err=True)

    def close(self) -> None:
        """Ends a line that an interruption has left, so that what is said next has its own."""
        self._bar.close()
        if self._is_open:
            say_line(err=True)
        self._is_open = False


@dataclass(frozen=True)
class Work:
    """What is about to run. request: with what its preset says; resolved: options whose values were
    found out on the way."""

    request: Request
    events: Iterator[Event]
    progress: DreamProgress
    resolved: dict[str, Any]


Approve = Callable[["Forecast"], None]


def prepare(
    request: Request,
    network: NetworkOptions,
    rounds: int | None = None,
    approve: Approve | None = None,
) -> Work:
    """Everything that can go wrong goes wrong here, before the first step. approve: told what would
    be done, before weights are loaded; may raise."""
    from darknet_py.tasks.dreaming import plan_dream

    threads = chosen_threads(network.threads)
    network = replace(network, threads=threads)
    net = read_network(request.cfg, network)
    with usage_errors():
        plan = plan_dream(request, net, class_names, threads, rounds)
    if approve is not None:
        approve(plan.forecast())
    say_network(plan.net, network)
    if plan.memory is not None and not network.quiet:
        _say_memory(plan.memory)
    load_weights(plan.net, find_file(request.weights), network)
    progress = DreamProgress(plan.rounds, plan.steps, network.quiet)
    return Work(plan.request, plan.begin(), progress, plan.resolved)


def _say_memory(memory: Memory) -> None:
    """What memory the dream will take, in bytes, and whether its tiles are seen."""
    tile = memory.tile
    parts = f", in tiles of {tile} x {tile}" if tile else ""
    say_line(f"memory: about {memory.needed / 2**20:,.0f} MB{parts}", err=True)
    if memory.exact is not None:
        say_line(
            f"warning: tiles differ a little where they meet: from --tile {memory.exact} on they "
            "do not",
            err=True,
        )
