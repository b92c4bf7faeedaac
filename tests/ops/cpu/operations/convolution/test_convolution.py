"""What kernels read of a map lies in it: beyond its memory is a page that nobody may touch."""

from __future__ import annotations

from tests.support.processes import run_python

CODE = """
from random import Random
from types import SimpleNamespace
from unittest import mock
import numpy as np
from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network
from darknet_py.ops.cpu.runtime import engine
from scripts.trials.guards import Guards

cpu = devices.for_device("cpu")
for number, (h, w, c, size, padding) in enumerate(SHAPES * 4):
    text = (
        f"[net]\\nbatch=2\\nheight={h}\\nwidth={w}\\nchannels={c}\\n"
        f"[convolutional]\\nfilters=32\\nsize={size}\\npadding={padding}\\nactivation=leaky\\n"
        "[avgpool]\\n[softmax]\\n"
    )
    guards = Guards(Random(number))
    ops = SimpleNamespace(**{name: getattr(cpu, name) for name in cpu.__all__})
    ops.array = guards.copy
    one = mock.patch.object(engine, "thread_count", return_value=1)
    with one, guards.around_programs():
        net = Network(parse_sections(text), "my.cfg", ops)
        net.initialise(1)
        x = guards.copy(np.random.default_rng(0).random((2, c, h, w), np.float32))
        net.predict(x)
        net.image_delta(x, 0, 0.0)
        net.train_step(x, np.eye(32, dtype=np.float32)[:2])
print("whole")
"""


def test_tiles_that_reach_beyond_the_last_row() -> None:
    """Widths that tiles do not divide, with no border that they could reach into."""
    shapes = [(4, 17, 32, 3, 0), (8, 17, 48, 3, 0), (6, 19, 64, 3, 0), (10, 21, 32, 3, 0)]
    shapes += [(4, 17, 32, 3, 1), (9, 9, 32, 5, 0), (5, 7, 32, 2, 0)]
    assert run_python(f"SHAPES = {shapes}\n{CODE}") == "whole\n"
