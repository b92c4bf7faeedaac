"""Folders, lists and .data files, odd and damaged: refused in a line, or the right pictures."""

from __future__ import annotations

import io
import os
import socket
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from PIL import Image

from darknet_py.cfg.data_file import fault_of_name
from darknet_py.errors import DarknetError
from darknet_py.images import Dataset, find_pictures
from darknet_py.tasks.check import check
from darknet_py.tasks.data import Data, open_data
from scripts.trials.mutations import check_message, encode, mangle_bytes, mangle_lines, number, word
from scripts.trials.trial import Failed

NAME, GROUP, WEIGHT, SLICE = "lists", "fuzz", 1, 60
LIMIT = 60
MEMORY = 1 << 30

_PICTURES: list[bytes] = []
_PLAIN = ("cat", "dog", "horse", "bird", "ship", "truck", "frog", "deer")
_ODD = (
    *("hot dog", "a#b", "#a", "café", "日本", "train", "val", "cat_dog", "CAT", "0", "a=b", "a,b"),
    *("=1+1", "x" * 200, "a.b", "-", "cat\u202e", "e\u0301", "a\\b", "nul", "a;b", "'", '"'),
)
"""Names that a class may have."""
_BAD = ("a\nb", " a", "a ", "\t", "\udcff\udcfe", "a\rb", "\ufeffa")
"""Names that no list of names can keep."""
_THINGS = (
    *("text", "empty", "fifo", "socket", "dangling", "circle", "above", "hidden", "other"),
    *("litter", "foreign", "link", "linked folder", "null"),
)
_SUFFIXES = (".png", ".PNG", ".jpg", ".jpeg", ".webp", ".tif")
_TRAIN, _VALID = ("train", "Training"), ("valid", "val", "test")


def prepare() -> None:
    for color, kind in ((0, "PNG"), (90, "JPEG"), (200, "GIF")):
        file = io.BytesIO()
        Image.new("L", (3, 2), color).save(file, kind)
        _PICTURES.append(file.getvalue())


def trial(random: Random, folder: Path) -> str:
    kind = random.random()
    if kind < 0.45:
        return f"folder {_folder(random, folder / 'data')}"
    if kind < 0.75:
        return f".data {_data_file(random, folder)}"
    return f"list {_caffe(random, folder)}"


def _open(random: Random, path: Path, labels: str = "exact") -> Data | None:
    """What is read, looked at; None where it is refused."""
    try:
        data = open_data(path, labels, random.choice([0, 0.1, 0.5]), random.randrange(3))
        for line in data.notes:
            check_message(DarknetError(line))  # as it is printed: text.one_line
        for dataset in (data.train, data.valid):
            _check_dataset(dataset, data.names)
        if random.random() < 0.15:
            _check_report(data, decode=random.random() < 0.5)
    except DarknetError as error:
        check_message(error)
        return None
    return data


def _check_dataset(dataset: Dataset | None, names: Sequence[str]) -> None:
    if dataset is None:
        return
    if not len(dataset) or tuple(dataset.names) != tuple(names):
        raise Failed(f"a set of {len(dataset)} pictures, of {dataset.names}: expected {names}")
    if sum(dataset.counts()) != len(dataset):
        raise Failed(f"{len(dataset)} pictures, and counts {dataset.counts()}")


def _check_report(data: Data, decode: bool) -> None:
    """What cannot be read is what is no picture: `x` stands in the names of those alone."""
    report = check(data, None, decode)
    refused = report.unreadable()
    for each in (*report.refused_train, *report.refused_valid):
        check_message(each.error)
    sets = [dataset for dataset in (data.train, data.valid) if dataset is not None]
    for path in (path for dataset in sets for path in dataset.paths):
        if path.name.startswith("x-") and path not in refused:
            raise Failed(f"{path.name!r} is no picture, and is taken for one")
        if path.name.startswith("p-") and path not in refused and not os.path.isfile(path):
            raise Failed(f"{path.name!r} is not there, and is taken for a picture")
        if path.name.startswith("p-") and path in refused and os.path.isfile(path):
            raise Failed(f"{path.name!r} is a picture, and is refused")


# Folders


def _folder(random: Random, root: Path) -> str:
    """A folder with one for each class, and odd things in it."""
    root.mkdir()
    names = random.sample([*_PLAIN, *_ODD], random.choice([1, 2, 2, 3, 5]))
    if random.random() < 0.1:
        names[random.randrange(len(names))] = random.choice(_BAD)
    sides = [root]
    if random.random() < 0.4:
        sides = [root / random.choice(_TRAIN), root / random.choice(_VALID)]
        sides = sides[: random.choice([1, 2, 2])]
    expected: Counter[str] = Counter()
    for side in sides:
        for name in names:
            place = side / os.fsencode(name).decode("utf-8", "surrogateescape")
            place.mkdir(parents=True)
            expected[name] += _fill(random, place, deep=True)
        if random.random() < 0.3:
            _litter(random, side)
    _check_found(root, sum(expected.values()))
    if (
        len(sides) == 1
        and sides[0] == root
        and {name.lower() for name in names} & {*_TRAIN, "training", *_VALID}
    ):
        expected.clear()  # which of them is a class is what others test
    data = _open(random, root)
    if data is None:
        bad = any(map(fault_of_name, names))
        if not bad and expected and all(expected.values()):
            raise Failed("a whole folder is refused")
        return "refused"
    if any(map(fault_of_name, names)) and len(names) > 1:
        raise Failed(f"classes {names!r}: no list of names can keep them")
    if expected and len(names) > 1:
        _check_counts(data, expected)
    return "read"


