"""Pictures in, boxes around what is seen in them out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from darknet_py.errors import DarknetError, PictureError
from darknet_py.images import Given
from darknet_py.images.arrays import Array, Floats
from darknet_py.images.boxes import KINDS, suppress
from darknet_py.layers.parts.head import Size
from darknet_py.network import Network, check_network
from darknet_py.network.boxes import boxes_in, last_head
from darknet_py.ops import device_name, notices
from darknet_py.options import Flag, Real, Whole, Word, read_argument
from darknet_py.tasks.classify import Refused
from darknet_py.tasks.names import choose_names
from darknet_py.tasks.pictures import BOXED, load_ahead, load_boxed
from darknet_py.tasks.targets import check_finite

_BATCH, _BATCH_GPU = 1, 16
"""On a CPU a detector's maps are so large that several pictures at once are no faster."""
THRESH, NMS, HIER = 0.25, 0.45, 0.5

Box = tuple[float, float, float, float]
"""Left, top, width and height, in pixels of the picture; beyond its edges where the net says so."""


class Detection(NamedTuple):
    """One box, of one class: its number, its name, its probability from 0 to 1, where it is."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    name: str
    probability: float
    box: Box


@dataclass(frozen=True)
class Detected:
    """What a network sees in one picture, the most probable first. size: width and height of the
    picture, pixels (h, w, 3) itself, bytes or floats from 0 to 1."""

    path: Path
    size: tuple[int, int]
    detections: list[Detection]
    seconds: float
    """In the network, without compiling its kernels; of a batch, this picture's share."""
    pixels: Array


def detect(
    net: Network,
    pictures: Given | Iterable[Given],
    thresh: float = THRESH,
    nms: float = NMS,
    *,
    hier: float = HIER,
    names: str | Path | Sequence[str] | None = None,
    letter_box: bool | None = None,
    nms_kind: str | None = None,
    batch: int | None = None,
) -> list[list[Detection]]:
    """What a detector sees in each picture, as (index, name, probability, box), the most probable
    first; a box with several classes above `thresh` is there for each of them.

    pictures: as for `classify`; the result has a list for each, for a single one too. box: (left,
    top, width, height) in pixels of the picture. thresh: the least probability, 0 to 1. nms: the
    overlap (intersection over union) from which on the less probable of two boxes of a class goes;
    nms_kind: one of those of `suppress`, None: the network's own. hier: of a tree of classes.
    names: a list, a file, or None: NAME.names beside NAME.cfg or the weights, COCO's for 80
    classes, Pascal VOC's for 20, else the numbers. letter_box: the picture whole on grey, or
    stretched; None: as the C program whose rules hold. Raises PictureError for the first picture
    that cannot be read, NotFiniteError for the first whose boxes are NaN, ShapeError for no
    detector.
    """
    how = {"hier": hier, "names": names, "letter_box": letter_box, "nms_kind": nms_kind}
    results = []
    for result in detect_pictures(net, pictures, thresh, nms, **how, batch=batch):  # type: ignore[arg-type]
        if isinstance(result, Refused):
            raise result.error
        results.append(result.detections)
    return results


