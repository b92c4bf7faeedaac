"""What the options of trainings say: each once, as its field describes it; see
darknet_py/options.py.

Nothing here loads what a --help does not need.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from darknet_py.options import Flag, Folder, Real, Whole, Word, option

_PART = "(?:last|[0-9]{1,6}(?:-[0-9]{1,6})?)"
_LAYERS = re.compile(f"{_PART}(?:,{_PART})*")


def check_layers(text: str) -> str:
    """LAYERS as they are given. Raises ValueError."""
    if not _LAYERS.fullmatch(text):
        raise ValueError("expected numbers and ranges of them, as in 10-13,18, or last")
    return text


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