def _check_found(root: Path, count: int) -> None:
    """What classify takes of a folder."""
    found = find_pictures([root]) if count else []
    if len(found) != count or len(set(found)) != count:
        raise Failed(f"{len(found)} pictures are found: expected {count}")


def _check_counts(data: Data, expected: Counter[str]) -> None:
    found: Counter[str] = Counter(dict.fromkeys(data.names, 0))
    for dataset in (data.train, data.valid):
        if dataset is not None:
            found.update(dict(zip(dataset.names, dataset.counts(), strict=True)))
    if dict(found) != dict(expected) or list(data.names) != sorted(expected):
        raise Failed(f"counts {dict(found)}: expected {dict(expected)}")


def _fill(random: Random, folder: Path, deep: bool = False) -> int:
    """Pictures and what is none; how many there are that are known as pictures."""
    count = 0
    for index in range(random.choice([0, 1, 2, 3, 6]) if not deep else random.choice([1, 2, 3, 6])):
        name = f"p-{index}{_piece(random)}{random.choice(_SUFFIXES)}"
        (folder / name).write_bytes(random.choice(_PICTURES))
        count += 1
    while random.random() < 0.35:
        count += _odd(random, folder)
    if deep and random.random() < 0.3:
        inner = folder / f"deeper{_piece(random)}"
        inner.mkdir(exist_ok=True)
        count += _fill(random, inner)
    return count


def _piece(random: Random) -> str:
    """Something within the name of a file."""
    return random.choice(
        ["", "", "", " ", "#", "\n", "\x1b[2J", "é", "\udcff", "_", ".", "a\nb", "*[?"]
    )


def _odd(random: Random, folder: Path) -> int:
    """Something that is no picture, in a class's folder; 1 if it is known as one nevertheless."""
    number_ = random.randrange(10**6)
    path = folder / f"x-{number_}.png"
    kind = "deep" if random.random() < 0.003 else random.choice(_THINGS)
    if kind == "text":
        path.write_text("no picture")
    elif kind == "empty":
        path.touch()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        _bind(path)
    elif kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "circle":
        path.symlink_to(path.name)
    elif kind == "null":
        path.symlink_to("/dev/null")
    elif kind == "link":
        target = folder / f"t-{number_}.bin"
        target.write_bytes(random.choice(_PICTURES))
        (folder / f"p-link{number_}.png").symlink_to(target.name)
    elif kind == "above":
        (folder / f"above{number_}").symlink_to(random.choice([".", "..", str(folder)]))
        return 0
    elif kind == "linked folder":
        return _linked_folder(folder, number_)
    elif kind == "deep":
        return _deep(folder / f"deep{number_}")
    elif kind == "hidden":
        (folder / f".{number_}.png").write_bytes(_PICTURES[0])
        return 0
    elif kind == "other":
        (folder / f"{number_}.txt").write_text("x")
        return 0
    elif kind == "foreign":
        (folder / f"{number_}.heic").write_text("x")
        return 0
    elif kind == "litter":
        (folder / "__MACOSX").mkdir(exist_ok=True)
        (folder / "__MACOSX" / "a.png").write_bytes(_PICTURES[0])
        return 0
    return 1


def _deep(folder: Path) -> int:
    """Folders in folders, more than functions may call themselves."""
    here = os.getcwd()
    folder.mkdir()
    os.chdir(folder)
    for _ in range(1100):
        os.mkdir("d")
        os.chdir("d")
    Path("p-0.png").write_bytes(_PICTURES[0])
    os.chdir(here)
    return 1


def _linked_folder(folder: Path, number_: int) -> int:
    """A folder in two ways: its pictures count once."""
    inner = folder / f"inner{number_}"
    inner.mkdir()
    (inner / "p-0.png").write_bytes(_PICTURES[0])
    (folder / f"also{number_}").symlink_to(inner.name)
    return 1


