"""Training by several processes of this machine, one a device: one leads, the others follow.

The leader, process 0, trains as if it were alone, and alone validates and saves. Before each batch
it tells the others to compute their parts; the network exchanges the results (network/parallel.py).
A follower that fails sends a line, and one that finds its leader gone ends.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import DarknetError, TrainingError
from darknet_py.images import Batch, Dataset
from darknet_py.network import Network
from darknet_py.network.model import Communicator
from darknet_py.network.parallel import check_divisible
from darknet_py.tasks import plateau
from darknet_py.tasks.checkpoint import start
from darknet_py.tasks.initialization import Initialization, begin
from darknet_py.tasks.run import Options, Run, Source, never
from darknet_py.tasks.run_cfg import same_kind
from darknet_py.tasks.train import loader_of, train_batch

_READY = ""
_PATIENCE = 20
"""Seconds that a process is given to end."""


class Rendezvous(Protocol):
    """Where processes find one another: ops.gpu.nccl has one. It can be pickled."""

    @property
    def devices(self) -> list[str]: ...

    def join(self, rank: int, watch: Callable[[], None]) -> Communicator: ...


@dataclass(frozen=True)
class Job:
    """What a follower needs to be as the leader is. exact, half: of its network."""

    cfg: str
    data: Dataset
    options: Options
    initialization: Initialization
    rendezvous: Rendezvous
    exact: bool = False
    half: bool = False
    sections: str | None = None
    """The text of its cfg, where it is another than in the file."""


class Team:
    """The followers, for the leader; to be used with `with`: they end with it.

    Raises CfgError for a batch that cannot be shared, and TrainingError for a follower that ended.
    """

    def __init__(self, net: Network, job: Job) -> None:
        devices = job.rendezvous.devices
        check_divisible(net, len(devices))
        self.size = len(devices)
        self._net, self._meeting = net, job.rendezvous
        job = replace(job, options=replace(job.options, stop=never))
        context = multiprocessing.get_context("spawn")
        self._followers: list[tuple[str, BaseProcess, Any]] = []
        with _without_ctrl_c():
            for rank in range(1, self.size):
                mine, theirs = context.Pipe()
                process = context.Process(target=follow, args=(rank, job, theirs), daemon=True)
                process.start()
                theirs.close()
                self._followers.append((devices[rank], process, mine))

    def __enter__(self) -> Team:
        with ExitStack() as until_all_are_there:
            until_all_are_there.callback(self.__exit__)
            for device, process, connection in self._followers:
                wait([connection, process.sentinel])
                self._hear(device, process, connection)
            self.go()
            self._net.communicator = self._meeting.join(0, self.watch)
            until_all_are_there.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        for _, _, connection in self._followers:
            connection.close()
        for _, process, _ in self._followers:
            process.join(_PATIENCE)
            process.kill()
        self._net.communicator = None

    def go(self) -> None:
        """Tells the followers to go on."""
        self.watch()
        for device, process, connection in self._followers:
            try:
                connection.send(_READY)
            except OSError:
                self._hear(device, process, connection)

    def lead(self, source: Source) -> Source:
        """A source whose batches the whole team computes."""
        return SharedSource(source, self)

    def watch(self) -> None:
        """Raises TrainingError where a follower has ended."""
        for device, process, connection in self._followers:
            if connection.poll() or not process.is_alive():
                self._hear(device, process, connection)

    def _hear(self, device: str, process: BaseProcess, connection: Any) -> None:
        try:
            said = connection.recv()
        except (EOFError, OSError) as error:
            process.join(_PATIENCE)
            ended = f"has ended with exit code {process.exitcode}"
            raise TrainingError(f"the process of {device} {ended}: the training stops") from error
        if said != _READY:
            raise TrainingError(f"{device}: {said}")


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Processes begun in here never see Ctrl-C: it is the leader's to answer, who sees it after."""
    if sys.platform == "win32" or not hasattr(signal, "pthread_sigmask"):
        yield  # they see it too, and end
        return
    resource_tracker.ensure_running()  # which would let it through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class SharedSource:
    """A source whose batches the whole team computes."""

    def __init__(self, source: Source, team: Team) -> None:
        self._source, self._team = source, team
        self.paths, self.untold = source.paths, source.untold

    @property
    def waited(self) -> float:
        return self._source.waited

    def batches(self, start: int = 0) -> Generator[Batch]:
        for batch in self._source.batches(start):
            self._team.go()
            yield batch


class _Leader:
    """The leader, for a follower. EOFError or OSError: it has gone, as it does in the end."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._told = 0

    def wait(self) -> None:
        """Until it says to go on."""
        if self._told:
            self._told -= 1
        else:
            self.connection.recv()

    def watch(self) -> None:
        """It may be ahead, and have said so already."""
        while self.connection.poll():
            self.connection.recv()
            self._told += 1


def follow(rank: int, job: Job, connection: Any) -> None:
    """What another process does, until its leader goes."""
    leader = _Leader(connection)
    try:
        device = job.rendezvous.devices[rank]
        net = Network.from_cfg(job.cfg, device, exact=job.exact, half=job.half)
        if job.sections is not None:
            net = same_kind(net, parse_sections(job.sections, job.cfg))
        progress = begin(net, job.options, job.initialization) or start(net, job.options)
        part = rank, len(job.rendezvous.devices)
        source = loader_of(net, job.data, job.options, progress, part)
        run = Run(net, source, len(job.data), None, job.options, progress)
        plateau.begin(net)
        connection.send(_READY)
        leader.wait()
        net.communicator = job.rendezvous.join(rank, leader.watch)
        _follow(run, leader)
    except (EOFError, ConnectionError):
        return
    except DarknetError as error:
        with suppress(ConnectionError):
            connection.send(str(error))


def _follow(run: Run, leader: _Leader) -> None:
    for batch in run.source.batches(run.net.batch_num):
        leader.wait()
        for _ in train_batch(run, batch):
            pass
