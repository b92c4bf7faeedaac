"""Options and habits that several commands share."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from darknet_py.cli.console import say_line, say_lines
from darknet_py.cli.progress import say
from darknet_py.options import (
    ClashError,
    File,
    Flag,
    Folder,
    Option,
    Real,
    Whole,
    Word,
    option,
    options_in,
)
from darknet_py.resources import find_resource
from darknet_py.tasks.options import ComputeOptions

if TYPE_CHECKING:
    from darknet_py.network import Network

F = TypeVar("F", bound=Callable[..., Any])

_MOST_WARNINGS = 20

_THREAD_VARIABLES = ("DARKNET_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class NetworkOptions(ComputeOptions):
    """Where and how networks compute."""

    threads: int | None = option(
        None,
        "--threads",
        kind=Whole(1),
        metavar="N",
        help="CPU threads.  [default: all cores]",
    )
    quiet: bool = option(
        False, "-q", "--quiet", kind=Flag(), help="Say only results, warnings and errors."
    )


@contextmanager
def usage_errors() -> Iterator[None]:
    """Options that do not go together are a fault of the command line."""
    try:
        yield
    except ClashError as error:
        raise click.UsageError(str(error)) from error


def options_of(name: str, kind: type[Any]) -> Callable[[F], F]:
    """A decorator that gives a command the options that a dataclass describes (see
    darknet_py/options.py), as one argument `name`: an instance of it."""
    described = options_in(kind)

    def decorate(command: F) -> F:
        @wraps(command)
        def collected(*arguments: Any, **given: Any) -> Any:
            mine = {field: given.pop(field) for field in described}
            return command(*arguments, **{name: kind(**mine)}, **given)

        decorated = cast(F, collected)
        for each in reversed(fields(kind)):
            if each.name in described:
                decorated = click_option(each.name, each.default, described[each.name])(decorated)
        return decorated

    return decorate


def click_option(name: str, default: Any, described: Option) -> Callable[[F], F]:
    """One of click's, as a dataclass's field describes it."""
    more: dict[str, Any] = {"help": described.help, "default": default}
    if isinstance(described.kind, Flag):
        if not any("/" in flag for flag in described.flags):
            more["is_flag"] = True
    else:
        more.update(type=_click_type(described.kind), metavar=described.metavar)
    if described.shown is not None:
        more["show_default"] = described.shown
    if described.check is not None:
        more["callback"] = partial(_checked, described.check)
    return click.option(*described.flags, name, **more)


def _click_type(kind: Any) -> Any:
    if isinstance(kind, Whole):
        return click.IntRange(kind.least, kind.most)
    if isinstance(kind, Real):
        return FiniteRange(kind.least, kind.most, min_open=kind.least_open, max_open=kind.most_open)
    if isinstance(kind, Word):
        return click.Choice(kind.words)
    if isinstance(kind, File):
        return click.Path()
    return click.Path(file_okay=False) if isinstance(kind, Folder) else None


def _checked(check: Callable[[str], Any], _context: object, _option: object, text: Any) -> Any:
    try:
        return None if text is None else check(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


class FiniteRange(click.FloatRange):
    """A range of floats without NaN, which every comparison of click's lets through, and without
    infinities."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Write over a file of this name that is there."
)
"""For commands that write files: cli/files.py looks whether it is given."""


def network_options(command: F) -> F:
    """--device, --threads, --exact, --half, --strict and -q, as one argument `network`; and the C
    program's -i N and -nogpu, which are --device gpu:N and cpu."""

    @wraps(command)
    def chosen(
        *arguments: Any, network: NetworkOptions, gpu: int | None, nogpu: bool, **given: Any
    ) -> Any:
        if nogpu or gpu is not None:
            device = "cpu" if nogpu or (gpu or 0) < 0 else f"gpu:{gpu}"
            if network.device not in ("auto", device):
                raise click.UsageError(f"--device {network.device} and {device}: give one.")
            network = replace(network, device=device)
        return command(*arguments, network=network, **given)

    hidden = cast(F, chosen)
    hidden = click.option("-nogpu", "nogpu", is_flag=True, hidden=True, help="--device cpu.")(
        hidden
    )
    hidden = click.option("-i", "gpu", type=int, hidden=True, help="--device gpu:N.")(hidden)
    return options_of("network", NetworkOptions)(hidden)


threads_option = click_option("threads", None, options_in(NetworkOptions)["threads"])


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
    when_noting(lambda text: say(f"note: {text}"))
    net = Network.from_cfg(
        find_file(cfg),
        network.device,
        strict=network.strict,
        exact=network.exact,
        half=network.half,
        rules=network.rules,
    )
    net.say = lambda text: say_line(f"note: {text}", err=True)
    return net


def say_network(net: Network, network: NetworkOptions) -> None:
    """Warnings and, unless it is to be quiet, the layer table, on stderr."""
    from darknet_py.network.builder import table

    say_warnings(net.warnings)
    if not network.quiet:
        say_lines(table(net.layers), err=True)


def say_rules(net: Network, network: NetworkOptions) -> None:
    """Whose rules hold, where these are not pjreddie's as nothing says otherwise, on stderr."""
    rules = net.settings.rules
    if rules.why and not network.quiet:
        say_line(f"{net.path}: {rules.line}", err=True)


def say_warnings(warnings: Sequence[str]) -> None:
    """What a cfg's reader made of it where it says something else, on stderr: the first of many."""
    for warning in warnings[:_MOST_WARNINGS]:
        say_line(f"warning: {warning}", err=True)
    if len(warnings) > _MOST_WARNINGS:
        more = len(warnings) - _MOST_WARNINGS
        say_line(f"warning: and {more} more, which `darknet info` prints", err=True)


def _say_compiling(is_kept: bool) -> None:
    kept = "once" if is_kept else "as there is no folder to keep them in (see DARKNET_CACHE_DIR)"
    say(f"Compiling kernels, {kept}: up to a minute...")


def open_network(cfg: str, weights: str, network: NetworkOptions) -> Network:
    """The same, with its weights loaded. What is not there is said before the layer table."""
    net = read_network(cfg, network)
    _check_there(weights)
    say_network(net, network)
    load_weights(net, weights, network)
    return net


def _check_there(weights: str) -> None:
    path = Path(find_file(weights))
    if os.path.lexists(path):
        return
    from darknet_py.errors import WeightsError
    from darknet_py.tasks.published import PUBLISHED

    advice = f": darknet weights fetch {path.stem} fetches it" * (path.stem in PUBLISHED)
    raise WeightsError(f"{path}: no such file or folder{advice}")


def load_weights(net: Network, weights: str, network: NetworkOptions) -> None:
    """Loads weights, and says so on stderr."""
    weights = find_file(weights)
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
    say_rules(net, network)