def _bind(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def _litter(random: Random, side: Path) -> None:
    """Beside the classes: nothing that counts."""
    (side / "notes.txt").write_text("x")
    if random.random() < 0.5:
        (side / ".hidden").mkdir()
        (side / ".hidden" / "a.png").write_bytes(_PICTURES[0])
    if random.random() < 0.5:
        (side / "@eaDir").mkdir()
    if random.random() < 0.3:
        os.mkfifo(side / "pipe")
    if random.random() < 0.3:
        (side / "gone").symlink_to("nowhere")


# .data files


def _data_file(random: Random, folder: Path) -> str:
    """A .data file with its lists, one of these files damaged or none."""
    names = random.sample(_PLAIN, random.choice([2, 3, 4]))
    lists = {side: _listed(random, folder / side, names) for side in ("train", "valid")}
    texts = {
        "names.list": list(names),
        "labels.list": list(names),
        "train.list": [str(path) for path, _ in lists["train"]],
        "valid.list": [str(path) for path, _ in lists["valid"]],
        "a.data": [
            f"classes={len(names)}",
            *("train=train.list", "valid = valid.list", "labels=labels.list", "names=names.list"),
            *("backup=backup", "top=1", "# a comment"),
        ],
    }
    if random.random() < 0.5:  # relative to the list's folder
        for side in lists:
            lines = texts[f"{side}.list"]
            texts[f"{side}.list"] = [os.path.relpath(line, folder) for line in lines]
    damaged = _damage(random, texts)
    _write(random, folder, texts, damaged)
    data = _open(random, folder / "a.data", random.choice(["exact", "substring"]))
    if not damaged:
        for side, listed in lists.items():
            _check_listed(getattr(data, side, None), listed, names)
    return _verdict(data, damaged)


def _caffe(random: Random, folder: Path) -> str:
    """Caffe's lists, one of them damaged or none."""
    names = random.sample([*_PLAIN, *_ODD[:6]], random.choice([1, 2, 3, 4]))
    listed = _listed(random, folder / "train", names)
    lines = [f"{path.relative_to(folder)} {number_}" for path, number_ in listed]
    texts = {"train.txt": lines}
    if random.random() < 0.5:
        texts["val.txt"] = lines[:2]
    if random.random() < 0.6:
        texts["names.txt"] = list(names)
    damaged = _damage(random, texts)
    _write(random, folder, texts, damaged)
    data = _open(random, folder if random.random() < 0.5 else folder / "train.txt")
    if not damaged and len({number_ for _, number_ in listed}) == len(names):
        if data is None or data.train is None:
            raise Failed("a whole list is refused")
        both = [*data.train.paths, *(data.valid.paths if data.valid else [])]
        if {os.path.abspath(path) for path in both} != {str(path) for path, _ in listed}:
            raise Failed(f"{len(both)} pictures: expected {len(listed)}")
        if "names.txt" in texts and list(data.names) != names:
            raise Failed(f"names {data.names}: expected {names}")
    return _verdict(data, damaged)


def _listed(random: Random, folder: Path, names: Sequence[str]) -> list[tuple[Path, int]]:
    """Pictures in folders of classes, and the numbers of these."""
    found = []
    for index, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for count in range(random.choice([1, 1, 2, 4])):
            path = folder / name / f"p-{count}{random.choice(['', ' ', '#', 'é', ' #1'])}x.png"
            if random.random() < 0.3:
                path.write_bytes(random.choice(_PICTURES))
            else:
                path.touch()
                path = path.rename(path.with_name(f"x-{path.name[2:]}"))
            found.append((path, index))
    random.shuffle(found)
    return found


def _damage(random: Random, texts: dict[str, list[str]]) -> str:
    """Changes one of these files; its name, or nothing where none is changed."""
    if random.random() < 0.15:
        return ""
    name = random.choice(list(texts))
    lines = texts[name]
    for _ in range(random.choice([1, 1, 2])):
        place = random.randrange(len(lines)) if lines else 0
        if lines and random.random() < 0.4:
            key, equals, _ = lines[place].partition("=")
            value = number(random) if random.random() < 0.5 else word(random)
            lines[place] = f"{key}{equals}{value}" if equals else f"{lines[place]} {value}"
        else:
            lines = mangle_lines(random, lines)
    texts[name] = lines
    return name


def _write(random: Random, folder: Path, texts: dict[str, list[str]], damaged: str) -> None:
    for name, lines in texts.items():
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
        if name == damaged and random.random() < 0.6:
            data = encode(random, lines)
            if random.random() < 0.3:
                data = mangle_bytes(random, data)
        if name == damaged and name not in ("a.data", "train.txt") and random.random() < 0.1:
            _no_file(random, folder / name)  # those two are named by the user, who may mean it
        else:
            (folder / name).write_bytes(data)


def _no_file(random: Random, path: Path) -> None:
    """Something else in the place of a file."""
    kind = random.choice(["fifo", "folder", "circle", "dangling", "socket"])
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        _bind(path)
    else:
        path.symlink_to(path.name if kind == "circle" else "nowhere")


def _check_listed(
    dataset: Dataset | None, listed: Iterable[tuple[Path, int]], names: Sequence[str]
) -> None:
    if dataset is None:
        raise Failed("a whole list is refused")
    found = [
        (str(path), label) for path, (label,) in zip(dataset.paths, dataset.labels, strict=True)
    ]
    if [(os.path.abspath(path), label) for path, label in found] != [
        (str(path), label) for path, label in listed
    ] or list(dataset.names) != list(names):
        raise Failed(f"other pictures than are listed: {found[:5]} ...")


def _verdict(data: Data | None, damaged: str) -> str:
    if data is None:
        return "refused"
    return "read" if damaged else "whole"
