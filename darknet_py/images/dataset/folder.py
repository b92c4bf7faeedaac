"""Datasets as folders of pictures: one folder a class, its name the label."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from darknet_py.cfg.data_file import fault_of_name
from darknet_py.errors import DarknetError
from darknet_py.images.arrays import FileName
from darknet_py.images.dataset.dataset import Dataset, split_validation
from darknet_py.images.io.files import LITTER, is_hidden, is_picture, walk
from darknet_py.text import joined_bytes

_TRAIN = ("train", "training")
_VALID = ("valid", "val", "validation", "test", "testing")
_FOREIGN = (
    *(".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd", ".svg", ".ico", ".dng", ".cr2", ".cr3"),
    *(".nef", ".arw", ".orf", ".rw2", ".raf"),
)
"""Suffixes of pictures that are not read, in small letters."""

_Classes = dict[str, list[Path]]
"""The pictures in each class's folder, sorted."""
Say = Callable[[str], None]
"""Called with a line for each decision about a folder that could be read in another way."""


def _unsaid(_line: str) -> None:
    pass


def read_folder(
    folder: FileName, share: float = 0.1, seed: int = 0, say: Say = _unsaid
) -> tuple[Dataset, Dataset | None]:
    """The training and the validation set of a folder with a folder for each class.

    Where it holds `train` (or `training`), with folders of its own, these are the classes, and the
    validation set is the first there is of `valid`, `val`, `validation`, `test` and `testing`; in
    any case of letters. Else the classes are the folders in the folder itself, also where one of
    them is called `train` and no other is such a split. A folder that is alone in another is
    entered. Without a validation folder, `share` (0..1) of each class is held out, drawn by `seed`:
    see `split_validation`; where the folder is makes no difference.

    Pictures are files with a suffix of SUFFIXES, at any depth, through links too, but none to a
    folder above; hidden ones, and a system's own (`__MACOSX`, `@eaDir`), are skipped. Classes are
    sorted by name; one without pictures is kept. The validation set is None where it would be
    empty (`share` 0).

    Raises DarknetError for a folder that cannot be read, has no folders in it, or no pictures in
    them, splits without a folder for each class, and a class whose name no list of names can keep;
    ValueError for a share outside 0..1.
    """
    reader = _Reader(Path(folder), say)
    root, folders = reader.enter(())
    sides = reader.sides(root, folders)
    if sides is None:
        train, valid = _split(root, reader.classes(folders), share, seed)
    elif sides[0] == sides[1]:
        _fail(root, f"has {sides[0].name}/ to validate with, and no train/")
    else:
        train = reader.classes(reader.folders(sides[0]))
        if sides[1] is None:
            train, valid = _split(sides[0], train, share, seed)
        else:
            valid = reader.classes(reader.folders(sides[1]))
    names = sorted({*train, *valid})
    reader.finish(names)
    if not any(train.values()):
        _fail(root, f"no pictures in its folders to train on{reader.instead()}")
    return _dataset(names, train), _dataset(names, valid) if any(valid.values()) else None


def read_whole_folder(folder: FileName, known: Container[str] = (), say: Say = _unsaid) -> Dataset:
    """All pictures of a folder as one validation set; of one with splits, those of the validation
    split, which is reported.

    known: names of classes: a folder of such a name that is alone in another is a class, and is not
    entered. Else as `read_folder`.
    """
    reader = _Reader(Path(folder), say)
    root, folders = reader.enter(known)
    sides = reader.sides(root, folders)
    place = root if sides is None else sides[1] or sides[0]
    if sides is not None:
        why = "" if sides[1] else ", as there is no other part"
        say(f"{root}: the pictures are those of {place.name}/{why}")
        folders = reader.folders(place)
    classes = reader.classes(folders)
    names = sorted(classes)
    reader.finish(names)
    if not any(classes.values()):
        _fail(place, f"no pictures in its folders to validate with{reader.instead()}")
    return _dataset(names, classes)


