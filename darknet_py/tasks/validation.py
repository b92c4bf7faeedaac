"""What a network is held to: the pictures, wherever they are described, under its own classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from darknet_py.cfg.data_file import read_data
from darknet_py.errors import ArgumentError, CfgError, DarknetError, TrainingError
from darknet_py.images import (
    Dataset,
    find_valid_list,
    folder_names,
    has_numbers,
    names_beside,
    read_data_part,
    read_labelled,
    read_numbered,
    read_whole_folder,
)
from darknet_py.network import Network, check_network
from darknet_py.options import File, Whole, options_in, read_argument
from darknet_py.resources import find_resource
from darknet_py.tasks import valid
from darknet_py.tasks.data import open_data, useful_top
from darknet_py.tasks.names import choose_names, names_file, own_names, read_names, shipped_names
from darknet_py.tasks.options import DataOptions
from darknet_py.tasks.targets import class_count
from darknet_py.tasks.valid import Evaluation

_WORDNET = {1000: "data/imagenet.labels.list"}
"""Other names of the shipped classes, which folders of ImageNet's pictures have."""
_SHOWN = 5


@dataclass(frozen=True)
class Validation:
    """dataset: its classes are the network's outputs, in their order. notes: what is evaluated,
    and how classes were found, a line each."""

    dataset: Dataset
    top: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Names:
    """The names of a network's classes, and the file that says so; None: nobody does."""

    names: list[str] | None
    where: str


@dataclass(frozen=True)
class _Found:
    """A dataset as it is described. top: first guesses that count, if that is said; has_numbers:
    somebody says which class has which number; by_folders: the names are those of folders, and
    the numbers count where these say nothing."""

    dataset: Dataset
    path: Path
    top: int | None = None
    has_numbers: bool = False
    by_folders: bool = False


def open_validation(
    path: str | Path,
    net: Network,
    names: str | Path | Sequence[str] | None = None,
    labels: str = "exact",
    share: float | None = None,
    seed: int = 0,
) -> Validation:
    """The pictures to validate with that a folder, a `.data` file or a list stands for.

    share: of a folder or list without a validation split, what a training with this share and seed
    sets aside. names: those of the network's classes, or a file with them (NAME.names beside
    NAME.cfg), with which classes are matched by name; without names there must be as many as
    outputs, in the same order. Raises DarknetError, also where classes cannot be matched.
    """
    notes: list[str] = []
    outputs = class_count(net)
    known = _names_of(net, names, outputs)
    found = _find(Path(find_resource(str(path)) or path), net, known, labels, share, seed, notes)
    matched = _match(found, net, known, notes)
    if not len(matched):
        raise DarknetError(f"{found.path}: has no pictures to validate with")
    used = sum(map(bool, matched.counts()))
    notes.append(
        f"evaluated: {found.path}: {len(matched):,} picture{'s' * (len(matched) != 1)} of {used} "
        f"class{'es' * (used != 1)}"
    )
    return Validation(matched, found.top or useful_top(outputs), tuple(notes))


def validate(
    net: Network,
    validation: Validation,
    top: int | None = None,
    views: int = 1,
    batch: int | None = None,
    worst: int = 0,
) -> Evaluation:
    """As `valid.evaluate`. Raises DarknetError where the network's outputs are no numbers: that is
    no guess, and a share of what is left would say nothing."""
    found = valid.evaluate(net, validation.dataset, top or validation.top, views, batch, worst)
    if found.not_finite:
        count, first = f"{len(found.not_finite)} of {found.pictures}", found.not_finite[0]
        raise DarknetError(
            f"{net.path}: of {count} pictures the outputs are no numbers, {first} the first: these "
            "weights cannot be used (a training that diverged, or another cfg's)"
        )
    return found


