"""Time in proportion to the layers: four times as many take about four times, not sixteen."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from darknet_py import ops
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError
from darknet_py.network import Network
from darknet_py.network import init as draw
from darknet_py.network.builder import build, table
from darknet_py.network.receptive_field import receptive_fields
from darknet_py.ops.cpu.compile.allocate import Memory
from darknet_py.ops.graph import Tracer

HEAD = "[net]\nwidth=4\nheight=4\nchannels=1\n[convolutional]\nfilters=1\nsize=1\n"
SECTIONS = {
    "softmax": "[softmax]\n",
    "convolutional": "[convolutional]\nfilters=1\nsize=1\nbatch_normalize=1\nodd=1\n",
    "shortcut": "[convolutional]\nfilters=1\nsize=1\n[shortcut]\nfrom=-2\n",
    "route": "[route]\nlayers=-1\n",
}


def growth(work: Callable[[int], Callable[[], object]], few: int) -> float:
    """How many times as long 4 * `few` take as `few`, in this process's time; work(n) prepares."""
    times = []
    for n in (few, 4 * few):
        best = float("inf")
        for _ in range(2):
            run = work(n)
            start = time.process_time()
            run()
            best = min(best, time.process_time() - start)
        times.append(best)
    return times[1] / times[0]


@pytest.mark.parametrize("kind", SECTIONS)
def test_building(kind: str) -> None:
    def work(n: int) -> Callable[[], object]:
        text = HEAD + SECTIONS[kind] * n

        def run() -> None:
            layers = build(parse_sections(text), "x").layers
            assert len(table(layers)) > n
            receptive_fields(layers)

        return run

    assert growth(work, 500) < 9


def test_reading_weights(tmp_path: Path) -> None:
    def work(n: int) -> Callable[[], object]:
        cpu = ops.for_device("cpu")
        net = Network(parse_sections(HEAD + SECTIONS["convolutional"] * n), "x", cpu)
        net.initialise(0)
        net.save_weights(tmp_path / "x.weights")
        return lambda: net.load_weights(tmp_path / "x.weights")

    assert growth(work, 500) < 9


def test_laying_out_memory() -> None:
    """Of a training, where all maps live long."""

    def work(n: int) -> Callable[[], object]:
        memory, tracer = Memory(), Tracer(ops.for_device("cpu"))
        maps = [tracer.input((1, 2, 2, 1 + k % 3)) for k in range(n)]
        return lambda: memory.allocate({x: (k, 2 * n - k) for k, x in enumerate(maps)}, maps[:1])

    assert growth(work, 2_000) < 9


def test_memory_is_used_again_as_soon_as_it_can_be() -> None:
    memory, tracer = Memory(), Tracer(ops.for_device("cpu"))
    maps = [tracer.input((1, 2, 2, 1)) for _ in range(6)]
    lives = {x: (k, k + 1) for k, x in enumerate(maps)}
    memory.allocate(lives, maps[:1])
    starts = [memory.allocations[x].start for x in maps]
    assert len(set(starts)) == 3  # the one that is kept, and two in turn
    assert starts.count(starts[0]) == 1
    for k in range(1, 5):
        assert starts[k] != starts[k + 1]
    assert np.isin(starts, starts[:3]).all()


def test_a_route_of_all_that_a_cfg_may_name() -> None:
    text = HEAD + "[route]\nlayers=0" + ",0" * 99_999 + "\n[softmax]\n"
    layers = build(parse_sections(text), "x").layers
    assert layers[1].out_shape.c == 100_000


def test_weights_that_there_is_no_memory_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before one is drawn."""
    monkeypatch.setattr(draw, "available_memory", lambda: 1 << 30)
    text = HEAD + "[connected]\noutput=40000000\n[softmax]\n"
    net = Network(parse_sections(text), "x.cfg", ops.for_device("cpu"))
    with pytest.raises(CfgError) as caught:
        net.initialise()
    assert str(caught.value) == "x.cfg: asks for 2.7 GB of weights, and 1.1 GB of memory are free"
