"""Which labels a picture's path bears."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import chain

LABELS = ("exact", "substring")
"""The ways of matching: ours, and the C program's."""


class Labels:
    """Labels to be found in paths. An empty one, which a blank line is, matches nothing, and one
    with a `/` in it, which is no name of a folder, is looked for in the whole path either way.
    Raises ValueError for a `how` that is not in LABELS."""

    def __init__(self, labels: Sequence[str], how: str = "exact") -> None:
        if how not in LABELS:
            raise ValueError(f"labels {how!r} is none of {', '.join(LABELS)}")
        self._labels = list(labels)
        self._indices = {label: index for index, label in enumerate(labels) if label}
        self._within = [(index, label) for index, label in enumerate(labels) if "/" in label]
        self.matches = self._exact if how == "exact" else self._substring
        """`matches(written, path)`: the indices of the labels that match a picture, ascending;
        `written` is what the list says, `path` where the picture is."""

    def _exact(self, written: str, path: str) -> list[int]:
        """Those that are the picture's folder, or a `_label.` or `label_` part of its name."""
        folder, name = os.path.split(os.path.abspath(path))
        words = chain([os.path.basename(folder)], _parts(name))
        found = {self._indices[word] for word in words if word in self._indices}
        return sorted(found | {index for index, label in self._within if label in written})

    def _substring(self, written: str, path: str) -> list[int]:
        """Those that the path contains, as the list spells it. Source: fill_truth."""
        return [index for index, label in enumerate(self._labels) if label and label in written]


def _parts(name: str) -> Iterator[str]:
    """The parts of a file's name that a label may be: `0_frog.png` has frog, `frog_0.png` too.

    They begin with the name or after a `_`, and end before a `_`, or, unless they begin with the
    name, before a dot. A part may hold a `_` itself, as in `0_hot_dog.png`.
    """
    starts = [0] + [place + 1 for place, letter in enumerate(name) if letter == "_"]
    ends = [place for place, letter in enumerate(name) if letter in "_."]
    for start in starts:
        for end in ends:
            if end > start and (name[end] == "_" or start > 0):
                yield name[start:end]