def evaluate(
    net: Network,
    data: str | Path,
    names: str | Path | Sequence[str] | None = None,
    top: int | None = None,
    views: int = 1,
    batch: int | None = None,
    labels: str = "exact",
    share: float | None = None,
    seed: int = 0,
) -> Evaluation:
    """How well a network knows labelled pictures, as `darknet classifier valid` finds it.

    data: a folder with one folder of pictures per class, a `.data` file or a list; names: those of
    the network's classes, or a file with them, None: NAME.names beside NAME.cfg or the weights.
    top: first guesses that count. views: 1, or 10: corners and middle, mirrored too. share, seed:
    only what a training with these sets aside. Gives an Evaluation: `top1` and `topk` (0 to 1),
    `loss`, `confusion` (classes, classes; rows true), and of each class `precision`, `recall` and
    `f1`. Raises TypeError and ArgumentError for arguments of another type or out of their range,
    and DarknetError.
    """
    check_network(net)
    data = read_argument("data", data, File())
    top = read_argument("top", top, Whole(1), or_none=True)
    views = read_argument("views", views, Whole(1))
    if views not in (1, 10):
        raise ArgumentError(f"views={views}: expected 1 or 10")
    batch = read_argument("batch", batch, Whole(1), or_none=True)
    known = options_in(DataOptions)
    labels = read_argument("labels", labels, known["labels"].kind)
    share = read_argument("share", share, known["share"].kind, or_none=True)
    seed = read_argument("seed", seed, known["seed"].kind)
    return validate(net, open_validation(data, net, names, labels, share, seed), top, views, batch)


def _names_of(net: Network, names: str | Path | Sequence[str] | None, outputs: int) -> _Names:
    if names is not None:
        where = str(names) if isinstance(names, str | Path) else "names"
        return _Names(choose_names(names, outputs, net), where)
    return _Names(own_names(outputs, net), str(names_file(net)))


def _find(
    path: Path,
    net: Network,
    known: _Names,
    labels: str,
    share: float | None,
    seed: int,
    notes: list[str],
) -> _Found:
    """What the path stands for, under the classes that it has itself."""
    listed = find_valid_list(path)
    if share is not None and (listed is not None or os.path.isdir(path)):
        opened = open_data(path, labels, share, seed)
        notes += opened.notes
        return _Found(
            opened.validation(), path, has_numbers=listed is not None, by_folders=listed is not None
        )
    if listed is not None:
        return _find_listed(listed, net, known, labels)
    if os.path.isdir(path):
        return _Found(read_whole_folder(path, known.names or (), notes.append), path)
    described = read_data(path)
    notes += described.notes
    dataset = read_data_part(described, "valid", labels)
    if dataset is None:
        raise DarknetError(f"{path}: has no valid=: expected the list to validate with")
    return _Found(dataset, path, described.top, has_numbers=True)


def _find_listed(path: Path, net: Network, known: _Names, labels: str) -> _Found:
    """A list: with numbers, under the names beside it, else those of its folders, else numbers;
    or of paths alone, which bear the network's names."""
    if not has_numbers(path):
        return _Found(_read_paths(path, net, known, labels), path, has_numbers=True)
    outputs = class_count(net)
    beside = names_beside(path)[:outputs]
    if beside:
        dataset = read_numbered(path, beside, "the file of names beside it")
        return _Found(dataset, path, has_numbers=True)
    numbers = tuple(map(str, range(outputs)))
    dataset = read_numbered(path, numbers, f"{net.path}, one for each output,")
    folders = folder_names(dataset)
    names = tuple(folders.get(k, number) for k, number in enumerate(numbers))
    if len(set(names)) < outputs or len(folders) < sum(map(bool, dataset.counts())):
        names = numbers
    return _Found(replace(dataset, names=names), path, has_numbers=True, by_folders=True)


def _read_paths(path: Path, net: Network, known: _Names, labels: str) -> Dataset:
    """A list of paths, which bear names that the network's classes may have."""
    candidates = _candidates(known, class_count(net))
    if not candidates:
        raise DarknetError(
            f"{path}: has no numbers of classes behind its paths, and nothing names the network's "
            f"classes: expected {names_file(net)}, or --names FILE"
        )
    for names in candidates[:-1]:
        with suppress(CfgError):
            return read_labelled(path, tuple(names), labels)
    return read_labelled(path, tuple(candidates[-1]), labels)


