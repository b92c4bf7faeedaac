"""The C program's python/darknet.py, for scripts that were written for it: change the import alone.

    from darknet_py.darknet import classify, load_image, load_meta, load_net

    net = load_net(b"cfg/tiny.cfg", b"tiny.weights", 0)
    meta = load_meta(b"cfg/imagenet1k.data")
    print(classify(net, meta, load_image(b"data/dog.jpg", 0, 0))[:5])

Names of files are bytes, as ctypes wants them, or text; names of classes are text. New scripts have
more from `darknet_py` itself.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from darknet_py import images
from darknet_py.cfg.data_file import read_data
from darknet_py.network import Network, load_network
from darknet_py.resources import find_resource
from darknet_py.tasks import classify as task
from darknet_py.tasks import detect as detection
from darknet_py.tasks.names import read_names
from darknet_py.tasks.targets import class_count

Name = str | bytes | os.PathLike[str]


class Metadata(NamedTuple):
    """What a `.data` file says: METADATA of the C program."""

    classes: int
    names: list[str]


def load_net(cfg: Name, weights: Name | None = None, clear: int = 0) -> Network:
    """A network; without weights, drawn at random. clear: pictures that it has learned from count
    as none. Raises DarknetError."""
    net = load_network(os.fsdecode(cfg), os.fsdecode(weights) if weights else None)
    if clear:
        net.seen = 0
    return net


def load_meta(data: Name) -> Metadata:
    """Classes and their names, as a `.data` file has them. Raises DarknetError."""
    read = read_data(_find(data))
    if read.names is None:
        return Metadata(read.classes, [str(index) for index in range(read.classes)])
    return Metadata(read.classes, read_names(read.names, read.classes, read.path.parent))


def load_image(path: Name, w: int = 0, h: int = 0) -> npt.NDArray[np.float32]:
    """A picture (h, w, 3) of RGB from 0 to 1, resized where w and h are given. Raises
    PictureError."""
    image = images.load_image(_find(path))
    return images.resize_image(image, w, h) if w and h else image


def classify(
    net: Network, meta: Metadata, im: npt.NDArray[np.float32] | Name
) -> list[tuple[str, float]]:
    """Names and probabilities of all classes, the most probable first. The picture is put whole on
    grey, as the C program's predict_image does."""
    given = im if isinstance(im, np.ndarray) else _find(im)
    (found,) = task.classify(net, given, top=class_count(net), names=meta.names, fit="letterbox")
    return [(name, probability) for _, name, probability in found]


def detect(
    net: Network,
    meta: Metadata,
    image: npt.NDArray[np.float32] | Name,
    thresh: float = 0.5,
    hier_thresh: float = 0.5,
    nms: float = 0.45,
) -> list[tuple[str, float, tuple[float, float, float, float]]]:
    """Names, probabilities and boxes (x, y, w, h: of the centre and the size, in pixels), the most
    probable first.

    As there, overlapping boxes go whole, by their objectness, whatever their classes; nms=0: none.
    """
    given = image if isinstance(image, np.ndarray) else _find(image)
    (found,) = detection.detect(
        net, given, thresh, nms or 1, hier=hier_thresh, names=meta.names, nms_kind="obj"
    )
    return [
        (name, probability, (left + w / 2, top + h / 2, w, h))
        for _, name, probability, (left, top, w, h) in found
    ]


def _find(name: Name) -> str:
    text = os.fsdecode(name)
    return str(find_resource(text) or text)
