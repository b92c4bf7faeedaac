"""Optimisers, and the moving average of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from darknet_py.layers import Layer, Parameter

Array = Any

METHODS = {"sgd": 0, "adam": 2, "rmsprop": 1}
"""Methods, and how many moments each keeps for a parameter."""


@dataclass(frozen=True)
class OptimiserSettings:
    """Keys of [net]: optimizer (sgd), momentum (.9), decay (.0001: of weights, not of biases or
    scales), B1 (.9), B2 (.999), rho (.9), eps (1e-7)."""

    method: str
    momentum: float
    decay: float
    beta1: float
    beta2: float
    rho: float
    epsilon: float


class Optimiser:
    """Updates parameters; keeps the moments of Adam and RMSprop. SGD's velocity stays in the
    updates themselves."""

    def __init__(self, settings: OptimiserSettings, ops: Any) -> None:
        self.settings = settings
        self.steps = 0
        self.moments: dict[Parameter, list[Array]] = {}
        self._ops = ops

    def step(self, layers: Sequence[Layer], rate: float, batch: int) -> None:
        """One step; `batch` pictures have added to the updates."""
        self.steps += 1
        moving = [layer for layer in layers if not layer.frozen]
        learned = [
            (parameter, rate * layer.learning_rate)
            for layer in moving
            for parameter in layer.parameters()
            if parameter.learned
        ]
        self._move([parameter for parameter, _ in learned], [each for _, each in learned], batch)
        for layer in moving:
            if layer.clip:
                for parameter in layer.parameters():
                    if parameter.learned and parameter.decay:
                        self._ops.clip(parameter.data, layer.clip)

    def moments_of(self, parameter: Parameter) -> list[Array]:
        """The moments of a parameter, zeros at first."""
        if parameter not in self.moments:
            zeros = np.zeros(parameter.shape, np.float32)
            count = METHODS[self.settings.method]
            self.moments[parameter] = [self._ops.array(zeros) for _ in range(count)]
        return self.moments[parameter]

    def forget(self, parameter: Parameter) -> None:
        """Drops the moments of a parameter."""
        self.moments.pop(parameter, None)

    def _move(self, parameters: Sequence[Parameter], rates: Sequence[float], batch: int) -> None:
        how, ops = self.settings, self._ops
        decays = [how.decay if parameter.decay else 0.0 for parameter in parameters]
        values = [parameter.data for parameter in parameters]
        updates = [parameter.updates for parameter in parameters]
        if how.method == "sgd":
            ops.sgd_update(values, updates, rates, how.momentum, decays, batch)
            return
        kept = [self.moments_of(parameter) for parameter in parameters]
        moments = [[each[k] for each in kept] for k in range(METHODS[how.method])]
        if how.method == "adam":
            betas = how.beta1, how.beta2, how.epsilon
            ops.adam_update(values, updates, *moments, rates, *betas, decays, batch, self.steps)
        else:
            ops.rmsprop_update(
                values, updates, *moments, rates, how.rho, how.epsilon, decays, batch
            )


class Average:
    """The exponential moving average (EMA) of parameters, rolling statistics included.

    After step t, from 1, average = keep average + (1 - keep) value, with
    keep = min(decay, (1 + t) / (10 + t)); a parameter's first step takes its value.
    Source: Polyak, Juditsky 1992; the warm-up is TensorFlow's ExponentialMovingAverage's.
    """

    def __init__(self, decay: float, ops: Any) -> None:
        """decay: 0..1."""
        self.decay = decay
        self.steps = 0
        self.values: dict[Parameter, Array] = {}
        self._ops = ops

    def step(self, parameters: Sequence[Parameter]) -> None:
        """To be called after an update."""
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        known = [parameter for parameter in parameters if parameter in self.values]
        averages = [self.values[parameter] for parameter in known]
        self._ops.average_step(averages, [parameter.data for parameter in known], keep)
        for parameter in parameters:
            if parameter not in self.values:
                self.values[parameter] = parameter.data.copy()

    def swap(self, parameters: Sequence[Parameter]) -> None:
        """Exchanges averages and values, in place."""
        for parameter in parameters:
            if parameter in self.values:
                self._ops.swap(parameter.data, self.values[parameter])

    def forget(self, parameter: Parameter) -> None:
        """Restarts the average of a parameter."""
        self.values.pop(parameter, None)
