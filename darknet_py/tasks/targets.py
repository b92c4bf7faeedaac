"""Between labels and outputs: a network with one sigmoid output knows two classes.

The output is the probability of the second one, class 1, in training, validation and prediction;
the first one's, class 0, is what is left.
"""

from __future__ import annotations

import numpy as np

from darknet_py.errors import DarknetError, NotFiniteError, TrainingError
from darknet_py.network import Network


def class_count(net: Network) -> int:
    """How many classes a network knows: as many as it has outputs, but two with one output.

    A [softmax] of one output, which is always 1, knows one.
    """
    if net.outputs == 1 and net.layers[net.output_layer].kind != "softmax":
        return 2
    return net.outputs


def check_outputs(net: Network, classes: int) -> None:
    """Raises TrainingError where the network's outputs do not fit so many classes."""
    if classes == class_count(net):
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


def class_probabilities(net: Network, x: np.ndarray) -> np.ndarray:
    """Pictures (n, c, h, w), 0..1, to the probabilities (n, classes) of `class_count` classes."""
    prediction = net.predict(x)
    return prediction if class_count(net) == net.outputs else probabilities_of(prediction)


def scores_of(net: Network, scores: np.ndarray) -> np.ndarray:
    """What comes before the probabilities, (n, outputs), as scores of classes (n, classes): of two
    classes by one output the first one's score is the negative of the second's."""
    return scores if class_count(net) == net.outputs else np.concatenate([-scores, scores], axis=1)


def output_of(net: Network, label: int) -> tuple[int, float]:
    """Which output is a class's score, and with which sign."""
    if class_count(net) == net.outputs:
        return label, 1.0
    return 0, 1.0 if label else -1.0


# Numbers that are none: what NaN and infinities come from, in one line, instead of an answer.


def check_finite(net: Network, what: object, x: np.ndarray, *found: np.ndarray) -> None:
    """Raises NotFiniteError, beginning with `what`, where an array that was computed from x
    (n, c, h, w) has a NaN or an infinity; says where it comes from."""
    if all(np.isfinite(each).all() for each in found):
        return
    layer = _bad_weights(net)
    if layer is not None:
        cause = f"layer {layer} [{net.layers[layer].kind}] has weights that are not finite"
    else:
        outputs = net.activations(x)
        bad = (i for i, each in enumerate(outputs) if not np.isfinite(each).all())
        layer = next(bad, None)
        kind = "" if layer is None else f" [{net.layers[layer].kind}]"
        cause = "gradients grow too large" if layer is None else f"from layer {layer}{kind} on"
    raise NotFiniteError(f"{what}: {net.path} gives numbers that are not finite (NaN): {cause}")


def check_answer(net: Network, what: object, x: np.ndarray, probabilities: np.ndarray) -> None:
    """The same of the probabilities (classes,) of a picture x (1, c, h, w); and raises DarknetError
    where one output, which stands for two classes, is no probability."""
    check_finite(net, what, x, probabilities)
    if class_count(net) != net.outputs and not (0 <= probabilities[-1] <= 1):
        raise DarknetError(
            f"{what}: {net.path} has one output, which gives {probabilities[-1]:g}: expected a "
            "probability from 0 to 1, as [logistic] gives, or an output for each class"
        )


def _bad_weights(net: Network) -> int | None:
    for index, layer in enumerate(net.layers):
        values = [parameter.data for parameter in layer.parameters()]
        if values and not net.ops.is_finite(*values):
            return index
    return None
