"""The keywords of `darknet_py.train`, `finetune` and `nightmare` and their types, for type checkers
and editors, which read no dataclass's fields. Defaults, ranges and help stand in the dataclasses; a
test holds that the names are the same."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TypedDict


class ComputeKeywords(TypedDict, total=False):
    """See ComputeOptions."""

    device: str
    exact: bool
    half: bool
    strict: bool
    rules: str | None


class DataKeywords(TypedDict, total=False):
    """See DataOptions and ImbalanceOptions."""

    labels: str
    share: float
    seed: int
    class_weights: str | PathLike[str] | None
    balance: bool
    ema: float


class TrainKeywords(ComputeKeywords, DataKeywords, total=False):
    """See CfgOptions, TrainOptions and RunOptions."""

    epochs: float | None
    batch: int | None
    lr: float | None
    size: int | None
    optimizer: str | None
    clear: bool
    resume: bool
    state: str | PathLike[str] | None
    backup: str | PathLike[str] | None
    overwrite: bool
    gpus: Sequence[int] | str | None
    reinit: str | None
    workers: int | None
    tensorboard: bool
    max_iter: int | None
    snapshot: int | None
    keep: int | None
    valid_every: int | None
    patience: int | None


class FinetuneKeywords(ComputeKeywords, DataKeywords, total=False):
    """See FinetuneOptions."""

    unfreeze: int | None
    unfreeze_from: int | None
    all: bool
    head_epochs: int | None
    epochs: int | None
    batch: int | None
    head_lr: float
    lr: float | None
    layer_decay: float
    output: str | PathLike[str]
    resume: bool
    overwrite: bool
    size: int | None
    reinit: str | None
    views: int | None
    cache: str | PathLike[str] | None
    no_cache: bool
    cache_size: float
    label_smoothing: float
    mixup: float
    cutmix: float
    patience: int | None


class DreamKeywords(ComputeKeywords, total=False):
    """See DreamOptions."""

    preset: str | None
    rounds: int
    iters: int
    range: int
    octaves: int
    octave_scale: float
    coarse_to_fine: bool
    rate: float
    thresh: float
    zoom: float
    rotate: float
    norm: int
    seed: int
    layers: str | None
    channel: str | None
    class_: str | int | None
    names: str | PathLike[str] | None
    guide: str | PathLike[str] | None
    laplacian: int
    tv: float
    keep_colours: bool
    mask: str | PathLike[str] | None
    from_: str
    size: str | None
    reconstruct: bool
    momentum: float
    lambda_: float
    smooth: int
    tile: int | None
    memory: float | None
    sheet: bool
