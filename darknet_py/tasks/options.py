"""What the options of trainings say: each once, as its field describes it; see
darknet_py/options.py.

Nothing here loads what a --help does not need.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from darknet_py.cfg.rules import PROGRAMS
from darknet_py.options import ClashError, File, Flag, Folder, Real, Whole, Word, option

_PART = "(?:last|[0-9]{1,6}(?:-[0-9]{1,6})?)"
_LAYERS = re.compile(f"{_PART}(?:,{_PART})*")
_GPUS = re.compile("[0-9]{1,3}(?:,[0-9]{1,3})*")


def check_layers(text: str) -> str:
    """LAYERS as they are given. Raises ValueError."""
    if not _LAYERS.fullmatch(text):
        raise ValueError("expected numbers and ranges of them, as in 10-13,18, or last")
    return text


def read_gpus(text: str) -> tuple[int, ...]:
    """The numbers of GPUs, each once. Raises ValueError."""
    if not _GPUS.fullmatch(text):
        raise ValueError("expected numbers of GPUs, as in 0,1")
    found = tuple(int(number) for number in text.split(","))
    if len(set(found)) < len(found):
        raise ValueError(f"names a GPU twice: {text}")
    return found


@dataclass(frozen=True)
class ComputeOptions:
    """Where and how networks compute, but for the threads of the CPU, which a process chooses
    once."""

    device: str = option(
        "auto",
        "--device",
        metavar="cpu|gpu|auto",
        shown=True,
        help="Where to compute; gpu:1 is the second GPU (-i 1, -nogpu: as in the C program).",
    )
    exact: bool = option(
        False, "--exact", kind=Flag(), help="Convolve directly: slower, and rounds less."
    )
    half: bool = option(False, "--half", kind=Flag(), help="On a GPU, compute maps in bfloat16.")
    strict: bool = option(False, "--strict", kind=Flag(), help="Refuse a cfg that gives warnings.")
    rules: str | None = option(
        None,
        "--rules",
        kind=Word(PROGRAMS),
        help="Compute as this C program does where the two differ.  [as cfg and weights say]",
    )


@dataclass(frozen=True)
class DataOptions:
    """How pictures get labels, and how some are set aside to validate with."""

    labels: str = option(
        "exact",
        "--labels",
        kind=Word(("exact", "substring")),
        shown=True,
        help="How a .data file's pictures get labels: by their folder's name or a part of their "
        "own (exact), or wherever a path contains one, as in the C program.",
    )
    share: float = option(
        0.1,
        "--share",
        kind=Real(0, 0.9),
        shown=True,
        help="Of a folder or list without another to validate with: how much is set aside.",
    )
    seed: int = option(
        0, "--seed", kind=Whole(0), metavar="N", shown=True, help="Of all that is drawn."
    )


@dataclass(frozen=True)
class TrainOptions:
    """Of a training: where it begins, where it is kept, and what computes it."""

    clear: bool = option(
        False, "-clear", "--clear", kind=Flag(), help="Count pictures and batches from 0 again."
    )
    resume: bool = option(
        False, "--resume", kind=Flag(), help="Go on from NAME.state in the backup folder."
    )
    state: str | None = option(None, "--state", kind=File(), help="Go on from this state instead.")
    backup: str | None = option(None, "--backup", kind=Folder(), help="Folder for what is written.")
    overwrite: bool = option(
        False,
        "--overwrite",
        kind=Flag(),
        help="Begin anew in the place of a training in that folder.",
    )
    gpus: tuple[int, ...] | None = option(
        None,
        "-gpus",
        "--gpus",
        check=read_gpus,
        metavar="N,N",
        help="Train on these GPUs of this machine at once, as in 0,1: a process each.",
    )
    reinit: str | None = option(
        None,
        "--reinit",
        check=check_layers,
        metavar="LAYERS",
        help="Draw these layers of WEIGHTS anew, as in 18, 10-13,18 or last.",
    )
    workers: int | None = option(
        None,
        "--workers",
        kind=Whole(1),
        metavar="N",
        help="Threads that read pictures.  [as many as compute]",
    )
    tensorboard: bool = option(
        False,
        "--tensorboard",
        kind=Flag(),
        help="Write event files into the backup folder, too.",
    )


def check_training(options: TrainOptions, has_weights: bool, device: str) -> None:
    """Raises ClashError for what does not go together."""
    resume = options.resume or options.state is not None
    if resume and (has_weights or options.clear):
        raise ClashError("A state goes on with its own weights: leave out WEIGHTS and -clear.")
    if resume and options.overwrite and not options.state:
        raise ClashError("--overwrite begins anew, and --resume goes on: give one.")
    if options.reinit and not has_weights:
        raise ClashError("--reinit draws layers of WEIGHTS anew: there are none.")
    if options.gpus and device not in ("auto", "gpu"):
        raise ClashError(f"-gpus says which GPUs: leave out --device {device}.")


@dataclass(frozen=True)
class ImbalanceOptions:
    """For small and uneven sets."""

    class_weights: str | None = option(
        None,
        "--class-weights",
        metavar="balanced|FILE",
        help="Count pictures by their class: all classes alike, or a file with a number a line, "
        "in the order of the names.",
    )
    balance: bool = option(
        False,
        "--balance",
        kind=Flag(),
        help="Draw all classes equally often; pictures of small ones come again.",
    )
    ema: float = option(
        0,
        "--ema",
        kind=Real(0, 1, most_open=True),
        metavar="DECAY",
        help="Average the weights over the batches, as in 0.999; validated and written as "
        "NAME_best.weights and NAME.weights.  [off]",
    )


def check_imbalance(options: ImbalanceOptions) -> None:
    """Raises ClashError for what does not go together."""
    if options.balance and options.class_weights == "balanced":
        raise ClashError("--balance and --class-weights balanced do the same: give one.")


@dataclass(frozen=True)
class RunOptions:
    """Of a training: when it is saved, validated and stopped."""

    batches: int | None = option(
        None,
        "--max-iter",
        kind=Whole(1),
        metavar="N",
        help="Stop after N batches in all.  [max_batches]",
    )
    snapshot: int | None = option(
        None,
        "--snapshot",
        kind=Whole(1),
        metavar="N",
        help="Keep NAME_iter_BATCH.weights and .state every N batches.",
    )
    keep: int | None = option(
        None,
        "--keep",
        kind=Whole(1),
        metavar="N",
        help="Keep NAME_EPOCH.weights and .state of every Nth epoch.  [the last and the best "
        "alone]",
    )
    valid_every: int | None = option(
        None,
        "--valid-every",
        kind=Whole(1),
        metavar="N",
        help="Batches between validations.  [an epoch]",
    )
    patience: int | None = option(
        None,
        "--patience",
        kind=Whole(0),
        metavar="N",
        help="Stop after N validations without a better one; 0: never.  [0]",
    )


@dataclass(frozen=True)
class CfgOptions:
    """What a training changes of its cfg, and writes into its own."""

    epochs: float | None = option(
        None,
        "--epochs",
        kind=Real(0, least_open=True),
        metavar="N",
        help="Train for N passes over the pictures.  [the cfg's max_batches]",
    )
    batch: int | None = option(
        None, "--batch", kind=Whole(1), metavar="N", help="Pictures in a batch.  [the cfg's]"
    )
    lr: float | None = option(
        None,
        "--lr",
        kind=Real(0, least_open=True),
        metavar="R",
        help="Learning rate.  [the cfg's]",
    )
    size: int | None = option(
        None,
        "--size",
        kind=Whole(8),
        metavar="N",
        help="Train on N x N pictures.  [the cfg's size]",
    )
    optimizer: str | None = option(
        None,
        "--optimizer",
        kind=Word(("sgd", "adam", "rmsprop")),
        metavar="NAME",
        help="sgd, adam or rmsprop.  [the cfg's]",
    )


@dataclass(frozen=True)
class StageOptions:
    """What the user asks for; None: the default for so many pictures.

    unfreeze: how many layers with weights before the head learn after it, 0: the head alone; start:
    the first layer that does, instead; all: all of them, in a stage of their own.
    """

    unfreeze: int | None = option(
        None,
        "--unfreeze",
        kind=Whole(0),
        metavar="N",
        help="After the new layer, train the N layers with weights before it too; 0: none.  [a "
        "quarter of them, from 100 pictures on]",
    )
    start: int | None = option(
        None,
        "--unfreeze-from",
        kind=Whole(0),
        metavar="LAYER",
        help="The same, said as the first layer that is trained.",
    )
    all: bool = option(
        False,
        "--all",
        kind=Flag(),
        help="In the end, train all layers.  [from 3,000 pictures on]",
    )
    head_epochs: int | None = option(
        None,
        "--head-epochs",
        kind=Whole(1),
        metavar="N",
        help="Of the first stage, the new layer's.  [15 to 100]",
    )
    epochs: int | None = option(
        None,
        "--epochs",
        kind=Whole(1),
        metavar="N",
        help="Of each stage after the first.  [8 to 30, the more the fewer pictures]",
    )
    batch: int | None = option(
        None,
        "--batch",
        kind=Whole(2),
        metavar="N",
        help="Pictures in a batch.  [4 to 64: a tenth of them]",
    )
    head_rate: float = option(
        0.003,
        "--head-lr",
        kind=Real(0, least_open=True),
        metavar="R",
        shown=True,
        help="Learning rate of the first stage, at its highest (Adam).",
    )
    rate: float | None = option(
        None,
        "--lr",
        kind=Real(0, least_open=True),
        metavar="R",
        help="Learning rate of the later stages, at its highest (SGD).  [.003 with batches of 64, "
        "with smaller ones in proportion less]",
    )
    layer_decay: float = option(
        0.8,
        "--layer-decay",
        kind=Real(0, 1, least_open=True),
        metavar="D",
        shown=True,
        help="In the later stages each layer has D times the rate of the next.",
    )


@dataclass(frozen=True)
class FinetuneOptions(StageOptions):
    """Of a whole fine-tuning: its stages, what it trains on and where it is kept."""

    output: str = option(
        "finetuned",
        "-o",
        "--output",
        kind=Folder(),
        shown=True,
        help="Folder for what is written.",
    )
    resume: bool = option(
        False,
        "--resume",
        kind=Flag(),
        help="Go on with what began in the output folder. Where pictures have gone or come, its "
        "stages begin again; features of all others are kept, and so are the sides.",
    )
    overwrite: bool = option(
        False,
        "--overwrite",
        kind=Flag(),
        help="Begin anew in the place of another one in that folder.",
    )
    size: int | None = option(
        None,
        "--size",
        kind=Whole(8),
        metavar="N",
        help="Train on N x N pictures, and say so in the new cfg.  [the cfg's size]",
    )
    reinit: str | None = option(
        None,
        "--reinit",
        metavar="LAYERS",
        check=check_layers,
        help="Draw these layers anew too, as in 18 or 10-13,18, and train them with the new one.",
    )
    views: int | None = option(
        None,
        "--views",
        kind=Whole(1),
        metavar="K",
        help="Keep features of K augmented views of each picture.  [1 to 16]",
    )
    cache: str | None = option(
        None,
        "--cache",
        kind=Folder(),
        metavar="DIR",
        help="Folder for features, which other runs may share.  [features in the output folder]",
    )
    no_cache: bool = option(
        False,
        "--no-cache",
        kind=Flag(),
        help="Keep no features: all layers run each time.",
    )
    cache_size: float = option(
        4,
        "--cache-size",
        kind=Real(least=0),
        metavar="GB",
        shown=True,
        help="Stages whose features need more run without.",
    )
    smooth: float = option(
        0,
        "--label-smoothing",
        kind=Real(0, 1),
        metavar="S",
        help="So much of the truth goes to all classes, as smooth= in the cfg.  [0]",
    )
    mixup: float = option(
        0,
        "--mixup",
        kind=Real(least=0),
        metavar="A",
        help="Blend pictures, as mixup= in [net]; not where features are kept.  [0]",
    )
    cutmix: float = option(
        0,
        "--cutmix",
        kind=Real(least=0),
        metavar="A",
        help="Put a part of a picture into another, as cutmix= in [net]; not where features are "
        "kept.  [0]",
    )
    patience: int | None = option(
        None,
        "--patience",
        kind=Whole(1),
        metavar="N",
        help="End a stage after N validations without a better one, with the best weights.",
    )


def check_finetuning(options: FinetuneOptions) -> None:
    """Raises ClashError for what does not go together."""
    if options.unfreeze is not None and options.start is not None:
        raise ClashError("--unfreeze and --unfreeze-from say the same in two ways: give one.")
    if options.resume and options.overwrite:
        raise ClashError("--overwrite begins anew, and --resume goes on: give one.")
    if options.no_cache and options.cache is not None:
        raise ClashError("--no-cache and --cache: give one.")
