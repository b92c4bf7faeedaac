"""Where a network looks: heat maps of a picture for classes, by one of several methods."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from darknet_py.errors import DarknetError
from darknet_py.images import Given, spread_heat
from darknet_py.network import Network, check_network
from darknet_py.options import Whole, Word, read_argument
from darknet_py.tasks.classify import FITS, best_fit
from darknet_py.tasks.explain.methods import (
    STEPS,
    gradcam,
    gradcam_plus_plus,
    integrated_gradients,
    occlusion,
    saliency,
)
from darknet_py.tasks.explain.target import check_map_layer, class_scores, last_map
from darknet_py.tasks.names import choose_names, find_class
from darknet_py.tasks.pictures import Picture, load_picture
from darknet_py.tasks.targets import check_answer, check_finite, class_count, class_probabilities

LAYER_METHODS: dict[str, Callable[[Network, np.ndarray, Sequence[int], int], np.ndarray]] = {
    "gradcam": gradcam,
    "gradcam++": gradcam_plus_plus,
}
"""Those that look at the map of a layer."""

METHODS = ("gradcam", "gradcam++", "integrated", "occlusion", "saliency")


@dataclass(frozen=True)
class Explanation:
    """Where a network looks for one class.

    score: of the class, before [softmax] or [logistic]; probability: 0..1. layer: whose map was
    looked at, None where it was the picture. values: (h', w') over the fitted picture, what
    speaks for the class above 0, what speaks against it below, if the method knows such. parts,
    rise: see Integrated; None with other methods.
    """

    picture: Picture
    method: str
    layer: int | None
    index: int
    name: str
    probability: float
    score: float
    values: np.ndarray
    parts: np.ndarray | None = None
    rise: float | None = None

    @property
    def is_coarse(self) -> bool:
        """Whether the method speaks of areas, not of single pixels."""
        return self.layer is not None or self.method == "occlusion"

    @cached_property
    def heat(self) -> np.ndarray:
        """What speaks for the class over the picture in the file: (h, w), from 0 up."""
        h, w = self.picture.image.shape[:2]
        return spread_heat(np.maximum(self.values, 0), w, h, self.picture.frame)


def explain(
    net: Network,
    picture: Given,
    classes: str | Sequence[int | str] = (),
    method: str = "gradcam",
    *,
    top: int = 1,
    layer: int | None = None,
    names: str | Path | Sequence[str] | None = None,
    fit: str | None = None,
    steps: int = STEPS,
) -> list[Explanation]:
    """Explains classes, by name or number, or the `top` most probable ones, of one picture.

    picture: one, as for classify. method: one of METHODS. layer: for those that look at one; the
    last map before pooling unless given. names, fit: as for classify. steps: of integrated
    gradients. Raises PictureError, ShapeError, NotFiniteError for an answer that is NaN,
    DarknetError for a class that is none.
    """
    check_network(net)
    method = read_argument("method", method, Word(METHODS))
    top, steps = read_argument("top", top, Whole(1)), read_argument("steps", steps, Whole(1))
    layer = read_argument("layer", layer, Whole(0), or_none=True)
    fit = read_argument("fit", fit, FITS, or_none=True)
    known = choose_names(names, class_count(net), net)
    loaded = load_picture(net, picture, fit or best_fit(net))
    wanted = [classes] if isinstance(classes, str) else classes
    indices = [
        find_class(each, known) if isinstance(each, str) else operator.index(each)
        for each in wanted
    ]
    for index in indices:
        if not 0 <= index < len(known):
            raise DarknetError(f"there is no class {index}: expected 0 to {len(known) - 1}")
    return explain_picture(net, loaded, known, indices, method, top=top, layer=layer, steps=steps)


def explain_picture(
    net: Network,
    picture: Picture,
    names: Sequence[str],
    indices: Sequence[int],
    method: str = "gradcam",
    *,
    top: int = 1,
    layer: int | None = None,
    steps: int = STEPS,
) -> list[Explanation]:
    """The same of a picture that is there already, for classes by number."""
    net = net.sized(picture.x[None])
    x = picture.x[None]
    (probabilities,) = class_probabilities(net, x)
    chosen = list(indices) or np.argsort(-probabilities, kind="stable")[:top].tolist()
    (scores,) = class_scores(net, x)
    check_answer(net, picture.path, x, probabilities)
    check_finite(net, picture.path, x, scores)
    looked_at, parts, rises = None, None, None
    if method in LAYER_METHODS:
        looked_at = last_map(net) if layer is None else layer
        check_map_layer(net, looked_at)
        values = LAYER_METHODS[method](net, picture.x, chosen, looked_at)
    elif method == "integrated":
        parts, rises = integrated_gradients(net, picture.x, chosen, steps=steps)
        values = parts.sum(axis=1)
    else:
        values = {"occlusion": occlusion, "saliency": saliency}[method](net, picture.x, chosen)
    check_finite(net, picture.path, x, values)
    return [
        Explanation(
            picture,
            method,
            looked_at,
            index,
            names[index],
            float(probabilities[index]),
            float(scores[index]),
            values[k],
            None if parts is None else parts[k],
            None if rises is None else float(rises[k]),
        )
        for k, index in enumerate(chosen)
    ]
