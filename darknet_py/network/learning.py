"""Training on a batch: forward and backward, subdivision by subdivision."""

from __future__ import annotations

from typing import Any

import numpy as np

from darknet_py.errors import CfgError, OutOfMemoryError, ShapeError
from darknet_py.network import io_checks, parallel, tracing
from darknet_py.network.io_checks import normalize_input
from darknet_py.network.model import Model
from darknet_py.network.passes import forward


def accumulate(net: Model, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> float:
    """The mean loss; updates accumulate in the parameters. See Network.accumulate."""
    check_trainable(net)
    _check_batch(net, x, y, weights)
    with net.engine.lock:
        prepare_updates(net)
        if net.communicator is None:
            return _accumulate_parts(net, x, y, weights)
        parallel.begin(net, net.communicator)
        loss = _accumulate_parts(net, x, y, weights)
        return parallel.exchange(net, net.communicator, loss)


def to_device(net: Model, x: np.ndarray) -> Any:
    """(n, c, h, w), or (n, inputs), to (n, h, w, c) on the device, normalized."""
    return normalize_input(net.ops.array(io_checks.checked(net, x)), net.ops, net.settings)


def times(net: Model, x: np.ndarray, y: np.ndarray, rounds: int) -> Any:
    """See Network.times."""
    check_trainable(net)
    prepare_updates(net)
    return tracing.training(net, io_checks.checked(net, x), y).times(net, rounds)


def first_nonfinite_layer(net: Model, x: np.ndarray) -> int | None:
    """See Network.first_nonfinite_layer."""
    io_checks.check_initialised(net)
    last = len(net.layers) - 1
    with net.engine.lock, np.errstate(all="ignore"):
        keys = {i: net.ops.array(key) for i, key in tracing.random_keys(net, last).items()}
        start = to_device(net, x)
        outputs = forward(net.layers, net.ops, start, last, train=True, keys=keys).outputs
    bad = (i for i in range(last + 1) if not net.ops.is_finite(outputs[i]))
    first = next(bad, last + 1)
    if net.communicator is not None:
        first = parallel.least(net, net.communicator, first)
    return first if first <= last else None


def prepare_updates(net: Model) -> None:
    """Parameters that learn get updates, zeros at first."""
    for parameter in net.parameters():
        if parameter.learned and parameter.updates is None:
            parameter.updates = net.ops.array(np.zeros(parameter.shape, np.float32))


def check_trainable(net: Model) -> None:
    """Raises CfgError where the last layer has no loss, and for values of the cfg that are invalid
    in training alone."""
    for section in net.sections:
        section.check_trainable()
    if not net.layers[-1].is_loss:
        raise CfgError(
            net.path,
            net.sections[-1].line,
            "the last layer has no loss to train on: expected [softmax], [logistic] or [cost]",
        )


def _accumulate_parts(
    net: Model, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None
) -> float:
    """Forward and backward of all subdivisions; the mean loss."""
    given = [each for each in (x, y, weights) if each is not None]
    parts = zip(*(np.split(each, net.settings.subdivisions) for each in given), strict=True)
    with np.errstate(all="ignore"):  # the loss shows what numpy would warn of
        return sum(_accumulate_part(net, *part) for part in parts) / len(x)


def _accumulate_part(
    net: Model, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Forward and backward of one subdivision; the loss, summed over its pictures."""
    try:
        (loss,) = tracing.training(net, io_checks.checked(net, x), y, weights).run(net)
    except OutOfMemoryError as error:
        raise _with_advice(net, error) from error
    tracing.count_draws(net, len(net.layers) - 1)
    return float(loss)


def _with_advice(net: Model, error: OutOfMemoryError) -> OutOfMemoryError:
    """The same error with the subdivisions that would fit."""
    batch = net.settings.batch // _processes(net)
    parts = range(net.settings.subdivisions + 1, batch + 1)
    fitting = (n for n in parts if batch % n == 0 and batch // n <= error.fits)
    found = next(fitting, None)
    advice = f"subdivisions={found} would fit" if found else "one picture is too much for it"
    return OutOfMemoryError(f"{net.path}: {error}: {advice}", error.fits)


def _check_batch(net: Model, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> None:
    batch = net.settings.batch * net.settings.time_steps // _processes(net)
    io_checks.check_floats(net, x)
    if np.shape(x)[:1] != (batch,) or np.shape(y) != (batch, net.outputs):
        raise ShapeError(
            f"{net.path}: expected a batch of {batch} pictures and truths of shape "
            f"({batch}, {net.outputs}), found {np.shape(x)} and {np.shape(y)}"
        )
    io_checks.check_numbers(net, "truths", y, (batch, net.outputs))
    if weights is not None:
        io_checks.check_numbers(net, "weights", weights, (batch,))
    io_checks.checked(net, x)  # before a part of it has changed anything


def _processes(net: Model) -> int:
    """The number of processes that share each batch."""
    return 1 if net.communicator is None else net.communicator.size
