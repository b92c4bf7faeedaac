"""Numbers that are none: what NaN and infinities come from, in one line, instead of an answer."""

from __future__ import annotations

import os

import numpy as np

from darknet_py.errors import NotFiniteError, WeightsError
from darknet_py.network import Network


def check_weights(net: Network, path: str | os.PathLike[str]) -> None:
    """Raises WeightsError where weights that were just read from `path` are not finite: a layer
    may pass over a NaN, and the answer then looks like any other."""
    if (layer := _bad_weights(net)) is not None:
        raise WeightsError(
            f"{path}: layer {layer} [{net.layers[layer].kind}] has weights that are not finite "
            "(NaN): the training diverged, or the file is damaged: take another"
        )


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


def _bad_weights(net: Network) -> int | None:
    for index, layer in enumerate(net.layers):
        values = [parameter.value for parameter in layer.parameters()]
        if values and not net.ops.is_finite(*values):
            return index
    return None