def has_folders(folder: FileName) -> bool:
    """Whether a folder holds others that may be classes. Raises DarknetError."""
    return bool(_Reader(Path(folder), _unsaid).subfolders(Path(folder)))


class _Reader:
    """Reads one folder, and collects what it skips."""

    def __init__(self, root: Path, say: Say) -> None:
        self._root = root
        self._tell, self._told = say, set[str]()
        self._litter: set[str] = set()
        self._foreign: set[Path] = set()

    def _say(self, line: str) -> None:
        """Reports a line once, though a folder may be read twice."""
        if line not in self._told:
            self._told.add(line)
            self._tell(line)

    def enter(self, known: Container[str]) -> tuple[Path, list[Path]]:
        """The folder that holds classes or splits, and the folders in it: one that is alone in
        another, and holds folders but no pictures itself, is entered."""
        root, folders = self._root, self.folders(self._root)
        while len(folders) == 1 and not _is_side(folders[0], _TRAIN):
            only = folders[0]
            if joined_bytes(only.name) in known or self._is_flat(only):
                break
            inner = self.subfolders(only)
            if not inner:
                break
            root, folders = only, inner
        if root != self._root:
            self._say(f"{self._root}: holds one folder alone: the classes are looked for in {root}")
        return root, folders

    def sides(self, root: Path, folders: Sequence[Path]) -> tuple[Path, Path | None] | None:
        """The training folder (the validation folder, where that is all) and the validation
        folder; None where folders are classes."""
        trains = [each for each in folders if _is_side(each, _TRAIN)]
        valids = [each for each in folders if _is_side(each, _VALID)]
        others = [each for each in folders if each not in trains and each not in valids]
        deep = [each for each in trains if self.subfolders(each)]
        valids = sorted(valids, key=lambda each: _VALID.index(each.name.lower()))
        held = next((each for each in valids if self.subfolders(each)), None)
        if not others and not deep and held is not None and not trains:
            return held, held
        if not deep:
            flat = trains[:1] + valids[:1]
            if len(flat) == 2 and not others and held is None and all(map(self._is_flat, flat)):
                _fail(
                    root,
                    f"{flat[0].name}/ and {flat[1].name}/ hold pictures, but no folder for each "
                    "class: sort them into folders, or name a .data file or a list with numbers of "
                    "classes",
                )
            return None
        if len(deep) > 1:
            _fail(root, f"has {deep[0].name} and {deep[1].name}: expected one folder to train on")
        others = [each for each in others if self._pictures(each)]
        if others and held is None:
            self._say(f"{root}: {deep[0].name} is taken as a class, as {others[0].name} is one")
            return None
        if others:
            names = ", ".join(each.name for each in others[:3])
            self._say(
                f"{root}: {names}{' ...' if others[3:] else ''}: not used, as the classes"
                f" are those in {deep[0].name}/ and {held.name if held else ''}/"
            )
        if held is None and any(self._pictures(each) for each in valids):
            self._say(f"{root}: {valids[0].name}/ has no folder for each class: not used")
        return deep[0], held

    def classes(self, folders: Iterable[Path]) -> _Classes:
        """The pictures of each folder, by its name."""
        found: _Classes = {}
        places: dict[tuple[int, int], Path] = {}
        for folder in folders:
            name = joined_bytes(folder.name)  # the same class in every locale
            fault = fault_of_name(name)
            if fault:
                _fail(folder, f"the name of a class {fault}: rename the folder")
            first = places.setdefault(_identity(folder), folder)
            if first is not folder:
                self._say(f"{folder}: is the same folder as {first}")
            found[name] = self._pictures(folder)
        return found

    def instead(self) -> str:
        """For an error: which files are there where there are no pictures."""
        if not self._foreign:
            return ""
        example = min(self._foreign)
        return f": files such as {example} are not read: save them as JPEG or PNG"

    def finish(self, names: Sequence[str]) -> None:
        """Reports what was skipped, and which classes have nearly equal names."""
        if self._litter:
            found = ", ".join(sorted(self._litter))
            self._say(f"{self._root}: passed over, as no folders of pictures: {found}")
        if self._foreign:
            kinds = ", ".join(sorted({path.suffix.lower() for path in self._foreign}))
            self._say(
                f"{self._root}: {len(self._foreign)} passed over, of kinds that are not "
                f"read ({kinds}): save them as JPEG or PNG"
            )
        seen: dict[str, str] = {}
        for name in names:
            other = seen.setdefault(name.casefold(), name)
            if other != name:
                self._say(
                    f"{self._root}: the classes {other!r} and {name!r} differ in the "
                    "case of letters alone"
                )

    def folders(self, root: Path) -> list[Path]:
        """The folders in a folder, sorted by name; hidden ones are left out."""
        found = self.subfolders(root)
        if not found:
            _fail(root, "no folders in it: expected one for each class, or train and valid")
        return found

    def subfolders(self, root: Path) -> list[Path]:
        try:
            found = sorted(path for path in root.iterdir() if path.is_dir())
        except OSError as error:
            _fail(root, f"cannot be read: {error.strerror}")
        return [path for path in found if self._is_ours(path.name)]

    def _is_ours(self, name: str) -> bool:
        """Whether a folder is neither hidden nor a system's own."""
        if name.lower() in LITTER:
            self._litter.add(name)
            return False
        return not is_hidden(name)

    def _is_flat(self, folder: Path) -> bool:
        """Whether pictures lie in the folder itself."""
        try:
            return any(is_picture(path.name) and not path.is_dir() for path in folder.iterdir())
        except OSError as error:
            _fail(folder, f"cannot be read: {error.strerror}")

    def _pictures(self, folder: Path) -> list[Path]:
        def refuse(error: OSError) -> NoReturn:
            _fail(Path(error.filename), f"cannot be read: {error.strerror}")

        above = {_identity(each) for each in (folder, *folder.parents)}
        been = set(above)
        found = []
        for root, folders, files in walk(folder, refuse):
            entered = []
            for name in sorted(folders):
                place = Path(root, name)
                identity = _identity(place)
                if not self._is_ours(name) or (identity in been and identity not in above):
                    continue
                if identity in above:
                    self._say(f"{place}: a link to a folder above it: not followed")
                    continue
                been.add(identity)
                entered.append(name)
            folders[:] = entered
            found += [Path(root, name) for name in files if is_picture(name)]
            foreign = [name for name in files if name.lower().endswith(_FOREIGN)]
            self._foreign.update(Path(root, name) for name in foreign if not is_hidden(name))
        return sorted(found)


