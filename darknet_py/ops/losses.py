"""Losses of training: each gives one a picture, and the delta of the prediction.

The delta is truth - prediction or a multiple: the *negative* gradient, so that updates add.
Arrays are (n, h, w, outputs), losses (n, 1, 1, 1).
"""

from __future__ import annotations

import numpy as np

from darknet_py.ops.array_types import Array

SECRET_NUM = -1234
"""A truth of this value is unknown: darknet's mark, for [cost] type=masked."""


def smooth_truth(truth: Array, smooth: float, classes: int) -> Array:
    """Label smoothing (Szegedy et al. 2016): (1 - smooth) truth + smooth / classes."""
    return truth if smooth == 0 else (1 - smooth) * truth + smooth / classes


def softmax_cross_entropy(y: Array, truth: Array, temperature: float) -> tuple[Array, Array]:
    """Loss sum(-truth log y); delta of the softmax's *input*: (truth - y) / temperature."""
    return -_by_picture(truth * _log(y)), (truth - y) / temperature


def logistic_cross_entropy(y: Array, truth: Array) -> tuple[Array, Array]:
    """Loss of independent yes-or-no outputs; delta of the logistic's *input*: truth - y."""
    loss = -_by_picture(truth * _log(y) + (1 - truth) * _log(1 - y))
    return loss, truth - y


def squared_error(y: Array, truth: Array) -> tuple[Array, Array]:
    """Loss sum(d^2), delta d = truth - y: half the gradient, as the C program has it."""
    difference = truth - y
    return _by_picture(np.square(difference)), difference


def absolute_error(y: Array, truth: Array) -> tuple[Array, Array]:
    """Loss sum(|d|), delta sign(d)."""
    difference = truth - y
    return _by_picture(np.abs(difference)), np.sign(difference)


def smooth_error(y: Array, truth: Array) -> tuple[Array, Array]:
    """d^2 up to |d| = 1, 2|d| - 1 beyond; delta d, beyond 1 its sign: half the gradient.

    The C program has the wrong sign beyond 1.
    """
    difference = truth - y
    size = np.abs(difference)
    loss = _by_picture(np.where(size < 1, np.square(difference), 2 * size - 1))
    return loss, np.minimum(np.maximum(difference, -1), 1)


def masked_squared_error(y: Array, truth: Array) -> tuple[Array, Array]:
    """squared_error where the truth is known, nothing where it is SECRET_NUM."""
    return squared_error(y, np.where(truth == SECRET_NUM, y, truth))


def batch_loss(losses: Array) -> Array:
    """The sum of losses (n, 1, 1, 1): one number."""
    return losses.sum()


def _by_picture(losses: Array) -> Array:
    return losses.sum(axis=(1, 2, 3), keepdims=True)


def _log(p: Array) -> Array:
    """log, of the smallest normal number where p is 0: a wrong certainty costs 87, not inf."""
    return np.log(np.maximum(p, np.finfo(p.dtype).tiny))
