"""Between labels and outputs: a network with one sigmoid output knows two classes."""

from __future__ import annotations

import numpy as np

from darknet_py.errors import TrainingError
from darknet_py.network import Network


def check_outputs(net: Network, classes: int) -> None:
    """Raises TrainingError where the network's outputs do not fit so many classes."""
    if net.outputs == classes or (net.outputs, classes) == (1, 2):
        return
    raise TrainingError(
        f"{net.path}: has {net.outputs} outputs, and the data has {classes} classes: set the last "
        f"layer's filters or output to {classes}"
    )


def targets_of(truth: np.ndarray, outputs: int) -> np.ndarray:
    """Truth (n, classes) as the network is to give it: with one output, the second class's."""
    return truth if truth.shape[1] == outputs else truth[:, 1:]


def probabilities_of(prediction: np.ndarray) -> np.ndarray:
    """A prediction (n, outputs) as probabilities of classes: one output means two classes."""
    if prediction.shape[1] > 1:
        return prediction
    return np.concatenate([1 - prediction, prediction], axis=1)
