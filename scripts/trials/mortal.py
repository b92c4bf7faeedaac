"""Commands that die in the midst of what they do, and what they have left in the end.

A command runs in a fork of a process that has loaded all that it needs, so that a thousand of them
take minutes. There every place where a file is about to change is a seam: a command can be made to
die at any of them, as by SIGKILL, or to get another signal there.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from darknet_py.cli import main
from darknet_py.network.state_file import reading_state

_EVENTS = {
    *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink"),
    *("os.truncate", "os.chmod"),
}
_WRITES = os.O_WRONLY | os.O_RDWR
HIDDEN = ".darknet"
"""The prefix of temporary files."""


class Ended(NamedTuple):
    """How a command ended: its exit code, or minus the signal that it died of; what it said; how
    many seams it came to, 0 where it died."""

    code: int
    out: str
    err: str
    seams: int


def run(
    words: Sequence[object],
    at: int = 0,
    signals: Sequence[int] = (signal.SIGKILL,),
    prepare: Callable[[], None] = lambda: None,
    copies: Path | None = None,
) -> Ended:
    """Runs `darknet WORDS` in this folder.

    at: the seam at which it gets the signals, from 1; 0: at none. prepare: called in the process
    before. copies: a folder that gets a copy of this one from each seam at which it is not what it
    was at the one before: what a process that is killed there would leave.
    """
    folder = Path.cwd()
    read, write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of other threads: they do nothing
        pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.close(read)
            code = _live(words, at, signals, prepare, copies, folder, write)
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as said:
        seams = int(said.read() or 0)
    _, status = os.waitpid(pid, 0)
    out, err = ((folder.parent / name).read_text() for name in ("out", "err"))
    return Ended(os.waitstatus_to_exitcode(status), out, err, seams)


def _live(
    words: Sequence[object],
    at: int,
    signals: Sequence[int],
    prepare: Callable[[], None],
    copies: Path | None,
    folder: Path,
    write: int,
) -> int:
    """The life of a forked process: its exit code."""
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(folder.parent / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    signal.signal(signal.SIGINT, signal.default_int_handler)
    prepare()
    sys.argv = ["darknet", *map(str, words)]
    seams = Seams(folder, at, signals, copies)
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - whatever it is, the process ends here, and says it
        sys.excepthook(*sys.exc_info())
    if copies is not None:  # and one from the end, when its locks are let go of
        seams.copy()
    seams.off = True
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(write, str(seams.count).encode())
    return code


class Seams:
    """Counts the places where a file in a folder is about to change, from now on in this process,
    and sends it signals at one of them."""

    def __init__(self, folder: Path, at: int, signals: Sequence[int], copies: Path | None) -> None:
        self._folder, self._at, self._signals, self._copies = str(folder), at, signals, copies
        self.count = self._copied = 0
        self._before = b""
        self.off = False
        self._fsync, vars(os)["fsync"] = os.fsync, self._synced
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.off:
            return
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES and not isinstance(path, int):
                self._seam(path)
        elif event in _EVENTS:
            self._seam(arguments[0])

    def _synced(self, number: int) -> None:
        self._seam(number)
        self._fsync(number)

    def _seam(self, path: object) -> None:
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        if not isinstance(path, str | bytes | os.PathLike):
            return
        if not os.path.abspath(os.fsdecode(path)).startswith(f"{self._folder}{os.sep}"):
            return
        self.count += 1
        self.copy()
        if self.count == self._at:
            for number in self._signals:
                os.kill(os.getpid(), number)

    def copy(self) -> None:
        """What is in the folder now, where it is not what it was the last time."""
        if self._copies is not None:
            self.off = True
            now = _look_of(self._folder)
            if now != self._before:
                self._copied += 1
                shutil.copytree(self._folder, self._copies / f"{self._copied:04}")
            self._before = now
            self.off = False


def _look_of(folder: str) -> bytes:
    """A digest of all that is in a folder, but for the drawn part of names."""
    digest = blake2b()
    found = []
    for place, folders, names in os.walk(folder):
        found += [(f"{place}/{name}", b"") for name in folders]
        for name in names:
            with open(f"{place}/{name}", "rb") as file:
                shown = name if not name.startswith(HIDDEN) else HIDDEN
                found.append((f"{place}/{shown}", file.read()))
    for path, content in sorted(found):
        digest.update(path.encode() + b"\0" + content + b"\0")
    return digest.digest()


def results(folder: Path) -> dict[str, Any]:
    """What a training has left, by the names of files, as another run of it must leave it too."""
    return {
        str(path.relative_to(folder)): _content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _content(path: Path) -> object:
    if path.suffix == ".state":
        return _state(path)
    if path.name.endswith("metrics.csv"):
        return _rows(path)
    if path.name.endswith("chart.png"):
        return "a chart"
    if path.name == "prepared.json":
        return "a digest of where the pictures lie"
    return path.read_bytes()


def _state(path: Path) -> object:
    """All but what tells runs apart; of the arrays their digest, which is in the header."""
    with reading_state(path) as reader:
        reader.header["notes"].pop("run")
        return reader.header, reader.read(reader.left)


def _rows(path: Path) -> object:
    """All but how long each batch took."""
    rows = list(csv.reader(io.StringIO(path.read_text())))
    place = rows[0].index("seconds")
    return [[*row[:place], *row[place + 1 :]] for row in rows]


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """The names of files that differ, and how, in a word."""
    lines = [f"{name}: missing" for name in sorted(expected.keys() - found.keys())]
    lines += [f"{name}: too many" for name in sorted(found.keys() - expected.keys())]
    shared = found.keys() & expected.keys()
    for name in sorted(name for name in shared if found[name] != expected[name]):
        detail = ""
        if name.endswith("metrics.csv"):
            batches = [[row[0] for row in each[name]] for each in (found, expected)]
            detail = f": batches {batches[0]}, not {batches[1]}"
        elif name.endswith(".state"):
            headers = [each[name][0] for each in (found, expected)]
            detail = f": {headers[0]['notes']}, not {headers[1]['notes']}"
        lines.append(f"{name}: differs{detail}"[:600])
    return lines
