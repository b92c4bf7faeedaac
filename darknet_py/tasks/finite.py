"""Numbers that are none: what NaN and infinities come from, in one line, instead of an answer."""

from __future__ import annotations

import numpy as np

from darknet_py.errors import DarknetError, NotFiniteError
from darknet_py.network import Network
from darknet_py.tasks.targets import class_count


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
