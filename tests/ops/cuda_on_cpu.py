"""CUDA kernels compiled by a C++ compiler and run on the CPU, for machines without a GPU.

`RawModule` stands where cupy's does. What it runs are the program's own sources, with their blocks,
threads and barriers: indices, borders and reductions are those of the device, speed and memory's
habits are not.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.ops import tape

_HEADER = Path(__file__).with_name("cuda_on_cpu.hpp")
_KERNEL = re.compile(r'extern "C" __global__ void (\w+)\(([^)]*)\)')
_MOST_THREADS = 1 << 22
"""Of a grid: a test that needs more should be smaller."""


def compiler() -> str | None:
    """A C++ compiler, if there is one."""
    return next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)


class RawModule:
    """All kernels of a source."""

    def __init__(self, code: str, options: Sequence[str] = ()) -> None:
        kernels = {name: _split(arguments) for name, arguments in _KERNEL.findall(code)}
        defines = tuple(option for option in options if option.startswith("-D"))
        self._library = _compile(
            code + "\n".join(_runner(*each) for each in kernels.items()), defines
        )
        self._kernels = kernels

    def get_function(self, name: str) -> Callable[..., None]:
        """A kernel, to be called as cupy's: grid, block, arguments."""
        types = self._kernels[name]
        run = getattr(self._library, f"run_{name}")

        def launch(grid: Sequence[int], block: Sequence[int], arguments: Sequence[Any]) -> None:
            columns, rows = (*grid, 1)[:2]
            assert columns * rows * block[0] <= _MOST_THREADS, name
            assert len(arguments) == len(types), name
            assert columns > 0, name
            assert 0 < rows < 65536, name
            values = [_value(*each) for each in zip(types, arguments, strict=True)]
            pointers = (ctypes.c_void_p * len(values))(*map(ctypes.addressof, values))

            # a graph keeps what lies at these addresses
            tape.effect(partial(_run, run, (columns, rows, block[0], pointers), values, arguments))

        return launch


def _run(run: Any, arguments: tuple[Any, ...], *_kept: Any) -> None:
    run(*arguments)


def _value(declared: str, argument: Any) -> Any:
    """An argument as the kernel's declaration has it. Fails for one of another kind or size."""
    if declared.endswith("*"):
        values = argument._values
        assert values.flags.c_contiguous, "a kernel takes memory in order"
        return ctypes.c_void_p(values.ctypes.data)
    expected = {"Int": np.int64, "double": np.float64}[declared]
    assert type(argument) is expected, f"{declared}: {argument!r}"
    if declared == "Int":
        return ctypes.c_longlong(int(argument))
    return ctypes.c_double(float(argument))


def _split(arguments: str) -> list[str]:
    """The types of a kernel's arguments."""
    types = []
    for each in " ".join(arguments.split()).split(","):
        words = each.replace("*", "* ").replace(" *", "*").split()
        types.append(" ".join(words[:-1]))
    return types


def _runner(name: str, types: Sequence[str]) -> str:
    """A function that takes the arguments from where they lie."""
    given = ", ".join(f"*({declared} *)given[{k}]" for k, declared in enumerate(types))
    return f"""
static void **{name}_given;
static void {name}_work() {{ void **given = {name}_given; {name}({given}); }}
extern "C" void run_{name}(unsigned x, unsigned y, unsigned threads, void **given) {{
    {name}_given = given;
    run_grid(x, y, threads, {name}_work);
}}
"""


@cache
def _compile(code: str, defines: tuple[str, ...]) -> ctypes.CDLL:
    text = f'#include "{_HEADER}"\n{code}'
    digest = hashlib.sha256((text + _HEADER.read_text() + str(defines)).encode()).hexdigest()
    folder = Path(tempfile.gettempdir()) / f"darknet-cuda-on-cpu-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    library = folder / f"{digest[:24]}.so"
    if not library.exists():
        source = folder / f"{digest[:24]}-{os.getpid()}.cpp"
        source.write_text(text)
        built = source.with_suffix(".so")
        tool = compiler()
        assert tool, "needs a C++ compiler"
        flags = ("-std=c++17", "-O1", "-w", "-fPIC", "-shared", "-ffp-contract=off")
        subprocess.run([tool, *flags, *defines, source, "-o", built], check=True)
        os.replace(built, library)
        source.unlink()
    return ctypes.CDLL(str(library))
