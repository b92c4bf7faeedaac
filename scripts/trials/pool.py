"""Processes that run the trials of a kind, and may die of them: what dies or hangs is a failure of
the trial that it was at, and another goes on after it."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import IO

from scripts.trials.results import Failure, Result
from scripts.trials.trial import Kind
from scripts.trials.worker import LOG, OUTPUT, TRIAL, remove

ROOT = Path(__file__).resolve().parents[2]
_BATCH = 0.5
"""Seconds that the trials of one message should take together."""
_LARGEST = 2000
_LOOK = 0.2
"""Seconds between two looks at processes that say nothing."""
_BEGIN = 600
"""Seconds that a process may take to import and prepare."""
_SAID = 40
"""Lines of a dead process's output that are shown."""

_FOLDER = "darknet-torture-"

Show = Callable[[Result], object]
"""Told now and then how far it is."""


class _Process:
    """One worker, and the trials that it was given last."""

    def __init__(self, kind: Kind, seed: int, above: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=above))
        for name in (LOG, OUTPUT):
            (self.folder / name).touch()
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scripts.trials.worker", kind.module, str(seed), self.folder],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # its own group, to be ended with its children; a core a process, on all of them
            start_new_session=True,
            env={
                "DARKNET_NUM_THREADS": "1",
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            },
        )
        self._log = (self.folder / LOG).open("rb")
        self._part = b""
        self.kind = kind
        self.started = False
        self.trials = range(0)
        self.done = 0
        self.given = self.heard = time.monotonic()

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def give(self, trials: range) -> None:
        self.trials, self.done = trials, 0
        self.given = self.heard = time.monotonic()
        if trials:
            assert self._process.stdin is not None
            with suppress(BrokenPipeError):  # it is dead: its end of the other pipe says so
                self._process.stdin.write(b"%d %d\n" % (trials.start, len(trials)))
                self._process.stdin.flush()

    def take(self, result: Result) -> None:
        """What its log says since it was read last."""
        *lines, self._part = (self._part + self._log.read()).split(b"\n")
        for line in lines:
            ended = json.loads(line)
            if "label" in ended:
                result.labels[ended["label"]] += 1
            else:
                number = self.trials[self.done]
                result.failures.append(Failure(number, ended["failed"], ended["trace"]))
            self.done += 1
            self.heard = time.monotonic()

    def left(self) -> range:
        """Trials that it was given and has not ended."""
        return self.trials[self.done :]

    def hangs(self) -> bool:
        limit = self.kind.limit if self.started else _BEGIN
        return time.monotonic() - self.heard > limit

    def end(self, asked: int = signal.SIGKILL) -> str:
        """Ends it with its children; how it came to its end."""
        if asked != signal.SIGKILL and self._process.poll() is None:
            self._process.send_signal(asked)  # faulthandler says where it is
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        return f"signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"exit code {code}"

    def said(self) -> str:
        """The end of what it printed."""
        text = (self.folder / OUTPUT).read_bytes()[-20_000:].decode(errors="replace")
        return "\n".join(text.splitlines()[-_SAID:])

    def remove(self) -> None:
        """What it leaves, once it has ended."""
        for stream in (self._log, self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()
        trial = self.folder / TRIAL
        if trial.exists():
            remove(trial)
        shutil.rmtree(self.folder)


class NotStartedError(Exception):
    """A kind whose process ends before its first trial: nothing can be said of it."""


def run_trials(
    kind: Kind,
    seed: int,
    numbers: range,
    workers: int,
    share: float,
    result: Result,
    show: Show = lambda _result: None,
) -> None:
    """Runs the trials of these numbers, and adds what they come to. share: seconds that they have
    from the first one on, for what a kind prepares may take long, and one always ends."""
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix=f"{_FOLDER}{os.getpid()}-", dir=_above()) as place,
        selectors.DefaultSelector() as selector,
    ):
        pool = _Pool(kind, seed, numbers, Path(place), selector, result)
        try:
            for _ in range(min(workers, len(numbers))):
                pool.start()
            while selector.get_map() and time.monotonic() < pool.until(share):
                wait = max(min(_LOOK, pool.until(share) - time.monotonic()), 0)
                ready = [key.data for key, _ in selector.select(wait)]
                pool.serve(ready)
                result.seconds = time.monotonic() - begun
                show(result)
        except NotStartedError as error:
            what, _, said = str(error).partition("\n")
            result.failures.append(Failure(numbers.start, what, said))
        finally:
            pool.end()
            result.seconds = time.monotonic() - begun


