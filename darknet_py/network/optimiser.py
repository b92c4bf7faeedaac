"""How parameters move, and what the optimiser remembers from batch to batch."""

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
    """Moves parameters by their updates, and keeps the moments that Adam and RMSprop need.

    SGD's velocity stays in the updates themselves.
    """

    def __init__(self, settings: OptimiserSettings, ops: Any) -> None:
        self.settings = settings
        self.steps = 0
        self.moments: dict[Parameter, list[Array]] = {}
        self._ops = ops

    def step(self, layers: Sequence[Layer], rate: float, batch: int) -> None:
        """One step; `batch` pictures have added to the updates."""
        self.steps += 1
        for layer in layers:
            if layer.frozen:
                continue
            for parameter in layer.parameters():
                if parameter.learned:
                    self._move(parameter, rate * layer.learning_rate, batch)
                    if layer.clip and parameter.decay:
                        self._ops.clip(parameter.value, layer.clip)

    def moments_of(self, parameter: Parameter) -> list[Array]:
        """The moments of a parameter, zeros at first."""
        if parameter not in self.moments:
            zeros = np.zeros(parameter.shape, np.float32)
            count = METHODS[self.settings.method]
            self.moments[parameter] = [self._ops.array(zeros) for _ in range(count)]
        return self.moments[parameter]

    def forget(self, parameter: Parameter) -> None:
        """Lets go of the moments of a parameter."""
        self.moments.pop(parameter, None)

    def _move(self, parameter: Parameter, rate: float, batch: int) -> None:
        how, ops = self.settings, self._ops
        decay = how.decay if parameter.decay else 0.0
        value, updates = parameter.value, parameter.updates
        if how.method == "sgd":
            ops.sgd_update(value, updates, rate, how.momentum, decay, batch)
        elif how.method == "adam":
            moments = self.moments_of(parameter)
            betas = how.beta1, how.beta2, how.epsilon
            ops.adam_update(value, updates, *moments, rate, *betas, decay, batch, self.steps)
        else:
            moments = self.moments_of(parameter)
            ops.rmsprop_update(value, updates, *moments, rate, how.rho, how.epsilon, decay, batch)
