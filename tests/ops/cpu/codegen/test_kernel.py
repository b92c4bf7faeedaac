from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from darknet_py.ops import cache, notices
from darknet_py.ops.cpu.codegen import kernel as kernels
from darknet_py.ops.cpu.codegen.emit import load_i64, store_i64
from darknet_py.ops.cpu.codegen.kernel import TensorView, kernel
from tests.support.kernels import address, run
from tests.support.processes import run_python, start_python


@kernel
def subtract(thread: int, threads: int, x: int, y: int) -> None:
    store_i64(x, load_i64(x) - load_i64(y))


@kernel
def put_row(thread: int, threads: int, x: TensorView, to: int) -> None:
    store_i64(to, x.h)
    store_i64(to + 8, x.row)


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache that is empty."""
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path))
    cache.folder.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    cache.folder.cache_clear()
    notices.when_compiling(None)


def test_a_step_is_the_address_and_the_arguments_in_order() -> None:
    assert subtract.step(y=2, x=1) == [subtract.address(), 1, 2]
    with pytest.raises(AssertionError):
        subtract.step(x=1)
    with pytest.raises(AssertionError):
        subtract.step(x=1, y=2, z=3)


def test_names() -> None:
    assert subtract.name == "test_kernel.subtract"


def test_several_threads_ask_for_an_address() -> None:
    def same(thread: int, threads: int, x: int, y: int) -> None:
        store_i64(x, load_i64(x) - load_i64(y))

    asked = kernel(same)
    addresses: list[int] = []
    threads = [threading.Thread(target=lambda: addresses.append(asked.address())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(addresses) == 4
    assert len(set(addresses)) == 1


SCRIPT = """
import sys, numpy as np
from darknet_py.ops import notices
from tests.ops.cpu.codegen.test_kernel import subtract
from tests.support.kernels import address, run

notices.when_compiling(lambda is_kept: print("compiling", is_kept))
x, y = np.array([7]), np.array([3])
run(subtract, x=address(x), y=address(y))
print(x[0], "numba" in sys.modules)
"""


def test_the_second_process_compiles_nothing(tmp_path: Path) -> None:
    where = {cache.CACHE_VARIABLE: str(tmp_path)}
    assert run_python(SCRIPT, **where).split() == ["compiling", "True", "4", "True"]
    assert run_python(SCRIPT, **where).split() == ["4", "False"]
    # a damaged file is made anew
    (path,) = tmp_path.rglob("test_kernel.subtract-*")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert run_python(SCRIPT, **where).split() == ["compiling", "True", "4", "True"]
    assert run_python(SCRIPT, **where).split() == ["4", "False"]


def test_two_processes_compile_at_once(tmp_path: Path) -> None:
    both = [start_python(SCRIPT, **{cache.CACHE_VARIABLE: str(tmp_path)}) for _ in range(2)]
    for process in both:
        out, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
        assert out.split()[-2] == "4"
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.glob("test_kernel.subtract-*"))) == len(list(folder.iterdir())) == 1


def test_where_nothing_can_be_kept(tmp_path: Path) -> None:
    """Neither in a home nor anywhere else: a file, as root may write into any folder."""
    (tmp_path / "file").touch()
    where = {cache.CACHE_VARIABLE: str(tmp_path / "file")}
    for _ in range(2):
        assert run_python(SCRIPT, **where).split() == ["compiling", "False", "4", "True"]


def test_is_said_before_the_first_kernel_alone(own_cache: Path) -> None:
    said: list[bool] = []
    notices.when_compiling(said.append)
    for _ in range(2):
        kernels.object_code("test.subtract", subtract.function, [None, None])
    kernels.object_code("test.other", subtract.function, [None, None])
    assert said == [True]
    names = {path.name.partition("-")[0] for path in own_cache.rglob("*-*")}
    assert names == {"test.subtract", "test.other"}
    notices.when_compiling(said.append)
    kernels.object_code("test.subtract", subtract.function, [None, None])
    assert said == [True]


FORK = """
import os, sys, threading, time
from darknet_py.ops.cpu.codegen import kernel as kernels
from tests.ops.cpu.codegen.test_kernel import subtract

def compiles_for_long():
    with kernels._lock:
        held.set()
        time.sleep(0.3)

held = threading.Event()
threading.Thread(target=compiles_for_long).start()
held.wait()
child = os.fork()
if child == 0:
    os._exit(0 if subtract.address() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_a_fork_while_another_thread_compiles() -> None:
    run_python(FORK)


def test_what_it_computes() -> None:
    x, y = np.array([7]), np.array([3])
    run(subtract, x=address(x), y=address(y))
    assert x[0] == 4


def test_a_descriptor_is_so_many_columns_of_a_row() -> None:
    x = TensorView(address(np.zeros(1)), 2, 3, 4, 5, 1, 60, 20, 5)
    assert put_row.step(x=x, to=7) == [put_row.address(), *x, 7]
    with pytest.raises(AssertionError):
        put_row.step(x=7, to=7)
    out = np.zeros(2, np.int64)
    run(put_row, x=x, to=address(out))
    assert out.tolist() == [3, 20]
