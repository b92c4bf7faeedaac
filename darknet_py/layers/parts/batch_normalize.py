"""Batch normalisation of the channels of a map, with scales and biases."""

from __future__ import annotations

from typing import Any

from darknet_py.layers.base import Array, Ops, Parameter, ones, zeros


class BatchNormalize:
    """(x - mean) / (sqrt(variance) + 1e-6) * scales + biases, for each of c channels.

    In training mean and variance are the batch's (the variance unbiased), and the rolling ones
    keep .99 and take .01 of them; in inference, and where the layer is frozen or its section has
    use_global_stats=1 (Caffe's word), the rolling ones are used, and stay. Without biases (None)
    they are 0. Ioffe and Szegedy 2015; the epsilon is the C program's on the CPU.

    Learned: scales (c,); kept: rolling_mean (c,), rolling_variance (c,). The biases belong to the
    layer, which has them without normalisation too.
    """

    def __init__(self, c: int) -> None:
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
            ops.moving_average(self.rolling_mean.data, mean)
            ops.moving_average(self.rolling_variance.data, variance)
        else:
            mean, variance = self.rolling_mean.data, self.rolling_variance.data
        y = ops.batchnorm(x, self.scales.data, biases, mean, variance)
        return y, (x, mean, variance, train)

    def backward(self, delta: Array, saved: Any, ops: Ops) -> tuple[Array, Array, Array]:
        """Delta of x, updates of scales and of biases."""
        x, mean, variance, train = saved
        backward = ops.batchnorm_backward if train else ops.batchnorm_fixed_backward
        result: tuple[Array, Array, Array] = backward(delta, x, self.scales.data, mean, variance)
        return result
