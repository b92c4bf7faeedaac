"""The learning rate of each batch, by darknet's policies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import takewhile
from typing import ClassVar

from darknet_py.ops.random import random_ints


@dataclass(frozen=True)
class Schedule:
    """rate(batch_num): the rate of the update that ends batch batch_num, counted from 1.

    Below burn_in: learning_rate (batch_num / burn_in)^power. Then, by policy:

    - constant: learning_rate
    - step: times scale^(batch_num // step)
    - steps: times scales[i] from batch steps[i] on; a step counts where those before it do
    - exp: times gamma^batch_num
    - poly: times (1 - batch_num / max_batches)^power, 0 beyond max_batches
    - sigmoid: times 1 / (1 + exp(gamma (batch_num - step)))
    - sgdr: cosine from learning_rate to learning_rate_min over sgdr_cycle batches (max_batches),
      then again, each cycle sgdr_mult (2) times as long (Loshchilov, Hutter 2017; AlexeyAB's)
    - onecycle: cosine from learning_rate / 25 up to learning_rate over the first `peak` (.3) of
      max_batches, then down to learning_rate_min at the last (Smith, Topin 2018)
    - plateau: learning_rate, times what the losses so far say: see plateau.py
    - random: times u^power, u from 0 to 1, drawn from the seed and the batch's number

    Source: get_current_rate of darknet's network.c.
    """

    POLICIES: ClassVar[tuple[str, ...]] = (
        "constant",
        "step",
        "steps",
        "exp",
        "poly",
        "sigmoid",
        "sgdr",
        "onecycle",
        "plateau",
        "random",
    )

    policy: str
    learning_rate: float
    burn_in: int = 0
    power: float = 4
    max_batches: int = 0
    step: int = 1
    scale: float = 1
    steps: tuple[int, ...] = ()
    scales: tuple[float, ...] = ()
    gamma: float = 1
    learning_rate_min: float = 0
    sgdr_cycle: int = 0
    sgdr_mult: int = 2
    peak: float = 0.3
    seed: int = 0

    def rate(self, batch_num: int) -> float:
        """The rate for batch number `batch_num`."""
        if batch_num < self.burn_in:
            return self.learning_rate * _power(batch_num / self.burn_in, self.power)
        if self.policy == "sgdr":
            return self._between(self.learning_rate, self.learning_rate_min, self._cycle(batch_num))
        if self.policy == "onecycle":
            return self._one_cycle(batch_num / self.max_batches)
        return self.learning_rate * self._factor(batch_num)

    def _cycle(self, batch_num: int) -> float:
        """How much of its cycle is over, from 0 to 1."""
        start, length = 0, self.sgdr_cycle or self.max_batches
        if self.sgdr_mult == 1:
            return ((batch_num - 1) % length + 1) / length
        while start + length < batch_num:
            start += length
            length *= self.sgdr_mult
        return (batch_num - start) / length

    def _one_cycle(self, done: float) -> float:
        if done < self.peak:
            return self._between(self.learning_rate / 25, self.learning_rate, done / self.peak)
        rest = min((done - self.peak) / (1 - self.peak), 1)
        return self._between(self.learning_rate, self.learning_rate_min, rest)

    @staticmethod
    def _between(first: float, last: float, share: float) -> float:
        """From first to last along half a cosine."""
        return last + (first - last) * (1 + math.cos(math.pi * share)) / 2

    def _factor(self, batch_num: int) -> float:
        if self.policy == "step":
            return _power(self.scale, batch_num // self.step)
        if self.policy == "steps":
            pairs = zip(self.steps, self.scales, strict=True)
            passed = takewhile(lambda pair: pair[0] <= batch_num, pairs)
            return math.prod(scale for _, scale in passed)
        if self.policy == "exp":
            return _power(self.gamma, batch_num)
        if self.policy == "poly":
            return _power(max(1 - batch_num / self.max_batches, 0), self.power)
        if self.policy == "sigmoid":
            # exp of more than 700 is no float; the factor is 0 long before
            return 1 / (1 + math.exp(min(self.gamma * (batch_num - self.step), 700)))
        if self.policy == "random":
            below = 2**20
            return _power(random_ints(1, below, self.seed, batch_num)[0] / below, self.power)
        return 1


def _power(base: float, exponent: float) -> float:
    """base ** exponent, both 0 or more; infinite where no float is large enough."""
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf
