from __future__ import annotations

from pathlib import Path

from darknet_py.ops.cpu.codegen.loader import entry
from tests.support.processes import run_python

KERNELS = """
from darknet_py.ops.cpu.codegen.emit import load_i64, store_i64
from darknet_py.ops.cpu.codegen.kernel import kernel, part

def make(step):
    @part
    def more(x):
        if x > 1000:
            return more_and_more(x)
        return x + step

    @part
    def more_and_more(x):
        return x * step

    def work(thread, threads, x):
        store_i64(x, more(load_i64(x)))

    return work
"""

COMPILE = (
    KERNELS
    + """
import sys
from pathlib import Path
from darknet_py.ops.cpu.codegen.compiler import compile_kernel
Path(sys.argv[1]).write_bytes(compile_kernel(make(int(sys.argv[2])), sys.argv[3], [None]))
"""
)

LOAD = """
import ctypes, sys
import numpy as np
from pathlib import Path
from darknet_py.ops.cpu.codegen.loader import load
kind = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
functions = [kind(load(name, Path(name).read_bytes())) for name in sys.argv[1:]]
for function in functions * 2:
    x = np.array([1], np.int64)
    row = np.array([x.ctypes.data], np.int64)
    print(function(0, 1, row.ctypes.data), x[0])
assert "numba" not in sys.modules
"""


def test_entries() -> None:
    assert entry("direct.direct_1x1") == "row_direct_direct_1x1"
    assert entry("a-b.<c>") == "row_a_b__c_"


def test_code_of_several_processes_in_one(tmp_path: Path) -> None:
    """What numba calls a function it may call another one in the next process."""
    names = [str(tmp_path / name) for name in ("one", "two")]
    for name, step in zip(names, ("10", "20"), strict=True):
        run_python(COMPILE, name, step, name)
    assert run_python(LOAD, *names).splitlines() == ["0 11", "0 21"] * 2
