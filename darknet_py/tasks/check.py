"""Training data looked at before a training: faults, a batch as the network sees it, memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from darknet_py.atomic import why_no_folder
from darknet_py.errors import PictureError, TrainingError
from darknet_py.images import Dataset, Loader, Refusal, overlap, save_image, scan
from darknet_py.images.draw.fonts import drawable_names
from darknet_py.images.draw.sheet import draw_sheet
from darknet_py.network import Network
from darknet_py.network.optimiser import METHODS
from darknet_py.ops.memory import available_memory
from darknet_py.tasks.data import Data
from darknet_py.tasks.targets import check_outputs

# A batch as the network sees it.


def draw_batch(
    net: Network, data: Data, number: int, count: int, seed: int, path: str | Path
) -> tuple[int, list[PictureError]]:
    """Draws the first `count` pictures of a training's batch, and gives how many these are, and why
    others could not be read, in whose places they are.

    Each has its label; a mixed one those that are a part of it, with their shares.
    """
    h, w, c = net.in_shape
    batch, augmentation = net.settings.batch, net.settings.augmentation
    loader = Loader(data.training(), w, h, c, batch, augmentation, seed)
    x, y = loader.batch(number)
    pictures, captions = x[:count].transpose(0, 2, 3, 1), []
    names = drawable_names(data.names)
    for truth in y[:count]:
        parts = [(share, names[k]) for k, share in enumerate(truth.tolist()) if share > 0.005]
        shares = (f"{name} {share:.0%}" for share, name in sorted(parts, reverse=True))
        captions.append(parts[0][1] if len(parts) == 1 else ", ".join(shares))
    save_image(draw_sheet(list(pictures), captions), path)
    return len(pictures), loader.untold()


WHOLE = 200_000
"""Pictures up to which all are decoded, unless somebody says so; of more the headers are read."""
Show = Callable[[int, int], object]
"""Told now and then how many pictures of how many were looked at."""


@dataclass(frozen=True)
class Report:
    """What a look at the data and the network found.

    refused: pictures that cannot be read; decoded: whether all of each was read, or its header
    alone; shared: pictures that are validated with and trained on; problems: lines that keep a
    training from beginning; memory: bytes that each of its processes needs, about.
    """

    data: Data
    refused_train: list[Refusal]
    refused_valid: list[Refusal]
    shared: list[tuple[Path, Path]]
    problems: list[str]
    memory: int | None
    processes: int = 1
    decoded: bool = True

    def unreadable(self) -> set[Path]:
        """The refused pictures."""
        found = {self.data.training().paths[each.picture] for each in self.refused_train}
        valid = self.data.valid.paths if self.data.valid else []
        return found | {valid[each.picture] for each in self.refused_valid}

    def usable(self) -> tuple[Dataset, Dataset | None]:
        """The sets without the refused pictures; the second is None where none is left."""
        train = self.data.training().without(refusal.picture for refusal in self.refused_train)
        if self.data.valid is None:
            return train, None
        valid = self.data.valid.without(refusal.picture for refusal in self.refused_valid)
        return train, valid if len(valid) else None


def check(
    data: Data,
    net: Network | None = None,
    decode: bool | None = None,
    *,
    averaged: bool = False,
    processes: int = 1,
    show: Show = lambda _done, _total: None,
) -> Report:
    """Looks at every picture, and at what the cfg expects.

    decode: all of each, so that one that is cut short is found now and not by its batch; or its
    header alone; None: all of each, unless there are more than WHOLE. averaged, processes: see
    training_memory.
    """
    train, valid = data.training(), data.valid
    total = len(train) + (len(valid) if valid else 0)
    decode = total <= WHOLE if decode is None else decode
    refused_train = scan(train, decode, show=lambda done: show(done, total))
    refused_valid = []
    if valid:
        refused_valid = scan(valid, decode, show=lambda done: show(len(train) + done, total))
    if len(refused_train) == len(train):
        first = refused_train[0].error
        problems = [f"{data.path}: none of the pictures to train on can be read: {first}"]
    else:
        readable = train.without(refusal.picture for refusal in refused_train)
        problems = _classes_problem(data.path, readable)
    if net is not None and not problems:
        try:
            check_outputs(net, len(data.names))
        except TrainingError as error:
            problems.append(str(error))
    problems += _backup_problem(data.backup)
    return Report(
        data,
        refused_train,
        refused_valid,
        overlap(train, valid, content=decode) if valid else [],
        problems,
        None if net is None else training_memory(net, averaged, processes),
        processes,
        decode,
    )


def training_memory(
    net: Network, averaged: bool = False, processes: int = 1, subdivisions: int | None = None
) -> int:
    """Bytes that training takes, about: parameters, what the optimiser keeps, maps of a part.

    averaged: an average of the parameters is kept. processes: that share each batch, each with as
    much memory as this, of its own. subdivisions: of the batch, None: the cfg's.
    """
    kept = 2 + METHODS[net.settings.optimiser.method]
    parameters = sum(p.size * ((kept if p.learned else 1) + averaged) for p in net.parameters())
    rows = net.settings.batch * net.settings.time_steps
    pictures = rows // ((subdivisions or net.settings.subdivisions) * processes)
    # a layer's output, what it keeps for backward, and the delta that is on its way
    maps = sum(3 * layer.out_shape.size for layer in net.layers) + net.in_shape.size
    return 4 * (parameters + pictures * maps)


def _classes_problem(path: Path, train: Dataset) -> list[str]:
    """With one class there is nothing to tell apart."""
    used = [name for name, count in zip(train.names, train.counts(), strict=True) if count]
    if len(used) > 1:
        return []
    return [
        f"{path}: has pictures to train on of one class only, {used[0]!r}: a classifier tells two "
        "or more apart: expected a folder of pictures for each class, one beside the other"
    ]


def _backup_problem(folder: Path) -> list[str]:
    """The backup folder, or the first above it that exists, must be a folder one may write to."""
    place, reason = folder, why_no_folder(folder)
    try:
        while not place.exists() and place != place.parent:
            place = place.parent
    except OSError as error:  # a name that is too long
        reason = reason or error.strerror or str(error)
    if reason:
        return [f"{folder}: cannot be a folder for backups: {reason}"]
    if not os.access(place, os.W_OK | os.X_OK):
        return [f"{folder}: cannot hold backups: {place} may not be written to"]
    return []


# Whether a batch fits into memory, and which subdivisions of it would.

_MB = 1 << 20
_LEAST = 0.8
"""Of the forecast, what a training takes at least: measured with tiny, darknet and resnet18."""
_SHARE = 0.8
"""Of what is free, what advice counts on."""


class RoomProblem(NamedTuple):
    """A line that says that a batch is too large, and whether that is certain."""

    line: str
    is_certain: bool


def room_problem(net: Network, averaged: bool, processes: int = 1) -> RoomProblem | None:
    """None where a training on the CPU has the memory that it needs, about. A GPU says so itself,
    when it is asked for more than it has."""
    if net.engine.free_memory() is not None:
        return None
    needed, free = training_memory(net, averaged, processes), available_memory()
    if needed <= free:
        return None
    return RoomProblem(batch_too_large(net, averaged, processes), _LEAST * needed > free)


def batch_too_large(net: Network, averaged: bool, processes: int = 1) -> str:
    """A line that says so, and what would fit."""
    free, now = int(_SHARE * available_memory()), net.settings.subdivisions
    batch = net.settings.batch // processes
    needed = training_memory(net, averaged, processes)
    # what was refused though it seemed to fit is to need half of that at most
    limit = free if needed > free else needed // 2
    parts = [parts for parts in range(now + 1, batch + 1) if batch % parts == 0]
    fitting = (n for n in parts if training_memory(net, averaged, processes, n) <= limit)
    found = next(fitting, None)
    smaller = "make the network or its pictures smaller"
    advice = f"subdivisions={found} in [net] would fit" if found else smaller
    return (
        f"{net.path}: batch={net.settings.batch} with subdivisions={now} needs about "
        f"{needed / _MB:,.0f} MB of memory, and {free / _MB:,.0f} MB may be taken: {advice}"
    )
