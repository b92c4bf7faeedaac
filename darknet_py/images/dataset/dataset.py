"""Pictures, and the classes that each belongs to."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from darknet_py.images.arrays import Floats


@dataclass(frozen=True)
class Dataset:
    """A training or validation set.

    names: of the classes, in the order of the network's outputs. labels: the class indices of each
    picture: one for a classifier; several, or none, are tags. Raises ValueError for labels that do
    not fit.
    """

    names: tuple[str, ...]
    paths: list[Path]
    labels: list[tuple[int, ...]]

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.paths):
            raise ValueError(f"{len(self.paths)} pictures have {len(self.labels)} labels")
        used = {label for labels in self.labels for label in labels}
        if used and not (min(used) >= 0 and max(used) < len(self.names)):
            raise ValueError(f"labels {sorted(used)} are not all in 0..{len(self.names) - 1}")

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def classes(self) -> int:
        """How many there are, with pictures or without."""
        return len(self.names)

    def truth(self, index: int) -> Floats:
        """The target of a picture, one-hot for one label: (classes,), 1 for its labels, else 0."""
        truth = np.zeros(self.classes, np.float32)
        truth[list(self.labels[index])] = 1
        return truth

    def counts(self) -> list[int]:
        """How many pictures each class has: 0 is possible, and worth a warning."""
        counts = [0] * self.classes
        for labels in self.labels:
            for label in labels:
                counts[label] += 1
        return counts

    def without(self, indices: Iterable[int]) -> Dataset:
        """A dataset without the pictures of these indices; the classes stay."""
        left_out = set(indices)
        kept = [index for index in range(len(self)) if index not in left_out]
        paths, labels = [self.paths[i] for i in kept], [self.labels[i] for i in kept]
        return Dataset(self.names, paths, labels)


def split_validation(names: Sequence[str], share: float, seed: int) -> set[str]:
    """The pictures of a class to hold out, a share (0 to below 1): those whose names have the
    lowest digests, so that adding pictures moves few others. At least one of two or more, never
    all; none where the share is 0. Raises ValueError for another share."""
    if not 0 <= share < 1:
        raise ValueError(f"a share of {share} is not from 0 to below 1")
    most = max(len(names) - 1, 0)
    count = min(max(round(share * len(names)), 1), most) if share else 0

    def digest(name: str) -> bytes:
        return blake2b(os.fsencode(f"{seed}/{name}")).digest()

    return set(sorted(names, key=digest)[:count])
