"""Options and habits that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from darknet_py.cli import status_line
from darknet_py.cli.console import say_line, say_lines
from darknet_py.resources import find_resource

if TYPE_CHECKING:
    from darknet_py.network import Network

F = TypeVar("F", bound=Callable[..., Any])

_MOST_WARNINGS = 20

_THREAD_VARIABLES = ("DARKNET_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class NetworkOptions:
    """What the options that all networks share say."""

    device: str = "auto"
    threads: int | None = None
    exact: bool = False
    half: bool = False
    strict: bool = False
    quiet: bool = False


threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="CPU threads.  [default: all cores]",
)


def as_one(name: str, kind: type[Any], options: Sequence[Callable[[F], F]]) -> Callable[[F], F]:
    """A decorator that gives a command these options as one argument `name`: a dataclass `kind`,
    which has a field for each."""

    def decorate(command: F) -> F:
        @wraps(command)
        def collected(*arguments: Any, **given: Any) -> Any:
            mine = {field.name: given.pop(field.name) for field in fields(kind)}
            return command(*arguments, **{name: kind(**mine)}, **given)

        decorated = cast(F, collected)
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


_NETWORK_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="cpu|gpu|auto",
        help="Where to compute; gpu:1 is the second GPU.",
    ),
    threads_option,
    click.option("--exact", is_flag=True, help="Convolve directly: slower, and rounds less."),
    click.option("--half", is_flag=True, help="On a GPU, compute maps in bfloat16."),
    click.option("--strict", is_flag=True, help="Refuse a cfg that gives warnings."),
    click.option("-q", "--quiet", is_flag=True, help="Results only: no layer table."),
)
network_options = as_one("network", NetworkOptions, _NETWORK_OPTIONS)
"""--device, --threads, --exact, --half, --strict and -q, as one argument `network`."""


def limit_threads(threads: int | None) -> None:
    """Tells ops.cpu and the BLAS, which read these variables when they are first imported."""
    if threads is not None:
        os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))


def chosen_threads(threads: int | None) -> int:
    """How many threads will be used: those that are asked for, else what ops.cpu takes."""
    if threads is not None:
        return threads
    wanted = os.environ.get(_THREAD_VARIABLES[0], "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def find_file(name: str) -> str:
    """A file as named, or the one of this name among those that come with the program."""
    return str(find_resource(name) or name)


def build_network(cfg: str, network: NetworkOptions) -> Network:
    """Builds a network on paper, with the layer table and warnings on stderr."""
    net = read_network(cfg, network)
    say_network(net, network)
    return net


def read_network(cfg: str, network: NetworkOptions) -> Network:
    """The same, and says nothing of it."""
    limit_threads(network.threads)
    from darknet_py.network import Network
    from darknet_py.ops.notices import when_compiling, when_noting

    when_compiling(None if network.quiet else _say_compiling)
    when_noting(lambda text: status_line.say(f"note: {text}"))
    net = Network.from_cfg(
        find_file(cfg),
        network.device,
        strict=network.strict,
        exact=network.exact,
        half=network.half,
    )
    net.say = lambda text: say_line(f"note: {text}", err=True)
    return net


def say_network(net: Network, network: NetworkOptions) -> None:
    """Warnings and, unless it is to be quiet, the layer table, on stderr."""
    from darknet_py.network.builder import table

    say_warnings(net.warnings)
    if not network.quiet:
        say_lines(table(net.layers), err=True)


def say_warnings(warnings: Sequence[str]) -> None:
    """What a cfg's reader made of it where it says something else, on stderr: the first of many."""
    for warning in warnings[:_MOST_WARNINGS]:
        say_line(f"warning: {warning}", err=True)
    if len(warnings) > _MOST_WARNINGS:
        more = len(warnings) - _MOST_WARNINGS
        say_line(f"warning: and {more} more, which `darknet info` prints", err=True)


def _say_compiling(is_kept: bool) -> None:
    kept = "once" if is_kept else "as there is no folder to keep them in (see DARKNET_CACHE_DIR)"
    status_line.say(f"Compiling kernels, {kept}: up to a minute...")


def open_network(cfg: str, weights: str, network: NetworkOptions) -> Network:
    """The same, with its weights loaded."""
    net = build_network(cfg, network)
    load_weights(net, weights, network)
    return net


def load_weights(net: Network, weights: str, network: NetworkOptions) -> None:
    """Loads weights, and says so on stderr."""
    if not network.quiet:
        say_line(f"Loading weights from {weights}...", err=True, end="")
    end = ""  # of the line, so that a message that follows has one of its own
    said = len(net.warnings)
    try:
        net.load_weights(weights)
        end = "Done!"
    finally:
        if not network.quiet:
            say_line(end, err=True)
    for warning in net.warnings[said:]:
        say_line(f"warning: {warning}", err=True)
