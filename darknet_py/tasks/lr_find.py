"""Which learning rate: a sweep from far too low to far too high, and the loss on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from darknet_py.errors import PictureError, TrainingError
from darknet_py.images import Dataset, Loader
from darknet_py.images.draw.chart import Panel, Series
from darknet_py.network import Network
from darknet_py.tasks.targets import check_outputs, targets_of

DIVERGED = 4.0
"""The sweep ends where the smoothed loss is so many times its lowest."""
_KEEP = 0.8
"""Of the loss that says so, from batch to batch."""
_LEAST = 8
"""Batches that say something."""
_FALL = 0.03
"""A smoothed loss that falls by less of its start has not fallen."""


@dataclass(frozen=True)
class Probe:
    """One batch, trained on at this rate; loss: of it, before the update."""

    batch: int
    rate: float
    loss: float


@dataclass(frozen=True)
class Found:
    """smoothed: the losses, (probes,), smoothed over neighbours on both sides, and cut at twice the
    first ones; steepest: the rate at which it falls fastest; lowest: where it is lowest."""

    smoothed: np.ndarray
    steepest: float
    lowest: float

    @property
    def rate(self) -> float:
        """The steepest, or a tenth of the lowest's where that is less."""
        return min(self.steepest, self.lowest / 10)


def sweep(
    net: Network,
    data: Dataset,
    low: float,
    high: float,
    steps: int,
    seed: int = 0,
    workers: int | None = None,
    left_out: Callable[[PictureError], object] = lambda _error: None,
) -> Iterator[Probe]:
    """Trains on a batch of the cfg at each of `steps` rates from `low` to `high`, each by the same
    factor above the one before; the network's weights are spoilt by it.

    Ends early where the loss is no number or has climbed to DIVERGED times its lowest. Source:
    Smith 2017, Cyclical Learning Rates, 3.3. left_out: told of each picture that cannot be read any
    more. Raises TrainingError.
    """
    check_outputs(net, len(data.names))
    h, w, c = net.in_shape
    batch, augmentation = net.settings.batch, net.settings.augmentation
    loader = Loader(data, w, h, c, batch, augmentation, seed, workers)
    average, weight, lowest = 0.0, 0.0, math.inf
    with closing(loader.batches()) as batches:
        for number, rate in enumerate(np.geomspace(low, high, steps).tolist(), start=1):
            x, truth = next(batches)
            for error in loader.untold():
                left_out(error)
            loss = net.accumulate(x, targets_of(truth, net.outputs))
            if not math.isfinite(loss) or not net.updates_are_finite():
                return
            yield Probe(number, rate, loss)
            average, weight = _KEEP * average + (1 - _KEEP) * loss, _KEEP * weight + 1 - _KEEP
            lowest = min(lowest, average / weight)
            if average / weight > DIVERGED * lowest:
                return
            net.update(rate)


def suggest(probes: Sequence[Probe], steps: int) -> Found:
    """What a sweep of so many steps says. Raises TrainingError where the loss never fell."""
    losses = np.array([probe.loss for probe in probes])
    if len(losses) < _LEAST:
        count = f"{len(losses)} of {steps} batches"
        raise TrainingError(f"the loss is no number after {count}: begin with a lower --low")
    start = losses[: max(len(losses) // 10, 1)].mean()
    # what explodes at the end must not reach back over the fall before it
    smoothed = _smoothed(np.minimum(losses, 2 * start), steps / 25)
    end = int(smoothed.argmin())
    if smoothed[end] > (1 - _FALL) * start:
        raise TrainingError(
            "the loss never falls between these rates: try another --low and --high, more "
            "--batches, or a network that can learn this"
        )
    # before the lowest point; the first slope is between neighbours, as all of them
    slopes = np.diff(smoothed[: end + 1])
    steepest = int(slopes.argmin())
    rates = [probe.rate for probe in probes]
    return Found(smoothed, math.sqrt(rates[steepest] * rates[steepest + 1]), rates[end])


def chart(probes: Sequence[Probe], found: Found) -> list[Panel]:
    """The losses by rate, and a star at the suggestion; what explodes lies beyond the axis."""
    rates, losses = [probe.rate for probe in probes], [probe.loss for probe in probes]
    height = float(np.interp(math.log(found.rate), np.log(rates), found.smoothed))
    series = [
        Series("loss of a batch", rates, losses, faint=True),
        Series("smoothed", rates, found.smoothed),
        Series(f"suggested: {found.rate:.2g}", [found.rate], [height], 1, star=True),
    ]
    top = max(loss for loss in losses if loss <= 1.5 * found.smoothed.max())
    return [Panel("Loss by learning rate", "learning rate", "loss", series, True, top=top)]


def _smoothed(losses: np.ndarray, sigma: float) -> np.ndarray:
    """Averages over neighbours, weighted by a Gaussian of so many batches; at the ends of fewer."""
    places = np.arange(len(losses))
    weights = np.exp(-0.5 * ((places[:, None] - places) / max(sigma, 1)) ** 2)
    averages: np.ndarray = weights @ losses / weights.sum(axis=1)
    return averages