def detect_pictures(
    net: Network,
    pictures: Given | Iterable[Given],
    thresh: float = THRESH,
    nms: float = NMS,
    *,
    hier: float = HIER,
    names: str | Path | Sequence[str] | None = None,
    letter_box: bool | None = None,
    nms_kind: str | None = None,
    batch: int | None = None,
) -> Iterator[Detected | Refused]:
    """Yields the result of each picture, in order; a bad one does not stop the others.

    Up to `batch` neighbours go through the network together; None: one, on a GPU 16.
    """
    check_network(net)
    head = last_head(net)
    thresh, nms, hier = (
        read_argument(name, value, Real(0, 1))
        for name, value in (("thresh", thresh), ("nms", nms), ("hier", hier))
    )
    boxed = read_argument("letter_box", letter_box, Flag(), or_none=True)
    kind = read_argument("nms_kind", nms_kind, Word(KINDS), or_none=True) or head.nms_kind
    batch = read_argument("batch", batch, Whole(1), or_none=True)
    batch = batch or (_BATCH if device_name(net.ops) == "cpu" else _BATCH_GPU)
    known = choose_names(names, head.classes, net)
    if boxed is None:
        boxed = is_letterboxed(net)
    fit = BOXED if boxed else "stretch"

    def found(boxes: np.ndarray, size: tuple[int, int]) -> list[Detection]:
        kept = suppress(boxes, kind, nms, head.beta_nms)
        return detections_of(kept, size, known, head.of_picture)

    waiting: list[tuple[Path, Array, Floats]] = []
    loaded = load_ahead(pictures, lambda given, number: load_boxed(net, given, fit, number))
    for path, picture in loaded:
        if isinstance(picture, PictureError):
            yield from _detect(net, waiting, thresh, hier, boxed, found)
            waiting = []
            yield Refused(path, picture)
            continue
        waiting.append((path, *picture))
        # whoever names them one by one waits for each
        if len(waiting) >= batch or isinstance(pictures, Iterator):
            yield from _detect(net, waiting, thresh, hier, boxed, found)
            waiting = []
    yield from _detect(net, waiting, thresh, hier, boxed, found)


def is_letterboxed(net: Network) -> bool:
    """Whether the C program whose rules hold puts pictures whole on grey for this network:
    pjreddie's does, but for [detection]; AlexeyAB's with letter_box=1 in [net]."""
    if net.settings.rules.is_alexeyab:
        return net.settings.letter_box
    return not last_head(net).of_picture


def detections_of(
    boxes: np.ndarray, size: tuple[int, int], names: Sequence[str], in_pixels: bool
) -> list[Detection]:
    """Boxes (k, 5 + classes) of a picture of this width and height, most probable first. in_pixels:
    they are not relative to it."""
    w, h = size
    rows, indices = np.nonzero(boxes[:, 5:] > 0)
    probabilities = boxes[rows, 5 + indices]
    order = np.argsort(-probabilities, kind="stable")
    scale = np.array([1, 1, 1, 1] if in_pixels else [w, h, w, h], np.float64)
    with np.errstate(all="ignore"):
        places = boxes[rows, :4].astype(np.float64) * scale
        places[:, :2] -= places[:, 2:] / 2
    return [
        Detection(
            int(indices[i]),
            names[indices[i]],
            float(probabilities[i]),
            tuple(places[i].tolist()),
        )
        for i in order.tolist()
    ]


def _detect(
    net: Network,
    pictures: list[tuple[Path, Array, Floats]],
    thresh: float,
    hier: float,
    boxed: bool,
    found: Callable[[np.ndarray, tuple[int, int]], list[Detection]],
) -> Iterator[Detected | Refused]:
    if not pictures:
        return
    x = np.stack([x for _, _, x in pictures])
    sizes = [(pixels.shape[1], pixels.shape[0]) for _, pixels, _ in pictures]
    start = time.perf_counter() - notices.seconds_compiling()
    outputs = net.head_outputs(x)
    seconds = (time.perf_counter() - notices.seconds_compiling() - start) / len(pictures)
    shown = Size(x.shape[3], x.shape[2])
    for i, ((path, pixels, one), size) in enumerate(zip(pictures, sizes, strict=True)):
        mine = [y[i] for y in outputs]
        try:
            check_finite(net, path, one[None], *mine)
            boxes = boxes_in(net, mine, shown, Size(*size), thresh, hier, boxed)
            detections = found(boxes, size)
            check_finite(net, path, one[None], np.array([each.box for each in detections]))
        except DarknetError as error:
            yield Refused(path, error)
            continue
        yield Detected(path, size, detections, seconds, pixels)
