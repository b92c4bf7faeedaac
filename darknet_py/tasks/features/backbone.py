"""The part of a network that does not learn, as a function of pictures."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from darknet_py.network import Network
from darknet_py.network.derived import averages

_NO_MATTER = (
    *("learning_rate", "stopbackward", "use_global_stats", "clip"),
    *("dontload", "dontsave"),
)
"""Keys of a layer that do not change what it says of a picture."""
_NET_KEYS = ("mean", "std")
"""Keys of [net] that do."""


@dataclass(frozen=True)
class Backbone:
    """Layers 0 to `last` of a network, whose weights have values."""

    net: Network
    last: int

    @property
    def averaged(self) -> bool:
        """Whether the means of the pixels are all that the layers after it need."""
        return averages(self.net.layers, self.last)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what it gives for a picture: (c, h, w), or (c,) where averaged or a vector."""
        h, w, c = self.net.layers[self.last].out_shape
        return (c,) if self.averaged or (h, w) == (1, 1) else (c, h, w)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x (n, c, h, w), 0..1 -> (n, *shape)."""
        y = self.net.output(x, self.last)
        found: np.ndarray = y.mean(axis=(2, 3), dtype=np.float32) if self.averaged else y
        return found.reshape(len(y), *self.shape)

    def digest(self) -> str:
        """Of the layers, their weights, and how they are computed: of all that the features depend
        on beside the picture."""
        digest = blake2b(digest_size=16)
        net, *sections = self.net.sections[: self.last + 2]
        lines = [f"{key}={net.values[key].text}" for key in _NET_KEYS if key in net.values]
        engine = self.net.engine
        lines += [f"{self.net.in_shape} {self.averaged} {engine.exact} {engine.half}"]
        for section in sections:
            lines.append(f"[{section.name}]")
            keys = sorted(section.values.keys() - set(_NO_MATTER))
            lines += [f"{key}={section.values[key].text}" for key in keys]
        digest.update("\n".join(lines).encode())
        for layer in self.net.layers[: self.last + 1]:
            for parameter in layer.parameters():
                value = parameter.to_file(self.net.ops.to_host(parameter.data))
                digest.update(np.ascontiguousarray(value, "<f4").data)
        return digest.hexdigest()
