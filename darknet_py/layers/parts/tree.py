"""A hierarchy of classes, as of YOLO9000: siblings share a softmax."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from darknet_py.cfg.sections import Section, shown
from darknet_py.cfg.text import read_text, text_lines
from darknet_py.resources import find_resource

MAPPED = 200
"""Classes of the map that the C programs look at."""


@dataclass(frozen=True)
class Tree:
    """parents: of each class the number of its parent, which comes before it, -1: none. groups: of
    each group of siblings its first class, and the one after its last."""

    parents: tuple[int, ...]
    groups: tuple[tuple[int, int], ...]

    @cached_property
    def levels(self) -> list[np.ndarray]:
        """The classes that have a parent, by how far they are from the root."""
        depth: list[int] = []
        for parent in self.parents:
            depth.append(0 if parent < 0 else depth[parent] + 1)
        found = np.array(depth)
        return [np.flatnonzero(found == level) for level in range(1, int(found.max()) + 1)]

    def absolute(self, predictions: np.ndarray) -> np.ndarray:
        """Each class's probability (..., classes) times its parent's, and so on up to the root."""
        found, parents = predictions.copy(), np.array(self.parents)
        for level in self.levels:
            found[..., level] *= found[..., parents[level]]
        return found

    def top(self, absolute: np.ndarray, thresh: float) -> np.ndarray:
        """The class (...,) that one arrives at from the root by the most probable child, while the
        product of the probabilities on the way is above `thresh`.

        As in the C programs, what is multiplied are the products that `absolute` gives.
        """
        flat = absolute.reshape(-1, absolute.shape[-1])
        child = np.full(len(self.parents), -1)
        for number, (start, _) in enumerate(self.groups):
            if self.parents[start] >= 0:
                child[self.parents[start]] = number
        at = np.zeros(len(flat), np.int64)  # the group that each looks at; -1: it is done
        p, found = np.ones(len(flat), flat.dtype), np.zeros(len(flat), np.int64)
        while (at >= 0).any():
            for group in np.unique(at[at >= 0]):
                rows = np.flatnonzero(at == group)
                start, end = self.groups[group]
                values = flat[rows, start:end]
                best = start + np.argmax(np.where(values > 0, values, 0), axis=1)
                product = p[rows] * np.maximum(flat[rows, best], 0)
                goes_on = product > np.float32(thresh)
                p[rows] = np.where(goes_on, product, p[rows])
                stop = self.parents[start] if group else best
                found[rows] = np.where(goes_on, best, stop)
                at[rows] = np.where(goes_on, child[best], -1)
        return found.reshape(absolute.shape[:-1])


def read_tree_of(section: Section, classes: int) -> Tree | None:
    """tree=: a file with the name of a class and the number of its parent a line, for as many
    classes as there are. Raises CfgError."""
    name = section.get_text("tree", "")
    if not name:
        return None
    path = _find(section, "tree", name)
    parents: list[int] = []
    for number, line in text_lines(read_text(path)):
        words = line.split()
        try:
            parent = int(words[1]) if len(words) > 1 else -1
        except ValueError:
            parent = len(parents)
        if not -1 <= parent < len(parents):
            section.fail(
                f"tree={shown(name)}: line {number}: {shown(line)}: expected a name and the number "
                "of a class before it, or -1",
                "tree",
            )
        parents.append(parent)
    starts = [i for i in range(len(parents)) if i == 0 or parents[i] != parents[i - 1]]
    if len(parents) != classes:
        section.fail(
            f"tree={shown(name)}: has {len(parents)} classes, and classes={classes}", "tree"
        )
    groups = tuple(zip(starts, [*starts[1:], len(parents)], strict=True))
    return Tree(tuple(parents), groups)


def read_map(section: Section, classes: int) -> list[int] | None:
    """map=: a file with the number of a class a line, of which the first 200 count. Raises
    CfgError."""
    name = section.get_text("map", "")
    if not name:
        return None
    path = _find(section, "map", name)
    numbers = [line for _, line in text_lines(read_text(path))][:MAPPED]
    if not all(each.isdecimal() and len(each) < 9 and int(each) < classes for each in numbers):
        section.fail(f"map={shown(name)}: expected numbers from 0 to {classes - 1}", "map")
    return [int(each) for each in numbers]


def _find(section: Section, key: str, name: str) -> Path:
    path = find_resource(name, Path(section.path).parent)
    if path is None:
        section.fail(f"{key}={shown(name)}: no such file", key)
    return path
