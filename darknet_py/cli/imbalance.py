"""Options for training on small and imbalance sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from darknet_py.cli.finite import FiniteRange
from darknet_py.cli.options import as_one


@dataclass(frozen=True)
class ImbalanceOptions:
    """What the options say."""

    class_weights: str | None = None
    balance: bool = False
    ema: float = 0

    def weights(self, names: Sequence[str], counts: Sequence[int]) -> tuple[float, ...] | None:
        """The weights of classes of so many pictures; None where all count alike."""
        if self.class_weights is None:
            return None
        from darknet_py.tasks.class_weights import BALANCED, class_weights

        if self.balance and self.class_weights == BALANCED:
            raise click.UsageError("--balance and --class-weights balanced do the same: give one.")
        seen = [min(count, 1) for count in counts] if self.balance else counts
        return class_weights(self.class_weights, names, seen)


_OPTIONS: Sequence[Callable[[Any], Any]] = (
    click.option(
        "--class-weights",
        metavar="balanced|FILE",
        help="Count pictures by their class: all classes alike, or a file with a number a "
        "line, in the order of the names.",
    ),
    click.option(
        "--balance",
        is_flag=True,
        help="Draw all classes equally often; pictures of small ones come again.",
    ),
    click.option(
        "--ema",
        type=FiniteRange(0, 1, max_open=True),
        default=0,
        metavar="DECAY",
        help="Average the weights over the batches, as in 0.999; validated and written as "
        "NAME_best.weights and NAME.weights.  [off]",
    ),
)
imbalance_options = as_one("imbalance", ImbalanceOptions, _OPTIONS)
"""--class-weights, --balance and --ema, as one argument `imbalance`."""