def _match(found: _Found, net: Network, known: _Names, notes: list[str]) -> Dataset:
    """The dataset under the network's classes."""
    dataset, outputs = found.dataset, class_count(net)
    used = [index for index, count in enumerate(dataset.counts()) if count]
    theirs = [dataset.names[index] for index in used]
    as_they_are = {index: index for index in used}
    for mine in _candidates(known, outputs):
        if list(dataset.names) == mine:
            return _with_names(dataset, known.names or shipped_names(outputs) or mine, as_they_are)
        places = _places(theirs, mine)
        if places is not None:
            moved = dict(zip(used, places, strict=True))
            if moved != as_they_are:
                notes.append(f"{found.path}: classes are matched by name with the network's")
            return _with_names(dataset, known.names or shipped_names(outputs) or mine, moved)
    numbers = [str(index) for index in range(outputs)]
    if found.by_folders:
        if theirs != [numbers[index] for index in used]:
            notes.append(
                f"{found.path}: classes are those of the numbers, as the folders' names, "
                f"{_listed(theirs)}, are not all known to the network"
            )
        return _with_names(dataset, known.names or list(dataset.names), as_they_are)
    if known.names is not None:
        raise TrainingError(_unmatched(found.path, theirs, known))
    if len(dataset.names) != outputs:
        raise TrainingError(_other_count(found.path, dataset, net))
    if not found.has_numbers:
        beside = names_file(net)
        if os.path.isfile(beside):
            raise TrainingError(
                f"{beside}: holds fewer names than the network has outputs, {outputs}: mend it, or "
                "give another by --names"
            )
        notes.append(
            f"{found.path}: classes are taken in the order of their names, as there is no {beside}"
        )
    return dataset


def _candidates(known: _Names, outputs: int) -> list[list[str]]:
    """Lists of names that the network's classes may have, the likeliest first."""
    if known.names is not None:
        return [known.names]
    shipped = shipped_names(outputs)
    return [] if shipped is None else [shipped, read_names(_WORDNET[outputs], outputs)]


def _places(theirs: Sequence[str], mine: Sequence[str]) -> list[int] | None:
    """Of each name where it stands among the others, in letters of any case where it is nowhere as
    it is; None where one is nowhere, or in several places."""
    found = []
    for name in theirs:
        exact = [index for index, each in enumerate(mine) if each == name]
        alike = [i for i, each in enumerate(mine) if each.casefold() == name.casefold()]
        places = exact or alike
        if len(places) != 1:
            return None
        found.append(places[0])
    return found if len(set(found)) == len(found) else None


def _with_names(dataset: Dataset, names: Sequence[str], places: dict[int, int]) -> Dataset:
    labels: list[tuple[int, ...]] = [(places[label],) for (label,) in dataset.labels]
    return Dataset(tuple(names), dataset.paths, labels)


def _unmatched(path: Path, theirs: Sequence[str], known: _Names) -> str:
    assert known.names is not None
    missing = [name for name in theirs if _places([name], known.names) is None] or theirs
    return (
        f"{path}: has the classes {_listed(theirs)}, and the network knows {_listed(known.names)} "
        f"({known.where}): {_listed(missing)} cannot be matched: give the classes the network's "
        "names, or name other names by --names FILE"
    )


def _other_count(path: Path, dataset: Dataset, net: Network) -> str:
    classes, beside = len(dataset.names), names_file(net)
    fault = "holds too few names" if os.path.isfile(beside) else "is not there"
    return (
        f"{path}: has {classes} class{'es' * (classes != 1)}, {_listed(dataset.names)}, and "
        f"{net.path} has {net.outputs} output{'s' * (net.outputs != 1)}: classes could be matched "
        f"by name, but {beside} {fault}: name a file by --names"
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