class _Pool:
    """The processes of a kind, and what is left to do."""

    def __init__(
        self,
        kind: Kind,
        seed: int,
        numbers: range,
        folder: Path,
        selector: selectors.BaseSelector,
        result: Result,
    ) -> None:
        self.kind, self.seed, self.folder = kind, seed, folder
        self.selector, self.result = selector, result
        self.todo = numbers
        self.again: list[range] = []
        """What processes that died have left."""
        self.size = 1
        self.first: float | None = None
        """When the first trial was begun."""

    def until(self, share: float) -> float:
        """When it must have ended, as far as can be said yet."""
        if self.first is None or not self.result.trials:
            return inf
        return self.first + share

    def start(self) -> None:
        process = _Process(self.kind, self.seed, self.folder)
        self.selector.register(process.stdout, selectors.EVENT_READ, process)

    def serve(self, ready: Iterable[_Process]) -> None:
        """Gives trials to those that are ready, and buries the dead."""
        answered = set()
        for process in ready:
            answered.add(process)
            process.take(self.result)
            if not os.read(process.stdout.fileno(), 1):
                self._died(process, process.end())
                continue
            if process.trials:
                taken = time.monotonic() - process.given
                wanted = len(process.trials) * _BATCH / max(taken, 1e-6)
                self.size = max(1, min(int(wanted), 2 * self.size, _LARGEST))
            process.started = True
            self.first = self.first or time.monotonic()
            trials = self._next()
            if trials:
                process.give(trials)
            else:
                self._bury(process)
        for key in list(self.selector.get_map().values()):
            process = key.data
            if process not in answered:
                process.take(self.result)
                if process.hangs():
                    process.end(signal.SIGABRT)
                    self._died(process, f"more than {self.kind.limit:g} s")

    def end(self) -> None:
        """Ends all, wherever they are."""
        for key in list(self.selector.get_map().values()):
            key.data.take(self.result)
            self._bury(key.data)

    def _next(self) -> range:
        if self.again:
            return self.again.pop()
        trials, self.todo = self.todo[: self.size], self.todo[self.size :]
        return trials

    def _died(self, process: _Process, how: str) -> None:
        said, left = process.said(), process.left()
        last = process.trials[-1:]
        self._bury(process)
        if not process.started:
            raise NotStartedError(f"its process does not start: {how}\n{said}")
        what = f"its process died: {how}" if left else f"its process died after it: {how}"
        self.result.failures.extend(Failure(at, what, said) for at in (left or last)[:1])
        if left[1:]:
            self.again.append(left[1:])
        if self.again or self.todo:
            self.start()

    def _bury(self, process: _Process) -> None:
        self.selector.unregister(process.stdout)
        process.end()
        process.remove()


def _above() -> str:
    """A folder that is in memory, where there is one: trials write a lot, and nothing is kept."""
    place = "/dev/shm"
    is_there = os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK)
    return place if is_there else tempfile.gettempdir()


def remove_leftovers() -> None:
    """Folders of runs that were killed."""
    for place in Path(_above()).glob(f"{_FOLDER}*"):
        owner = place.name.removeprefix(_FOLDER).partition("-")[0]
        if owner.isdecimal() and place.stat().st_uid == os.getuid() and not _is_alive(int(owner)):
            with suppress(OSError):  # its workers have not all ended: another time
                remove(place)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True
