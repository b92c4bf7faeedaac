"""How much the pictures of each class count in training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from darknet_py.cfg.sections import shown
from darknet_py.cfg.text import meaningful_lines, read_text
from darknet_py.errors import CfgError, TrainingError
from darknet_py.tasks.options import ImbalanceOptions

BALANCED = "balanced"


def class_weights(how: str, names: Sequence[str], counts: Sequence[int]) -> tuple[float, ...]:
    """The weight of each class, scaled so that the mean over all pictures is 1.

    how: "balanced", where all classes count alike: a weight is 1 by the class's share of pictures;
    or a file with a number of 0 or more a line, in the order of names. counts: the pictures of each
    class. Raises CfgError.
    """
    if how == BALANCED:
        weights = [1 / count if count else 0.0 for count in counts]
    else:
        weights = _read(how, names)
    total = sum(weight * count for weight, count in zip(weights, counts, strict=True))
    if not total:
        raise CfgError(how, None, "gives no class that has pictures a weight above 0")
    return tuple(weight * sum(counts) / total for weight in weights)


def weights_of(
    options: ImbalanceOptions, names: Sequence[str], counts: Sequence[int]
) -> tuple[float, ...] | None:
    """The weights of classes of so many pictures; None where all count alike."""
    if options.class_weights is None:
        return None
    seen = [min(count, 1) for count in counts] if options.balance else counts
    return class_weights(options.class_weights, names, seen)


def weigh(truth: np.ndarray, weights: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Truths (n, classes) and what each picture counts (n,), for classes that count differently.

    A picture of one class keeps its truth and has the weight of the class. One that is mixed of
    several stands for the losses of each, weighted by its share and the weight of its class: their
    sum is one loss, of a truth where heavier classes have more, times a weight. Raises
    TrainingError for weights of other classes.
    """
    if len(weights) != truth.shape[1]:
        raise TrainingError(f"{len(weights)} weights of classes, and {truth.shape[1]} classes")
    shares = truth * np.array(weights, truth.dtype)
    total = shares.sum(axis=1, keepdims=True)
    weighed = np.divide(shares, total, out=truth.copy(), where=total > 0)
    return weighed, total[:, 0]


def _read(path: str, names: Sequence[str]) -> list[float]:
    weights = []
    for number, line in meaningful_lines(read_text(path)):
        weight = _number(line)
        if weight is None:
            expected = "a number of 0 or more a line, in the order of the names"
            raise CfgError(path, number, f"{shown(line)}: expected {expected}")
        weights.append(weight)
    if len(weights) != len(names):
        raise CfgError(path, None, f"holds {len(weights)} weights for {len(names)} classes")
    return weights


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None
