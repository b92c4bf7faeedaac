"""What a layer says of pictures, as arrays for other programs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from darknet_py.atomic import atomic_file
from darknet_py.errors import DarknetError, NotFiniteError, PictureError, ShapeError
from darknet_py.network import Network
from darknet_py.network.derived import averages
from darknet_py.tasks.classify import Refused
from darknet_py.tasks.pictures import Picture, load_picture
from darknet_py.tasks.targets import check_finite

_BATCH = 32


@dataclass(frozen=True)
class Extracted:
    """What the layer says of some pictures: features (n, c, h, w), or (n, c) for means of pixels
    and for vectors."""

    paths: list[Path]
    features: np.ndarray


def last_hidden(net: Network) -> tuple[int, bool]:
    """The layer that the last one with weights reads, and whether means of its pixels are all that
    matters there: what `finetune` trains a new last layer on. Raises ShapeError where that one
    reads the picture."""
    head = max((i for i, layer in enumerate(net.layers) if layer.parameters()), default=0)
    last = max(net.layers[head].inputs)
    if last < 0:
        raise ShapeError(f"{net.path}: its last layer with weights reads the picture: say --layer")
    return last, averages(net.layers, last)


def extract(
    net: Network, pictures: Sequence[str | os.PathLike[str]], layer: int, mean: bool
) -> Iterator[Extracted | Refused]:
    """Pictures are cropped to the network's size, as in validation; one that cannot be read, or of
    which the layer gives NaN, does not stop the others. mean: of the pixels of each channel. Raises
    ShapeError where there is no such layer."""

    def load(path: str | os.PathLike[str]) -> Picture | Refused:
        try:
            return load_picture(net, path, "crop")
        except PictureError as error:
            return Refused(Path(path), error)

    with ThreadPoolExecutor(thread_name_prefix="darknet-features") as pool:
        for start in range(0, len(pictures), _BATCH):
            loaded = list(pool.map(load, pictures[start : start + _BATCH]))
            yield from (each for each in loaded if isinstance(each, Refused))
            read = [each for each in loaded if isinstance(each, Picture)]
            if read:
                found = net.output(np.stack([picture.x for picture in read]), layer)
                if mean and found.ndim == 4:
                    found = found.mean(axis=(2, 3), dtype=np.float32)
                faults = [_fault(net, *each) for each in zip(read, found, strict=True)]
                yield from (fault for fault in faults if fault)
                good = [i for i, fault in enumerate(faults) if fault is None]
                if good:
                    yield Extracted([read[i].path for i in good], found[good])


def _fault(net: Network, picture: Picture, features: np.ndarray) -> Refused | None:
    try:
        check_finite(net, picture.path, picture.x[None], features)
    except NotFiniteError as error:
        return Refused(picture.path, error)
    return None


def save_features(
    path: str | Path, extracted: Sequence[Extracted], net: Network, layer: int
) -> None:
    """Writes features, paths, layer and kind as a numpy archive, whole or not at all. Raises
    DarknetError."""
    arrays = {
        "features": np.concatenate([some.features for some in extracted]),
        "paths": np.array([str(each) for some in extracted for each in some.paths]),
        "layer": np.array(layer),
        "kind": np.array(net.layers[layer].kind),
    }
    try:
        with atomic_file(path) as file:
            np.savez(file, allow_pickle=False, **arrays)
    except OSError as error:
        raise DarknetError(f"{path}: cannot be written: {error.strerror or error}") from error
