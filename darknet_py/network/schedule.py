"""The learning rate of each batch, by darknet's policies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from darknet_py.ops.random import random_ints


@dataclass(frozen=True)
class Schedule:
    """rate(batch_num): the rate of the update that ends batch batch_num, counted from 1.

    Below burn_in: learning_rate (batch_num / burn_in)^power. Then, by policy:

    - constant: learning_rate
    - step: times scale^(batch_num // step)
    - steps: times scales[i] from batch steps[i] on
    - exp: times gamma^batch_num
    - poly: times (1 - batch_num / max_batches)^power, 0 beyond max_batches
    - sigmoid: times 1 / (1 + exp(gamma (batch_num - step)))
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
    seed: int = 0

    def rate(self, batch_num: int) -> float:
        """The rate for batch number `batch_num`."""
        if batch_num < self.burn_in:
            return self.learning_rate * _power(batch_num / self.burn_in, self.power)
        return self.learning_rate * self._factor(batch_num)

    def _factor(self, batch_num: int) -> float:
        if self.policy == "step":
            return _power(self.scale, batch_num // self.step)
        if self.policy == "steps":
            pairs = zip(self.steps, self.scales, strict=True)
            return math.prod(scale for step, scale in pairs if batch_num >= step)
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
