"""What a trial is, and what a module must have to be a kind of them.

A kind is a module beside this one:

    NAME = "states"        as in --only states
    GROUP = "fuzz"         "fuzz", "kills" or "layers": which option says how many

    def trial(random: random.Random, folder: Path) -> str

A trial does one thing that was drawn with `random`, and depends on nothing else, so that it can be
repeated. `folder` is empty, its own, and where the process stands; it is removed afterwards. It
returns a short label, which is counted ("refused", "same weights"). It fails by raising Failed, or
anything else, by taking longer than its limit, or by the death of its process.

What a kind may have besides:

    WEIGHT = 0.01          its part of its group's trials (1): less for what takes long
    LIMIT = 120            seconds that a trial may take (60)
    MEMORY = 1 << 30       bytes that a process may take, beyond what it had after `prepare` (4 GiB)

    SLICE = 20             trials that the project's own tests run, in a second at most (30 by the
                           weight of "fuzz", 2 of "layers", none of "kills")

    def prepare() -> None  called once in each process: what takes long and is no trial's
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

GROUPS = ("fuzz", "kills", "layers")
_SLICES = {"fuzz": 30, "kills": 0, "layers": 2}


class Failed(Exception):  # noqa: N818 - it is a result
    """What a trial found wrong, in a line or some."""


@dataclass(frozen=True)
class Kind:
    """A module of trials."""

    module: str
    name: str
    about: str
    """The first line of its text."""
    group: str
    trial: Callable[[Random, Path], str]
    prepare: Callable[[], None] | None
    weight: float
    limit: float
    memory: int
    slice: int


def random_of(kind: str, seed: int, number: int) -> Random:
    """What trial `number` of a kind draws from."""
    return Random(f"{seed}/{kind}/{number}")


def load_kind(name: str) -> Kind | None:
    """The kind that a module is, by its dotted name; None where it is none."""
    module = importlib.import_module(name)
    if not hasattr(module, "GROUP"):
        return None
    assert module.GROUP in GROUPS, name
    weight = getattr(module, "WEIGHT", 1)
    return Kind(
        name,
        module.NAME,
        (module.__doc__ or "").strip().partition("\n")[0].rstrip("."),
        module.GROUP,
        module.trial,
        getattr(module, "prepare", None),
        weight,
        getattr(module, "LIMIT", 60),
        getattr(module, "MEMORY", 4 << 30),
        getattr(module, "SLICE", int(_SLICES[module.GROUP] * weight)),
    )


def load_kinds(package: str = "scripts.trials") -> list[Kind]:
    """All kinds in a package, by group, then by name."""
    places = importlib.import_module(package).__path__
    modules = [f"{package}.{each.name}" for each in pkgutil.iter_modules(places)]
    found = [kind for kind in map(load_kind, modules) if kind is not None]
    return sorted(found, key=lambda kind: (GROUPS.index(kind.group), kind.name))
