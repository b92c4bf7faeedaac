"""The kernel cache: damaged, opened to others, full, or written by several at once

Each trial spoils a copy of a warm cache. What is then found in it must be what was stored, or
nothing; and in some trials a process computes with it: each number must be right, and what was
damaged whole again. Where others could have written lie bombs, which end a process that loads them.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import resource
import signal
import struct
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import numpy as np

from darknet_py.network import load_network
from darknet_py.ops import cache
from darknet_py.ops.cpu.codegen import jit
from darknet_py.ops.cpu.codegen import kernel as native
from darknet_py.ops.cpu.codegen.emit import load_i64, store_i64
from scripts.trials.trial import Failed

NAME, GROUP, WEIGHT, LIMIT = "cache", "fuzz", 0.02, 300
_COMPUTED = 0.1
"""The part of the trials with damaged files in which a process computes, which takes long."""
_BOMB = 99
"""The exit code of a process that loads one."""

_CFG = """
[net]
height=6
width=6
channels=2

[convolutional]
filters=3
size=3
pad=1
activation=leaky

[avgpool]

[softmax]
"""


@jit.jit
def halve(x):  # type: ignore[no-untyped-def]
    return x / 2 + 1


@jit.jit
def halve_all(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(x)):
        x[i] = halve(x[i])
        total += x[i]
    return total


@native.kernel
def add(thread: int, threads: int, x: int, y: int) -> None:
    store_i64(x, load_i64(x) + load_i64(y))


@native.kernel
def multiply(thread: int, threads: int, x: int, y: int) -> None:
    store_i64(x, load_i64(x) * load_i64(y))


_ROW = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
_warm: dict[Path, bytes] = {}
"""A warm cache: what each of its files holds."""
_right: list[list[float]] = []
"""What _compute gives."""


def prepare() -> None:
    """Fills a cache in a process of its own: in this one no kernel may be loaded yet, so that each
    child loads all of them."""
    from numba.core.registry import cpu_target

    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        _write_network()
        root = Path(place, "cache")
        _ended(_fork(root, _write_numbers))
        _right.append(json.loads(Path("right").read_text()))
        os.chdir(before)
        files = [path for path in root.rglob("*") if path.is_file()]
        _warm.update({path.relative_to(root): path.read_bytes() for path in files})
    assert _right[0][:6] == [4.5, 1.0, 1.5, 2.0, 10.0, 21.0], _right
    # what each child would do again
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


def trial(random: Random, folder: Path) -> str:
    _write_network()
    root = folder / "above" / "cache"
    here = root / next(iter(_warm)).parent
    here.mkdir(parents=True)
    for each in (root.parent, root, here):
        each.chmod(0o700)
    for name, content in _warm.items():
        _write(root / name, content)
    return random.choice([*[_files] * 30, _folders, _processes])(random, root, here)


def _files(random: Random, root: Path, here: Path) -> str:
    """Some files are damaged."""
    for path in random.sample(sorted(here.iterdir()), random.choice([1, 1, 1, 2, 3])):
        damage = random.choice(_DAMAGES)
        damage(random, path)
    for name, content in _warm.items():
        found = cache.load(here, name.name)
        if found is not None and not content.endswith(found):
            raise Failed(f"{name}: not what was stored")
    label = damage.__name__[1:].replace("_", " ")
    if random.random() >= _COMPUTED:
        return label
    _ended(_fork(root, _check_numbers))
    _check_whole(here)
    return f"{label}, computed"


def _folders(random: Random, root: Path, here: Path) -> str:
    """Others could write to the cache: what it holds are bombs."""
    for name in _warm:
        cache.store(here, name.name, _bomb())
    opened = random.choice([here, root, root.parent])
    way = random.choice(["mode", "owner", "link"])
    if way == "owner" and os.getuid() == 0:
        os.chown(opened, 54321, -1)
    elif way == "link":
        shared = root.parents[1] / "shared"
        shared.mkdir()
        os.replace(opened, shared / "moved")
        opened.symlink_to(shared / "moved")
        shared.chmod(0o777)
    else:
        opened.chmod(random.choice([0o770, 0o707, 0o777, 0o702, 0o720]))
    _ended(_fork(root, _check_few_numbers))
    return f"others' by {way}"


def _processes(random: Random, root: Path, here: Path) -> str:
    """Code is missing, and several processes make it at once, or are killed at it, or have no room
    for it on the disk."""
    for path in random.sample(_needed(here), random.choice([1, 2])):
        path.unlink()
    way = random.choice(["at once", "killed", "no room"])
    if way == "no room":
        _ended(_fork(root, _check_numbers, room=random.choice([0, 1, 100, 5000])))
        return way
    children = [_fork(root, _check_numbers) for _ in range(random.choice([1, 2]))]
    if way == "killed":
        time.sleep(random.choice([0.02, 0.1, 0.3]) * random.random())
        for pid, _ in children:
            os.kill(pid, signal.SIGKILL)
        (here / f".{children[0][0]}-left.part").write_bytes(random.randbytes(100))
    for child in children:
        _ended(child, may_be_killed=way == "killed")
    random.choice(_needed(here)).unlink(missing_ok=True)
    _ended(_fork(root, _check_numbers))
    _check_whole(here)
    return way


def _write_network() -> None:
    """Into the current folder, in which _compute looks for it."""
    numbers = np.random.default_rng(1).normal(size=3 + 3 * 2 * 9).astype("<f4")
    Path("net.cfg").write_text(_CFG)
    Path("net.weights").write_bytes(struct.pack("<iiiq", 0, 2, 0, 0) + numbers.tobytes())


def _write(path: Path, content: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(content)


def _needed(here: Path) -> list[Path]:
    """What each process loads: the code of the kernel that another calls is in that one's, too."""
    return [here / name.name for name in _warm if not name.name.startswith("cache.halve-")]