def _dataset(names: Sequence[str], classes: _Classes) -> Dataset:
    paths: list[Path] = []
    labels: list[tuple[int, ...]] = []
    for index, name in enumerate(names):
        pictures = classes.get(name, [])
        paths += pictures
        labels += [(index,)] * len(pictures)
    return Dataset(tuple(names), paths, labels)


def _split(root: Path, classes: _Classes, share: float, seed: int) -> tuple[_Classes, _Classes]:
    """Holds out a share of each class in `root`; the rest keeps its order."""
    train, valid = {}, {}
    for name, pictures in classes.items():
        within = [picture.relative_to(root).as_posix() for picture in pictures]
        held_out = split_validation(within, share, seed)
        pairs = list(zip(pictures, within, strict=True))
        train[name] = [picture for picture, inside in pairs if inside not in held_out]
        valid[name] = [picture for picture, inside in pairs if inside in held_out]
    return train, valid


def _is_side(folder: Path, words: Sequence[str]) -> bool:
    return folder.name.lower() in words


def _identity(folder: Path) -> tuple[int, int]:
    """Equal for two names of one folder."""
    try:
        status = os.stat(folder)
    except OSError as error:
        _fail(folder, f"cannot be read: {error.strerror}")
    return status.st_dev, status.st_ino


def _fail(path: Path, reason: str) -> NoReturn:
    raise DarknetError(f"{path}: {reason}")
