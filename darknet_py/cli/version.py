"""darknet version and darknet help"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from darknet_py import __version__
from darknet_py.cli.command import Command
from darknet_py.cli.console import say_line, say_lines
from darknet_py.cli.options import chosen_threads

_PACKAGES = ("numpy", "numba", "llvmlite", "pillow", "click", "matplotlib")
_OPTIONAL = ("cupy-cuda13x", "cupy-cuda12x", "nvidia-cudnn-cu13", "nvidia-cudnn-cu12")


@click.command(cls=Command)
def version() -> None:
    """Print versions, processor, GPU and cache, for bug reports.

    \b
    Example:
      darknet version
    """
    import platform

    from darknet_py.errors import DarknetError
    from darknet_py.ops import describe_gpu, describe_processor
    from darknet_py.ops.cache import CACHE_VARIABLE, roots

    say_line(f"darknet    {__version__} ({Path(__file__).parents[1]})")
    say_line(f"Python     {platform.python_version()} ({sys.executable})")
    say_line(f"system     {platform.platform()}")
    found = [f"{name} {number}" for name in (*_PACKAGES, *_OPTIONAL) if (number := _number(name))]
    say_line(f"packages   {', '.join(found)}")
    say_line(f"processor  {describe_processor()}; {chosen_threads(None)} threads")
    try:
        say_line(f"GPU        {describe_gpu()}")
    except DarknetError as error:
        say_line(f"GPU        none: {error}")
    cache = next(roots(), None)
    files = [path for path in cache.rglob("*") if path.is_file()] if cache else []
    size = sum(path.stat().st_size for path in files) / 1e6
    say_line(f"kernels    {cache}, {len(files)} files, {size:.1f} MB ({CACHE_VARIABLE})")


def _number(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as version_of

    try:
        return version_of(package)
    except PackageNotFoundError:
        return None


@click.command("help", cls=Command)
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of a command, as its --help does.

    \b
    Examples:
      darknet help classify
      darknet help classifier valid
    """
    shown = context.parent
    assert shown is not None
    rest = list(words)
    while rest:
        if not isinstance(shown.command, click.Group):
            shown.fail(f"{shown.command_path} has no commands of its own.")
        name, command, rest = shown.command.resolve_command(shown, rest)
        assert command is not None
        shown = click.Context(command, info_name=name, parent=shown)
    say_lines(shown.get_help().split("\n"))
