"""darknet train -gpus: processes of the CPU stand in for GPUs, and a stand-in for one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from darknet_py.network.state_file import reading_state
from tests.cli.conftest import Run
from tests.cli.test_train import Task
from tests.ops.cuda_on_cpu import compiler
from tests.ops.cupy_stand_in import cupy_replaced, make_cupy
from tests.support.processes import ROOT
from tests.support.shapes import CFG, draw_shapes

SECONDS = 30
"""That something may take which takes one."""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shapes(tmp_path_factory.mktemp("data") / "shapes", 8)


@pytest.fixture
def task(shapes: Path, tmp_path: Path) -> Task:
    cfg = tmp_path / "shapes.cfg"
    cfg.write_text(CFG)
    return Task(shapes, cfg, tmp_path / "backup")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("-gpus", "0,1,0"), 2, "names a GPU twice: 0,1,0"),
        (("-gpus", "0,"), 2, "expected numbers of GPUs, as in 0,1"),
        (("--gpus", "0,1", "--device", "cpu"), 2, "leave out --device cpu"),
        (("-gpus", "1,4"), 1, "darknet: no such GPU: gpu:4: this machine has gpu:0, gpu:1"),
        (("-gpus", "4"), 1, "darknet: no such GPU: gpu:4: this machine has gpu:0, gpu:1"),
    ],
)
def test_gpus_that_cannot_be(
    darknet: Run, task: Task, options: tuple[str, ...], code: int, message: str
) -> None:
    with cupy_replaced(make_cupy(devices=2)):
        result = darknet("train", *task.words, "-q", *options)
    assert result.code == code
    assert message in result.err
    assert not task.backup.exists()


@pytest.mark.skipif(compiler() is None, reason="needs a C++ compiler, which stands in for a GPU's")
def test_one_gpu_that_is_not_the_first(darknet: Run, task: Task, tmp_path: Path) -> None:
    """All of it is done there, and gives what a CPU does."""
    cupy = make_cupy(devices=2)
    words = *task.words, "--max-iter", 3
    with cupy_replaced(cupy):
        code, out, err = darknet("train", *words, "-gpus", "1")
    assert code == 0, err
    assert [line.split(",")[0] for line in out.splitlines()] == ["1", "2", "3"]
    assert set(cupy.cuda.Device.used) == {1}
    found = np.frombuffer((task.backup / "shapes.weights").read_bytes()[20:], "<f4")
    assert darknet("train", *words, "--overwrite", "--device", "cpu").code == 0
    expected = np.frombuffer((task.backup / "shapes.weights").read_bytes()[20:], "<f4")
    np.testing.assert_allclose(found, expected, 0, 1e-5)


ON_CPUS = """
import sys
from dataclasses import replace

import darknet_py.ops
from darknet_py.__main__ import main
import darknet_py.cli
from darknet_py.cli.options import read_network
from tests.support.rendezvous import SocketRendezvous

rendezvous, *words = sys.argv[1:]
train = sys.modules["darknet_py.cli.train"]  # the package has a command of the module's name
train.read_network = lambda cfg, chosen: read_network(cfg, replace(chosen, device="cpu"))
darknet_py.ops.gpu_rendezvous = lambda numbers: SocketRendezvous(rendezvous, len(numbers))
sys.argv[1:] = words
main()
"""
"""The command line, with a process of the CPU for each GPU."""


class Group:
    """A training by several processes, which are one group, as a shell has them."""

    def __init__(self, task: Task, *more: object) -> None:
        words = *task.words, "--max-iter", 100_000, *more
        self.rendezvous = task.backup.parent / "rendezvous"
        code = [sys.executable, "-W", "ignore", "-c", ON_CPUS]
        self.leader = subprocess.Popen(
            [*code, str(self.rendezvous), "train", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # what is read ahead of a line, communicate does not give
            cwd=ROOT,
            start_new_session=True,
        )

    def line(self) -> str:
        """The next one of its results."""
        assert self.leader.stdout
        found = self.leader.stdout.readline()
        assert found
        return found.decode()

    def interrupt(self) -> None:
        """Ctrl-C, which a terminal sends to all of them."""
        os.killpg(self.leader.pid, signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """The leader's exit code, and what it and the others have said, once none of them is
        left."""
        out, err = self.leader.communicate(timeout=SECONDS)
        until(lambda: not self.is_there())
        return self.leader.returncode, out.decode(), err.decode()

    def is_there(self) -> bool:
        """Whether one of them runs."""
        try:
            os.killpg(self.leader.pid, 0)
        except ProcessLookupError:
            return False
        return True


@pytest.fixture
def start(task: Task) -> Iterator[Callable[..., Group]]:
    groups: list[Group] = []

    def started(*more: object) -> Group:
        groups.append(Group(task, *more))
        return groups[-1]

    yield started
    for group in groups:
        if group.is_there():
            os.killpg(group.leader.pid, signal.SIGKILL)
        group.leader.wait()


def until(is_so: Callable[[], bool]) -> None:
    """Waits for it."""
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs groups of processes")
STOPPING = "stopping after this batch; Ctrl-C again leaves at once"


def seen(task: Task) -> int:
    """The batches that the state in the backup folder has seen."""
    with reading_state(task.backup / "shapes.state") as state:
        return int(state.header["seen"]) // 12


def test_several_gpus(darknet: Run, task: Task, start: Callable[..., Group]) -> None:
    """Ctrl-C ends them all as it ends one process, and keeps the state."""
    group = start("-gpus", "0,1", "--ema", "0.9")
    assert group.line().startswith("1, ")
    group.interrupt()
    code, out, err = group.end()
    assert (code, err.count(STOPPING)) == (130, 1), err
    assert "MB on each GPU\n" in err
    assert "Traceback" not in err
    batches = [1, *(int(line.split(",")[0]) for line in out.splitlines())]
    assert batches == list(range(1, seen(task) + 1))
    code, out, err = darknet("train", *task.words, "--max-iter", len(batches) + 1, "--resume")
    assert (code, out.split(",")[0]) == (0, str(len(batches) + 1)), err


def test_ctrl_c_while_processes_begin(task: Task, start: Callable[..., Group]) -> None:
    group = start("-gpus", "0,1")
    until(task.backup.exists)  # the next thing is to begin them
    time.sleep(0.2)
    group.interrupt()
    code, _, err = group.end()
    assert (code, err.count(STOPPING)) == (130, 1), err
    assert "Traceback" not in err
    assert seen(task) == 1


def test_ctrl_c_twice_leaves_at_once(task: Task, start: Callable[..., Group]) -> None:
    group = start("-gpus", "0,1")
    assert group.line().startswith("1, ")
    group.interrupt()
    assert group.leader.stderr
    while STOPPING not in (line := group.leader.stderr.readline().decode()):
        assert line
    group.interrupt()
    code, _, err = group.end()
    assert code == 130
    assert "Traceback" not in err
    assert (task.backup / "shapes.state").exists()


def test_a_leader_that_is_killed_leaves_nobody(start: Callable[..., Group]) -> None:
    group = start("-gpus", "0,1")
    assert group.line().startswith("1, ")
    group.leader.kill()
    code, _, err = group.end()
    assert code == -signal.SIGKILL
    assert "Traceback" not in err
