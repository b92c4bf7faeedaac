"""Memory of programs: given back with them, and before them where another one needs it."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network
from tests.ops.gpu.test_engine import CFG, memory, networks, pictures, programs

ALL = 1 << 30
Y = np.eye(5, dtype=np.float32)[[0, 1, 2, 3]]


def taken(gpu: ModuleType) -> int:
    return ALL - int(memory(gpu).free)


def test_memory_goes_back_with_a_program(gpu: ModuleType, tmp_path: Path) -> None:
    _, there = networks(gpu, tmp_path)
    for _ in range(3):
        there.predict(pictures(4))
    assert programs(there)[0].is_graph
    assert taken(gpu) > 4 * 3 * 12 * 12 * 4
    there.changed()
    assert taken(gpu) == 0


def test_memory_goes_back_with_a_network(gpu: ModuleType, tmp_path: Path) -> None:
    _, there = networks(gpu, tmp_path)
    there.predict(pictures(4))
    del there
    gc.collect()
    assert taken(gpu) == 0


def test_training_and_looking_take_no_more_with_time(gpu: ModuleType, tmp_path: Path) -> None:
    """Each time parameters move, programs that hold them are made anew."""
    _, there = networks(gpu, tmp_path)
    seen = []
    for _ in range(4):
        there.train_step(pictures(4), Y)
        there.predict(pictures(4))
        seen.append(taken(gpu))
    assert len(set(seen[1:])) == 1


def test_programs_that_are_not_kept_share_their_memory(gpu: ModuleType) -> None:
    text = CFG.replace("[connected]", "[dropout]\nprobability=.3\n[connected]")
    net = Network(parse_sections(text), "test.cfg", gpu)
    net.initialise(0)
    seen = []
    for _ in range(7):
        net.train_step(pictures(4), Y)
        seen.append(taken(gpu))
    # the pool gives blocks whole: until each size has one that is free it may grow a little
    assert len(set(seen[-4:])) == 1
    net.changed()
    assert taken(gpu) == 0


def test_a_program_finds_the_memory_of_others(gpu: ModuleType, tmp_path: Path) -> None:
    here, there = networks(gpu, tmp_path)
    _, other = networks(gpu, tmp_path)
    there.accumulate(pictures(4), Y)
    needed = taken(gpu)
    there.changed()
    there.predict(pictures(1))
    before = taken(gpu)
    other.predict(pictures(64))
    assert taken(gpu) - before > needed
    memory(gpu).free = needed // 4
    assert there.accumulate(pictures(4), Y) == pytest.approx(here.accumulate(pictures(4), Y))
    assert [program.changing for program in programs(there)] == [True]
    assert programs(other) == []


def test_an_engine_at_work_keeps_its_memory(gpu: ModuleType, tmp_path: Path) -> None:
    _, there = networks(gpu, tmp_path)
    there.predict(pictures(1))
    with there.engine._lock:
        thread = threading.Thread(target=gpu.memory.release_unused)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert len(programs(there)) == 1
    gpu.memory.release_unused()
    assert programs(there) == []


def test_other_arrays_find_the_memory_of_programs(gpu: ModuleType, tmp_path: Path) -> None:
    _, there = networks(gpu, tmp_path)
    there.predict(pictures(4))
    held = taken(gpu)
    gpu.use_device(0)
    memory(gpu).free = held // 2
    x = gpu.array(np.zeros(held // 4, np.float32))  # all that the program has
    assert x.size == held // 4
    with pytest.raises(gpu.faults.OutOfMemoryError):
        gpu.array(np.zeros(held, np.float32))


def test_a_pool_knows_that_something_went_back(gpu: ModuleType) -> None:
    memory(gpu).free = 3000
    pool = gpu.memory.Pool()
    block = pool.malloc(2000)
    del block
    pool.begin()
    block = pool.malloc(2000)
    del block
    assert pool.has_all()
    assert pool.has_room(2500)  # for which the 2000 go
    assert not pool.has_all()
    pool.begin()
    assert pool.has_all()
    assert not pool.has_room(4000)


def test_a_graph_is_not_kept_whose_memory_went_back(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = networks(gpu, tmp_path)
    monkeypatch.setattr(gpu.memory.Pool, "has_all", lambda self: False)
    for seed in range(3):
        x = pictures(2, seed)
        np.testing.assert_allclose(there.predict(x), here.predict(x), 0, 1e-5)
    (program,) = programs(there)
    assert not program.is_graph
    assert program.captured == "there is too little memory"


def test_memory_that_ends_while_a_graph_is_made(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = networks(gpu, tmp_path)
    there.predict(pictures(2))
    replay, error = gpu.program.replay, gpu.program.cp.cuda.memory.OutOfMemoryError
    failures = [error("Out of memory\nand more")]

    def short(*given: Any) -> Any:
        if failures:
            raise failures.pop()
        return replay(*given)

    monkeypatch.setattr(gpu.program, "replay", short)
    x = pictures(2, 1)
    np.testing.assert_allclose(there.predict(x), here.predict(x), 0, 1e-5)
    assert programs(there)[0].captured == "Out of memory"


STREAM: Any = None


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (3, 3, 11, 7), (2, 1)])
@pytest.mark.parametrize("order", ["in order", "turned"])
def test_what_is_sent_arrives(
    gpu: ModuleType, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], order: str
) -> None:
    monkeypatch.setattr(gpu.memory, "_PIECE", 100)
    buffer = gpu.memory.StagingBuffer(shape)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.random(shape, np.float32)
        given = np.array(x, order="C" if order == "in order" else "F")
        buffer.send(given, STREAM)
        given[...] = np.nan
        np.testing.assert_array_equal(gpu.to_host(buffer.device), x)


def test_large_arrays_go_in_pieces(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    kind = type(gpu.array(np.zeros(1)))

    def note(self: Any, x: np.ndarray, stream: Any) -> None:
        sizes.append(x.size)

    monkeypatch.setattr(kind, "set", note)
    monkeypatch.setattr(gpu.memory, "_PIECE", 100)
    gpu.memory.StagingBuffer((2, 130)).send(np.ones((2, 130), np.float32), STREAM)
    assert sizes == [100, 100, 60]
