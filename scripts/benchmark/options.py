"""The command line of scripts/bench."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from scripts.benchmark.machine import default_threads
from scripts.benchmark.networks import (
    DREAMS,
    FULL_SIZE,
    GRADIENT,
    INFERENCE,
    TRAINING,
    find_cfg,
)
from scripts.benchmark.peers import PACKAGES

T = TypeVar("T")

WORKS = ("inference", "training", "gradient", "dream")

DESCRIPTION = """\
Times this project against ONNX Runtime, PyTorch, OpenCV and, where it is built, the C program:
networks from cfg/ with random weights, the same for all, on the same pictures.

The contestants take turns, in short blocks. A block in which other processes used more than
about 4 % of a CPU is thrown away and repeated. A row whose contestants had no quiet block is
marked: ~ in the table, "noisy" in JSON. The table goes to stdout, all else to stderr."""

EXAMPLES = f"""\
what is measured:
  inference  Network.predict. Batch norm is folded into the peers' weights, and their input is
             in their own format before the clock runs.
  training   Network.accumulate, a step without its update, against PyTorch. Its error is of the
             first convolution's updates: 1e-3 to 1e-2 means little, since a change of 1e-6 in the
             pictures already picks another maximum or slope somewhere.
             By default: {", ".join(TRAINING)}.
  gradient   Network.image_delta, the heart of a dream, against PyTorch, from layer
             {", ".join(f"{dream.layer} of {name}" for name, dream in GRADIENT.items())}.
  dream      a whole step of darknet nightmare, the mean of one in each of four octaves, against
             the same in PyTorch, on a photo. Its error is of the picture after the four: 1e-1 means
             little, since a rounding at the threshold of a feature decides about it. Of layer
             {", ".join(f"{layer} of {name}" for name, layer in DREAMS.items())}.

examples:
  scripts/bench                                            # everything: takes long
  scripts/bench --networks tiny,resnet50 --work inference --batches 1
  scripts/bench --work training,gradient --json new.json
  scripts/bench --darknet ~/src/darknet --networks tiny --peers onnxruntime
  scripts/bench --work gradient,dream --networks vgg-conv --picture dog.jpg
  scripts/bench --rounds 2 --max-tries 2                   # in a hurry"""


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Wrong usage ends with code 2."""
    parser = argparse.ArgumentParser(
        prog="bench",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--networks",
        type=_words(_network),
        metavar="A,B",
        help=f"names in cfg/, or paths that end in .cfg ({','.join(INFERENCE)})",
    )
    add("--batches", type=_words(_above_0), default=[1, 16], metavar="N,M", help="inference (1,16)")
    add(
        "--training-batches",
        type=_words(_above_0),
        metavar="N,M",
        help="training, for all networks "
        f"({'; '.join(f'{name} {batches}' for name, batches in _training_defaults())})",
    )
    add(
        "--layer",
        type=int,
        metavar="N",
        help="gradient, dream: from this layer, for all networks, of one picture",
    )
    add("--work", type=_choices(WORKS), default=list(WORKS), metavar="A,B", help=",".join(WORKS))
    add(
        "--peers",
        type=_choices(PACKAGES),
        default=list(PACKAGES),
        metavar="A,B",
        help=f"{','.join(PACKAGES)}; '' for none",
    )
    add(
        "--picture",
        type=Path,
        metavar="FILE",
        help="gradient, dream: instead of random values of {} x {}".format(*FULL_SIZE),
    )
    add("--darknet", type=Path, metavar="PATH", help="a folder in which the C program was built")
    add(
        "--threads",
        type=_above_0,
        default=default_threads(),
        metavar="N",
        help="each (%(default)s)",
    )
    add("--rounds", type=_above_0, default=5, metavar="N", help="blocks of each (%(default)s)")
    add(
        "--seconds",
        type=float,
        default=0.12,
        metavar="S",
        help="length of a block (%(default)s); it has at least three calls, unless they are slow",
    )
    add(
        "--max-tries",
        type=_above_0,
        default=10,
        metavar="N",
        help="how often a disturbed block is tried (%(default)s)",
    )
    add("--json", type=Path, metavar="FILE", help="write all figures, rewritten after each row")
    return parser.parse_args(arguments)


def _training_defaults() -> list[tuple[str, str]]:
    return [(name, ",".join(map(str, batches))) for name, batches in TRAINING.items()]


def _words(convert: Callable[[str], T]) -> Callable[[str], list[T]]:
    return lambda text: [convert(word.strip()) for word in text.split(",") if word.strip()]


def _choices(known: Collection[str]) -> Callable[[str], list[str]]:
    def convert(word: str) -> str:
        if word not in known:
            raise argparse.ArgumentTypeError(f"{word!r}: expected {', '.join(known)}")
        return word

    return _words(convert)


def _network(name: str) -> str:
    if not find_cfg(name).is_file():
        raise argparse.ArgumentTypeError(f"{name!r}: there is no {find_cfg(name)}")
    return name


def _above_0(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number above 0")
    return int(text)
