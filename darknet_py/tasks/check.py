"""A look at what will be trained on: what would spoil hours is found in seconds."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from darknet_py.errors import TrainingError
from darknet_py.images import Dataset, Refusal, overlap, scan
from darknet_py.network import Network
from darknet_py.network.optimiser import METHODS
from darknet_py.tasks.data import Data
from darknet_py.tasks.targets import check_outputs


@dataclass(frozen=True)
class Report:
    """What a look at the data and the network found.

    refused: pictures that cannot be read; shared: pictures that are validated with and trained
    on; problems: lines that keep a training from beginning; memory: bytes that each of its
    processes needs, about.
    """

    data: Data
    refused_train: list[Refusal]
    refused_valid: list[Refusal]
    shared: list[tuple[Path, Path]]
    problems: list[str]
    memory: int | None
    processes: int = 1

    def usable(self) -> tuple[Dataset, Dataset | None]:
        """The sets without the refused pictures."""
        train = self.data.training().without(refusal.picture for refusal in self.refused_train)
        if self.data.valid is None:
            return train, None
        return train, self.data.valid.without(refusal.picture for refusal in self.refused_valid)


def check(
    data: Data,
    net: Network | None = None,
    decode: bool = False,
    *,
    averaged: bool = False,
    processes: int = 1,
) -> Report:
    """Looks at every picture's header (all of it, with `decode`), and at what the cfg expects.

    averaged, processes: see training_memory.
    """
    train, valid = data.training(), data.valid
    refused_train = scan(train, decode)
    refused_valid = scan(valid, decode) if valid else []
    problems = []
    if len(refused_train) == len(train):
        problems.append(f"{data.path}: none of the pictures to train on can be read")
    if net is not None:
        problems += _outputs_problem(net, len(data.names))
    problems += _backup_problem(data.backup)
    return Report(
        data,
        refused_train,
        refused_valid,
        overlap(train, valid) if valid else [],
        problems,
        None if net is None else training_memory(net, averaged, processes),
        processes,
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


def _outputs_problem(net: Network, classes: int) -> list[str]:
    try:
        check_outputs(net, classes)
    except TrainingError as error:
        return [str(error)]
    return []


def _backup_problem(folder: Path) -> list[str]:
    """The backup folder, or the first above it that exists, must be a folder one may write to."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        return [f"{folder}: cannot be a folder for backups: {place} is a file"]
    if not os.access(place, os.W_OK | os.X_OK):
        return [f"{folder}: cannot hold backups: {place} may not be written to"]
    return []
