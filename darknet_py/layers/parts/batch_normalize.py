"""Batch normalisation of the channels of a map, with scales and biases."""

from __future__ import annotations

from typing import Any

from darknet_py.cfg.rules import Rules
from darknet_py.layers.base import Array, Ops, Parameter, ones, zeros
from darknet_py.ops.normalize import EPSILON, Epsilon

_ALEXEYAB = Epsilon(1e-5, 0.0)


def epsilon_of(rules: Rules) -> Epsilon:
    return _ALEXEYAB if rules.is_alexeyab else EPSILON


def taken_of(rules: Rules) -> float:
    """The weight of a batch in a rolling average: 1 - momentum of Keras, momentum of PyTorch."""
    return 0.1 if rules.is_alexeyab else 0.01


class BatchNormalize:
    """(x - mean) / (sqrt(variance) + 1e-6) * scales + biases, for each of c channels; by AlexeyAB's
    rules (x - mean) / sqrt(variance + 1e-5) * scales + biases.

    In training mean and variance are the batch's (the variance unbiased), and the rolling ones
    keep .99 and take .01 of them, by AlexeyAB's rules .9 and .1; in inference, and where the layer
    is frozen or its section has use_global_stats=1 (Caffe's word), the rolling ones are used, and
    stay. Without biases (None) they are 0. Ioffe and Szegedy 2015; the epsilons are the C programs'
    on the CPU.

    Learned: scales (c,); kept: rolling_mean (c,), rolling_variance (c,). The biases belong to the
    layer, which has them without normalisation too.
    """

    def __init__(self, c: int, rules: Rules) -> None:
        self._rules = rules
        self.scales = Parameter("scales", (c,), ones)
        self.rolling_mean = Parameter("rolling_mean", (c,), zeros, learned=False)
        # The C program begins at 0, and divides by it where nothing was trained yet.
        self.rolling_variance = Parameter("rolling_variance", (c,), ones, learned=False)

    def parameters(self) -> list[Parameter]:
        """In the order of a `.weights` file."""
        return [self.scales, self.rolling_mean, self.rolling_variance]

    def forward(self, x: Array, biases: Array | None, ops: Ops, train: bool) -> tuple[Array, Any]:
        """The output, and what backward needs."""
        if train:
            mean, variance = ops.batch_statistics(x)
            taken = taken_of(self._rules)
            ops.moving_average(self.rolling_mean.data, mean, taken)
            ops.moving_average(self.rolling_variance.data, variance, taken)
        else:
            mean, variance = self.rolling_mean.data, self.rolling_variance.data
        epsilon = epsilon_of(self._rules)
        y = ops.batchnorm(x, self.scales.data, biases, mean, variance, epsilon)
        return y, (x, mean, variance, train)

    def backward(self, delta: Array, saved: Any, ops: Ops) -> tuple[Array, Array, Array]:
        """Delta of x, updates of scales and of biases."""
        x, mean, variance, train = saved
        backward = ops.batchnorm_backward if train else ops.batchnorm_fixed_backward
        result: tuple[Array, Array, Array]
        epsilon = epsilon_of(self._rules)
        result = backward(delta, x, self.scales.data, mean, variance, epsilon)
        return result
