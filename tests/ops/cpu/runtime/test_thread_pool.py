from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from darknet_py.ops.cpu.codegen.emit import load_i64, store_i64
from darknet_py.ops.cpu.codegen.kernel import kernel
from darknet_py.ops.cpu.runtime import thread_pool as pools
from darknet_py.ops.cpu.runtime import threads as settings
from darknet_py.ops.cpu.runtime.interpreter import ROW
from darknet_py.ops.cpu.runtime.thread_pool import ThreadPool, thread_pool
from tests.support.kernels import address
from tests.support.processes import run_python

Array = np.ndarray


@kernel
def neighbours(thread: int, threads: int, x: int, y: int) -> None:
    """y = x of the next thread, and 1 more: wrong, if the threads do not meet."""
    store_i64(y + 8 * thread, load_i64(x + 8 * ((thread + 1) % threads)) + 1)


@kernel
def busy(thread: int, threads: int, x: int, turns: int) -> None:
    """Takes its time: one or two nanoseconds a turn."""
    number = load_i64(x + 8 * thread)
    for _ in range(turns):
        number = number * number + 1  # which no compiler takes several of at once
    store_i64(x + 8 * thread, number)


@kernel
def note(thread: int, threads: int, x: int, number: int) -> None:
    store_i64(x, 100 * (10 * load_i64(x) + number) + 10 * thread + threads)


