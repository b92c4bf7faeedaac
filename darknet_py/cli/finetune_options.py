"""What can be said about a fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from darknet_py.cli.finite import FiniteRange
from darknet_py.cli.options import as_one
from darknet_py.cli.train import check_layers

if TYPE_CHECKING:
    from darknet_py.network import Network
    from darknet_py.tasks.finetune import How, Request


@dataclass(frozen=True)
class FinetuneOptions:
    """What the options say."""

    output: str
    resume: bool
    force: bool
    size: int | None
    unfreeze: int | None
    start: int | None
    whole: bool
    reinit: str | None
    epochs: int | None
    head_epochs: int | None
    rate: float | None
    head_rate: float
    layer_decay: float
    batch: int | None
    views: int | None
    cache: str | None
    no_cache: bool
    cache_size: float
    smooth: float
    mixup: float
    cutmix: float
    patience: int | None

    def __post_init__(self) -> None:
        if self.unfreeze is not None and self.start is not None:
            raise click.UsageError("--unfreeze and --from say the same in two ways: give one.")
        if self.resume and self.force:
            raise click.UsageError("--force begins anew, and --resume goes on: give one.")
        if self.no_cache and self.cache is not None:
            raise click.UsageError("--no-cache and --cache: give one.")

    def request(self, net: Network, weights: str, seed: int) -> Request:
        """What is to be fine-options."""
        from darknet_py.tasks.finetune import Request, StageOptions
        from darknet_py.tasks.reinit import layers_to_draw

        wishes = StageOptions(
            unfreeze=self.unfreeze,
            start=self.start,
            all=self.whole,
            head_epochs=self.head_epochs,
            epochs=self.epochs,
            batch=self.batch,
            head_rate=self.head_rate,
            rate=self.rate,
            layer_decay=self.layer_decay,
        )
        mixing = (("mixup", self.mixup), ("cutmix", self.cutmix))
        return Request(
            weights=weights,
            output=Path(self.output),
            wishes=wishes,
            size=self.size,
            reinit=tuple(layers_to_draw(net, self.reinit)) if self.reinit else (),
            net_keys=tuple((key, value) for key, value in mixing if value),
            loss_keys=(("smooth", self.smooth),) if self.smooth else (),
            seed=seed,
            resume=self.resume,
            force=self.force,
        )

    def how(self, seed: int, top: int, stop: Callable[[], bool]) -> How:
        """How it is to run."""
        from darknet_py.tasks.finetune import How

        cache = Path(self.cache) if self.cache else Path(self.output) / "features"
        return How(
            cache=None if self.no_cache else cache,
            views=self.views,
            cache_bytes=1e9 * self.cache_size,
            seed=seed,
            top=top,
            patience=self.patience,
            stop=stop,
        )


_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option(
        "-o",
        "--output",
        type=click.Path(file_okay=False),
        default="finetuned",
        show_default=True,
        help="Folder for what is written.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Go on with what began in the output folder. Where pictures have gone or come, its "
        "stages begin again; features of all others are kept, and so are the sides.",
    ),
    click.option("--force", is_flag=True, help="Begin anew where that folder holds another one."),
    click.option(
        "--size",
        type=click.IntRange(min=8),
        metavar="N",
        help="Train on N x N pictures, and say so in the new cfg.  [the cfg's size]",
    ),
    click.option(
        "--unfreeze",
        type=click.IntRange(min=0),
        metavar="N",
        help="After the new layer, train the N layers with weights before it too; 0: none.  "
        "[a quarter of them, from 100 pictures on]",
    ),
    click.option(
        "--from",
        "start",
        type=click.IntRange(min=0),
        metavar="LAYER",
        help="The same, said as the first layer that is trained.",
    ),
    click.option(
        "--all",
        "whole",
        is_flag=True,
        help="In the end, train all layers.  [from 3,000 pictures on]",
    ),
    click.option(
        "--reinit",
        callback=check_layers,
        metavar="LAYERS",
        help="Draw these layers anew too, as in 18 or 10-13,18, and train them with the new one.",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Of each stage after the first.  [8 to 30, the more the fewer pictures]",
    ),
    click.option(
        "--head-epochs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Of the first stage, the new layer's.  [15 to 100]",
    ),
    click.option(
        "--rate",
        type=FiniteRange(0, min_open=True),
        metavar="R",
        help="Learning rate of the later stages, at its highest (SGD).  [.003 with batches of 64, "
        "with smaller ones in proportion less]",
    ),
    click.option(
        "--head-rate",
        type=FiniteRange(0, min_open=True),
        default=0.003,
        show_default=True,
        metavar="R",
        help="Learning rate of the first stage, at its highest (Adam).",
    ),
    click.option(
        "--layer-decay",
        type=FiniteRange(0, 1, min_open=True),
        default=0.8,
        show_default=True,
        metavar="D",
        help="In the later stages each layer has D times the rate of the next.",
    ),
    click.option(
        "--batch",
        type=click.IntRange(min=2),
        metavar="N",
        help="Pictures in a batch.  [4 to 64: a tenth of them]",
    ),
    click.option(
        "--views",
        type=click.IntRange(min=1),
        metavar="K",
        help="Keep features of K augmented views of each picture.  [1 to 16]",
    ),
    click.option(
        "--cache",
        type=click.Path(file_okay=False),
        metavar="DIR",
        help="Folder for features, which other runs may share.  [features in the output folder]",
    ),
    click.option("--no-cache", is_flag=True, help="Keep no features: all layers run each time."),
    click.option(
        "--cache-size",
        type=FiniteRange(min=0),
        default=4,
        show_default=True,
        metavar="GB",
        help="Stages whose features need more run without.",
    ),
    click.option(
        "--smooth",
        type=FiniteRange(0, 1),
        default=0,
        metavar="S",
        help="Label smoothing: so much of the truth goes to all classes.  [0]",
    ),
    click.option(
        "--mixup",
        type=FiniteRange(min=0),
        default=0,
        metavar="A",
        help="Blend pictures, as mixup= in [net]; not where features are kept.  [0]",
    ),
    click.option(
        "--cutmix",
        type=FiniteRange(min=0),
        default=0,
        metavar="A",
        help="Put a part of a picture into another, as cutmix= in [net]; not where features are "
        "kept.  [0]",
    ),
    click.option(
        "--patience",
        type=click.IntRange(min=1),
        metavar="N",
        help="End a stage after N validations without a better one, with the best weights.",
    ),
)


finetune_options = as_one("options", FinetuneOptions, _OPTIONS)
"""All of them, as one argument `options`."""