def _check_whole(here: Path) -> None:
    """All is there again, and nothing else."""
    for path in _needed(here):
        if cache.load(here, path.name) is None:
            raise Failed(f"{path.name}: not made again")
    if left := {path.name for path in here.iterdir()} - {name.name for name in _warm}:
        raise Failed(f"left in the cache: {left}")


def _flip(random: Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(random.choice([1, 1, 2, 8])):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


def _overwrite(random: Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    start, length = random.randrange(len(content)), random.choice([1, 16, 512, 4096])
    piece = content[start : start + length]
    piece[:] = random.choice([bytes(len(piece)), random.randbytes(len(piece)), piece[::-1]])
    content[start : start + length] = piece
    path.write_bytes(content)


def _cut(random: Random, path: Path) -> None:
    length = path.stat().st_size
    os.truncate(path, random.choice([0, 1, 31, 32, 33, length - 1, random.randrange(length)]))


def _lengthen(random: Random, path: Path) -> None:
    path.write_bytes(path.read_bytes() + random.choice([b"\0", b"\n", random.randbytes(4096)]))


def _huge(random: Random, path: Path) -> None:
    os.truncate(path, 1 << random.choice([27, 33, 42]))


def _exchange(random: Random, path: Path) -> None:
    other = random.choice(sorted(path.parent.iterdir()))
    if other != path and other.is_file():
        path.write_bytes(other.read_bytes()[: 1 << 20])


def _nonsense(random: Random, path: Path) -> None:
    path.write_bytes(random.randbytes(random.choice([1, 32, 33, 1000])))


def _bomb_without_digest(random: Random, path: Path) -> None:
    path.write_bytes(random.choice([b"", random.randbytes(32), path.read_bytes()[:32]]) + _bomb())


def _bomb_of_others(random: Random, path: Path) -> None:
    """Whole, but others could have written it."""
    cache.store(path.parent, path.name, _bomb())
    if os.getuid() == 0 and random.random() < 0.5:
        os.chown(path, 54321, -1)
    else:
        path.chmod(random.choice([0o620, 0o602, 0o666]))


def _bomb_by_link(random: Random, path: Path) -> None:
    other = path.parents[2] / f"bomb {path.name}"
    cache.store(path.parent, path.name, _bomb())
    os.replace(path, other)
    path.symlink_to(random.choice([other, Path("..", "..", other.name)]))


def _odd_file(random: Random, path: Path) -> None:
    path.unlink()
    kind = random.choice(["missing", "folder", "pipe", "dangling link", "link to itself", "device"])
    if kind == "folder":
        (path / "in it").mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind in ("dangling link", "link to itself"):
        path.symlink_to(path.name if kind == "link to itself" else "nowhere")
    elif kind == "device":
        path.symlink_to("/dev/zero")


def _unreadable(random: Random, path: Path) -> None:
    if os.getuid() == 0:  # who can read it all the same
        path.write_bytes(b"")
    path.chmod(random.choice([0o000, 0o200]))


_DAMAGES: list[Callable[[Random, Path], None]] = [
    *[_flip] * 8,
    *[_overwrite] * 3,
    *(_cut, _cut, _lengthen, _huge, _exchange, _nonsense),
    *(_bomb_without_digest, _bomb_of_others, _bomb_by_link, _odd_file, _unreadable),
]


class _Bomb:
    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return os._exit, (_BOMB,)


def _bomb() -> bytes:
    return pickle.dumps(_Bomb())


def _compute_few() -> list[float]:
    """By numba's way and that of kernels with an address."""
    x = np.arange(3.0)
    results = [float(halve_all(x)), *x.tolist()]
    for each in (add, multiply):
        a, b = np.array([3]), np.array([7])
        row = np.array([a.ctypes.data, b.ctypes.data])
        assert _ROW(each.address())(0, 1, row.ctypes.data) == 0
        results.append(float(a[0]))
    return results


def _compute() -> list[float]:
    """And by a network's kernels."""
    net = load_network("net.cfg", "net.weights", device="cpu")
    pictures = np.random.default_rng(1).random((1, 2, 6, 6), np.float32)
    return [*_compute_few(), *net.predict(pictures).ravel().tolist()]


def _write_numbers() -> None:
    Path("right").write_text(json.dumps(_compute()))


def _check_few_numbers() -> None:
    found = _compute_few()
    assert found == _right[0][: len(found)], found


def _check_numbers() -> None:
    found = _compute()
    assert found == _right[0], found


def _fork(root: Path, work: Callable[[], None], room: int | None = None) -> tuple[int, int]:
    """Starts a process that does some work with a cache, in which no file may be longer than
    `room`; and a pipe, from which comes what it says at its end."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_child(root, work, room, write)
    os.close(write)
    return pid, read


def _be_child(root: Path, work: Callable[[], None], room: int | None, write: int) -> NoReturn:
    code = 1
    try:
        os.environ[cache.CACHE_VARIABLE] = str(root)
        cache.folder.cache_clear()
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the parent hears of it
        os.write(write, traceback.format_exc(limit=-8).encode())
    finally:
        os._exit(code)


def _ended(child: tuple[int, int], may_be_killed: bool = False) -> None:
    pid, read = child
    with open(read, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code != 0 and not (may_be_killed and code == -signal.SIGKILL):
        raise Failed("a bomb went off" if code == _BOMB else f"exit code {code}: {said}")
