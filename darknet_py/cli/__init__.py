"""The command line. Commands import what they run when they run, so that help is instant."""

from __future__ import annotations

import sys
from typing import Any

import click

from darknet_py import __version__, interrupt
from darknet_py.cli.activations import activations
from darknet_py.cli.classifier import classifier
from darknet_py.cli.classify import classify
from darknet_py.cli.command import Group
from darknet_py.cli.console import complain, prepare_streams, say_line
from darknet_py.cli.dataset import dataset
from darknet_py.cli.detect import detect, detector
from darknet_py.cli.explain import explain
from darknet_py.cli.features import features
from darknet_py.cli.filters import filters
from darknet_py.cli.finetune import finetune
from darknet_py.cli.info import info
from darknet_py.cli.lr_find import lr_find
from darknet_py.cli.nightmare import nightmare
from darknet_py.cli.ops import ops
from darknet_py.cli.order import check_orders
from darknet_py.cli.output import OutputError, Streams
from darknet_py.cli.plan import plan
from darknet_py.cli.plot import plot
from darknet_py.cli.report import report
from darknet_py.cli.speed import speed
from darknet_py.cli.tools import TOOLS
from darknet_py.cli.train import train
from darknet_py.cli.version import help_, version
from darknet_py.cli.weights import weights
from darknet_py.errors import DarknetError
from darknet_py.text import one_line

_SECTIONS = (
    ("Use a network", (classify, detect, detector, nightmare, features, weights)),
    ("Train one", (train, finetune, classifier, dataset, lr_find, plot)),
    ("Look inside", (explain, activations, filters, report)),
    ("Networks and their speed", (info, ops, plan, speed)),
    ("Change weights files", TOOLS),
    ("Help", (help_, version)),
)

_OTHERS = {
    **{name: f"classifier {name}" for name in ("predict", "valid", "check", "show")},
    "visualize": "filters",
    "imtest": " shows what it can do to pictures: classifier show draws a batch of a training",
    "mkimg": " draws filters as pictures: filters does",
    "print": " prints weights as numbers: darknet_py.load_network gives them as arrays",
    "statistics": " prints statistics of weights: darknet_py.load_network gives them as arrays",
    **dict.fromkeys(("coco", "yolo"), "detector"),
    **dict.fromkeys(("rnn", "go", "vid"), " is not here yet"),
    **dict.fromkeys(
        [
            "art",
            "attention",
            "captcha",
            "cifar",
            "composite",
            "isegmenter",
            "lsd",
            "regressor",
            "segmenter",
            "super",
            "swag",
            "tag",
            "test",
            "voxel",
            "writing",
            "3d",
        ],
        " is an experiment of its author's, and not here",
    ),
}
"""What people type who know the C program, and where it is here."""


@click.group(
    cls=Group,
    sections=_SECTIONS,
    others=_OTHERS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="darknet")
def darknet() -> None:
    """Neural networks from the shell, with darknet's own files.

    \b
    Examples:
      darknet classify photo.jpg
      darknet train photos/
      darknet nightmare photo.jpg
    """


check_orders(darknet)


_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What newer clicks raise in place of showing a group's help."""


def main() -> None:
    """Runs the command line; the process ends with 0, 1 (an error), 2 (usage) or 130 (Ctrl-C)."""
    prepare_streams()
    streams = Streams()
    code = 1
    try:
        code = _run(streams)
    finally:
        whole = streams.end()
    sys.exit(code if whole else code or 1)


def _run(streams: Streams) -> int:
    """Runs the command line; the exit code."""
    try:
        code = darknet.main(prog_name="darknet", standalone_mode=False, obj=streams)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        _show_usage(error)
        return error.exit_code
    except OutputError as error:
        # quiet where whoever read the results has seen enough, as in `darknet ... | head`
        if not error.is_pipe:
            complain(error)
        return error.exit_code
    except DarknetError as error:
        complain(error)
        return error.exit_code
    except MemoryError:
        advice = "try a smaller network, smaller pictures, or fewer at once"
        complain(f"there is not enough memory: {advice}")
        return 1
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):  # a bug, and click takes it for Ctrl-D
            raise error.__cause__ from None
        return interrupt.end(lambda line: say_line(line, err=True))


def _show_usage(error: click.ClickException) -> None:
    """As click shows it, and the words of the command line that it repeats as all names are."""
    if isinstance(error, _HELP):
        error.show()
    else:
        context = getattr(error, "ctx", None)
        click.UsageError(one_line(error.format_message().replace("\n\t", " ")), context).show()
