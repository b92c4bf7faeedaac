"""darknet weights"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from darknet_py.cli.command import Group
from darknet_py.cli.console import complain, say_line, say_path
from darknet_py.cli.progress import Progress
from darknet_py.errors import DarknetError
from darknet_py.resources import find_resource, weights_folder


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
def weights(context: click.Context) -> None:
    """List, fetch and verify published weights.

    Alone it lists them: name, size, what they are, and where they lie. Every command finds fetched
    ones by their name, as in `darknet classify cfg/tiny.cfg tiny.weights`.

    \b
    Example:
      darknet weights fetch tiny vgg-conv
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@weights.command("list")
def list_() -> None:
    """List the published weights: name, size, what they are, and where they lie.

    \b
    Example:
      darknet weights list
    """
    from darknet_py.tasks.published import PUBLISHED

    for name, published in PUBLISHED.items():
        found = find_resource(f"{name}.weights")
        size = f"{published.sizes[0] / 1e6:6.1f} MB"
        say_line(f"{name:16} {size}  {published.about:48} {found or ''}".rstrip())


@weights.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where to put them.  [default: where `darknet weights path` says]",
)
@click.option(
    "--mirror", metavar="URL", help="A folder of the web that has the same files; asked first."
)
def fetch(names: tuple[str, ...], folder: Path | None, mirror: str | None) -> None:
    """Fetch weights by their names, and check size and, where it is known, digest.

    What is there already and right is not fetched again; the paths are printed.

    \b
    Example:
      darknet weights fetch tiny && darknet classify cfg/tiny.cfg tiny.weights photo.jpg
    """
    from darknet_py.tasks import published

    wanted = _published(names)
    if mirror is not None and not mirror.startswith(("http://", "https://")):
        raise click.BadParameter("expected http://... or https://...", param_hint="--mirror")
    mirrors = (mirror, *published.MIRRORS) if mirror else published.MIRRORS
    folder = folder or weights_folder()
    failed = False
    for name in wanted:
        progress = Progress(published.PUBLISHED[name].sizes[0])
        show = partial(_show, progress, f"{name}.weights")
        try:
            published.fetch(name, folder, mirrors, show)
        except published.DownloadError as error:
            failed = True
            progress.close()
            complain(error)
        except OSError as error:
            progress.close()
            raise DarknetError(f"{error.filename}: {error.strerror}") from None
        else:
            progress.close()
            say_path(folder / f"{name}.weights")
    if failed:
        raise SystemExit(1)


def _show(progress: Progress, name: str, done: int) -> None:
    progress.show(done, name, f"  {done / 1e6:.1f} of {progress.total / 1e6:.1f} MB")


@weights.command()
@click.argument("names", metavar="NAME|FILE...", nargs=-1, required=True)
def verify(names: tuple[str, ...]) -> None:
    """Say whether files are the published ones: by their size and, where it is known, digest.

    A file of another name is looked for among all of them.

    \b
    Example:
      darknet weights verify tiny backup/vgg-16.weights
    """
    from darknet_py.tasks.published import PUBLISHED, DownloadError, identify
    from darknet_py.tasks.published import verify as check

    failed = False
    for text in names:
        name = Path(text).name.removesuffix(".weights")
        path = find_resource(text if text.endswith(".weights") else f"{text}.weights")
        try:
            if name not in PUBLISHED and path is not None:
                found = identify(path)
                if not found:
                    raise DownloadError("is none of the published files")
                name = " or ".join(found)
            else:
                _published([name])
                if path is None:
                    raise DownloadError(f"it is not there: darknet weights fetch {name}")
                check(path, name)
        except DownloadError as error:
            failed = True
            complain(f"{path or text}: {error}")
        else:
            known = name in PUBLISHED and PUBLISHED[name].sha256
            digest = "" if known else " (its size: no digest is known)"
            of = f" as {name}" if name != Path(text).name.removesuffix(".weights") else ""
            say_line(f"{path}: as published{of}{digest}")
    if failed:
        raise SystemExit(1)


@weights.command("path")
def path_() -> None:
    """Print the folder for fetched weights: DARKNET_WEIGHTS_DIR, or one in the user's cache.

    \b
    Example:
      ls $(darknet weights path)
    """
    say_path(weights_folder())


def _published(names: Sequence[str]) -> list[str]:
    from difflib import get_close_matches

    from darknet_py.tasks.published import PUBLISHED

    found = list(dict.fromkeys(name.removesuffix(".weights") for name in names))
    for name in found:
        if name not in PUBLISHED:
            near = get_close_matches(name, PUBLISHED, 3)
            meant = f"did you mean {' or '.join(near)}?" if near else "darknet weights lists them"
            raise click.BadParameter(f"no weights are named {name}: {meant}", param_hint="NAME")
    return found