class Ring:
    """A program whose result depends on every rendezvous."""

    def __init__(self, members: int, rounds: int = 20) -> None:
        self.x, self.y = np.arange(members), np.zeros(members, np.int64)
        self.table = np.zeros((2 * rounds, ROW // 8), np.int64)
        there = neighbours.step(x=address(self.x), y=address(self.y))
        back = neighbours.step(x=address(self.y), y=address(self.x))
        for i in range(rounds):
            self.table[2 * i, :3], self.table[2 * i + 1, :3] = there, back
        self.job = address(self.table), len(self.table)

    def expected(self, runs: int = 1) -> Array:
        rounds = runs * len(self.table)
        return np.roll(np.arange(len(self.x)), -rounds) + rounds


@pytest.fixture(autouse=True, params=[True, False], ids=["pthreads", "no pthreads"])
def pthreads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How those sleep who have no work."""
    monkeypatch.setattr(pools, "HAS_PTHREADS", request.param)


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """thread_count() reads its variable again."""
    settings.thread_count.cache_clear()
    yield
    monkeypatch.undo()
    settings.thread_count.cache_clear()


@pytest.mark.parametrize("members", [1, 2, 3, 8])
def test_run(members: int) -> None:
    one, ring = ThreadPool(members), Ring(members)
    for runs in range(1, 30):
        one.run(*ring.job)
        np.testing.assert_array_equal(ring.x, ring.expected(runs))
        if runs % 10 == 0:
            time.sleep(0.01)  # the others fall asleep


@pytest.mark.parametrize("members", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 8])
def test_run_alone(members: int, count: int) -> None:
    """Each list in its order, as thread 0 of 1; lists may be of any length, and any number."""
    one = ThreadPool(members)
    x = np.zeros(max(count, 1), np.int64)
    tables, jobs = [], []
    for i in range(count):
        table = np.zeros((2, ROW // 8), np.int64)
        for row in range(2):
            table[row, :3] = note.step(x=address(x[i:]), number=row + 1)
        tables.append(table)
        jobs.append([(address(table), 2), (address(table), 1)][: i % 3])
    one.run_alone(jobs)
    twice = 100 * (10 * 101 + 2) + 1
    assert x[:count].tolist() == [
        [0, twice, 100 * (10 * twice + 1) + 1][i % 3] for i in range(count)
    ]


def test_a_table_without_rows() -> None:
    one = ThreadPool(2)
    one.run(0, 0)
    one.run_alone([[(0, 0)], []])


@pytest.mark.usefixtures("count")
def test_the_process_has_one_of_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    for wanted in ("2", "3", "2"):
        monkeypatch.setenv(settings.THREADS_VARIABLE, wanted)
        settings.thread_count.cache_clear()
        ring = Ring(int(wanted))
        thread_pool().run(*ring.job)
        np.testing.assert_array_equal(ring.x, ring.expected())
        sizes.append(thread_pool())
    assert [one.members for one in sizes] == [2, 3, 2]
    assert sizes[0] is sizes[2]


def test_several_threads_ask_for_the_team() -> None:
    found: list[ThreadPool] = []
    callers = [threading.Thread(target=lambda: found.append(thread_pool())) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_several_callers_take_turns() -> None:
    one, rings = ThreadPool(3), [Ring(3) for _ in range(4)]

    def call(ring: Ring) -> None:
        for _ in range(50):
            one.run(*ring.job)

    callers = [threading.Thread(target=call, args=(ring,)) for ring in rings]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for ring in rings:
        np.testing.assert_array_equal(ring.x, ring.expected(50))


def test_where_the_system_gives_no_more_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that there are do the work of all."""
    start = threading.Thread.start
    for given in (0, 2):
        left = [True] * given

        def start_some(thread: threading.Thread, left: list[bool] = left) -> None:
            if not left:
                raise RuntimeError("can't start new thread")
            left.pop()
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", start_some)
        one, ring = ThreadPool(7), Ring(7)
        for _ in range(5):
            one.run(*ring.job)
        np.testing.assert_array_equal(ring.x, ring.expected(5))
        x = np.zeros(7, np.int64)
        tables = [np.zeros((1, ROW // 8), np.int64) for _ in x]
        for i, table in enumerate(tables):
            table[0, :3] = note.step(x=address(x[i:]), number=1)
        one.run_alone([[(address(table), 1)] for table in tables])
        assert x.tolist() == [101] * 7


def test_python_goes_on_meanwhile() -> None:
    """A run does not hold the interpreter's lock."""
    one, x = ThreadPool(2), np.zeros(2, np.int64)
    table = np.zeros((1, ROW // 8), np.int64)
    table[0, :3] = busy.step(x=address(x), turns=100_000_000)
    caller = threading.Thread(target=one.run, args=(address(table), 1))
    caller.start()
    turns = 0
    while caller.is_alive():
        turns += 1
        time.sleep(0.001)
    assert turns > 10


def test_workers_sleep_between_programs() -> None:
    """They take no time of a core that others want."""
    one, ring = ThreadPool(4), Ring(4)
    one.run(*ring.job)
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - before < 0.1


START = """
import os, sys, threading, time
import numpy as np
from darknet_py.ops.cpu.runtime.thread_pool import thread_pool
from tests.ops.cpu.runtime.test_thread_pool import Ring, ROW, address, busy

def check(runs=20):
    ring = Ring(3)
    for _ in range(runs):
        thread_pool().run(*ring.job)
    return np.array_equal(ring.x, ring.expected(runs))

def long_program(turns):
    x, table = np.zeros(3, np.int64), np.zeros((1, ROW // 8), np.int64)
    table[0, :3] = busy.step(x=address(x), turns=turns)
    return x, table

"""

FORK = (
    START
    + """
assert check()
one = thread_pool()
x, table = long_program(500_000_000)
if sys.argv[1] == "while it runs":
    caller = threading.Thread(target=thread_pool().run, args=(address(table), 1))
    caller.start()
    time.sleep(0.1)
child = os.fork()
if child == 0:
    os._exit(0 if check() and one is thread_pool() else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert check()
print("good")
"""
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
@pytest.mark.parametrize("when", ["between", "while it runs"])
def test_a_fork_has_threads_of_its_own(when: str) -> None:
    out = run_python(FORK, when, **{settings.THREADS_VARIABLE: "3"})
    assert out == "good\n"


INTERRUPT = (
    START
    + """
import _thread, signal
x, table = long_program(30_000_000)
expected, other = long_program(30_000_000)
runs = 0
for delay in (0.0, 0.001, 0.03, 0.06):
    check(1)
    try:
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, max(delay, 1e-4))
        while True:
            thread_pool().run(address(table), 1)
            runs += 1
    except KeyboardInterrupt:
        pass
    assert check()
# all of a program was run, or nothing
steps = 0
while not np.array_equal(x, expected):
    steps += 1
    assert steps <= runs + 4
    thread_pool().run(address(other), 1)
assert steps >= runs
print("good")
"""
)


def test_ctrl_c_leaves_nothing_half_done() -> None:
    assert run_python(INTERRUPT, **{settings.THREADS_VARIABLE: "3"}) == "good\n"


EXIT = (
    START
    + """
assert check()
if sys.argv[1] == "while it runs":
    x, table = long_program(200_000_000)
    threading.Thread(target=thread_pool().run, args=(address(table), 1), daemon=True).start()
    time.sleep(0.05)
print("good")
"""
)


@pytest.mark.parametrize("when", ["between", "while it runs"])
def test_the_end_of_a_process(when: str) -> None:
    assert run_python(EXIT, when, **{settings.THREADS_VARIABLE: "3"}) == "good\n"


def test_a_child_forgets_its_parents_locks() -> None:
    one, ring = pools._ThreadPools(), Ring(2)
    one.of(2).run(*ring.job)
    one._lock.acquire()
    one._pools[2]._lock.acquire()
    one.renew()
    one.of(2).run(*ring.job)
    np.testing.assert_array_equal(ring.x, ring.expected(2))
