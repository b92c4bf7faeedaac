"""What a tool may read and write."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from darknet_py.errors import DarknetError
from darknet_py.network import Network


def check_outputs(outputs: Iterable[Path], inputs: Iterable[Path], force: bool) -> None:
    """Weights are days of work: no tool writes over what it reads, nor, unless `force`, over
    anything. Raises DarknetError."""
    read = [path for path in inputs if os.path.exists(path)]
    for path in outputs:
        if os.path.exists(path) and any(path.samefile(other) for other in read):
            raise DarknetError(f"{path}: is read and would be written over: name another file")
        if os.path.exists(path) and not force:
            raise DarknetError(f"{path}: is there already: name another file, or add --force")


def check_stored(net: Network) -> None:
    """Raises DarknetError where a file of the network does not hold all layers."""
    for index, layer in enumerate(net.layers):
        for key in ("dontload", "dontsave"):
            if layer.parameters() and getattr(layer, key):
                raise DarknetError(
                    f"{net.path}: layer {index} [{layer.kind}] has {key}=1, and so no weights of "
                    "its own in a file: remove the key"
                )
