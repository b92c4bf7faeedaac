"""An average of parameters over the steps of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from darknet_py.layers import Parameter

Array = Any


class Average:
    """A second set of values, learned ones and rolling statistics alike: an exponential average.

    After step t, from 1, average = keep average + (1 - keep) value, with
    keep = min(decay, (1 + t) / (10 + t)), so that the first values are soon forgotten; the first
    step that sees a parameter takes its value. It often predicts better than the last values do.
    Source: Polyak, Juditsky 1992; the warm-up is TensorFlow's ExponentialMovingAverage's.
    """

    def __init__(self, decay: float, ops: Any) -> None:
        """decay: 0..1, how much is kept at most."""
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
        """Averages become values and values averages, in place; twice is to do nothing."""
        for parameter in parameters:
            if parameter in self.values:
                self._ops.swap(parameter.data, self.values[parameter])

    def forget(self, parameter: Parameter) -> None:
        """The average of a parameter begins again."""
        self.values.pop(parameter, None)
