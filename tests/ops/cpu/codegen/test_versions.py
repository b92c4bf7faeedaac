from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite
import numpy as np
import pytest

from darknet_py.ops import cache
from darknet_py.ops.cpu.codegen import host, versions
from tests.support.processes import run_python


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All is looked up again, and forgotten after; what is kept is kept in a folder of its own."""

    def clear() -> None:
        for known in (versions._machine, cache.folder):
            known.cache_clear()

    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    clear()
    yield
    clear()


@pytest.mark.parametrize(
    "change",
    ["llvmlite", "numba", "numpy", "Python", "vector length", "processor", "setting", "bytes"],
)
def test_the_folder_changes_with(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = versions.folder()
    versions._machine.cache_clear()
    assert versions.folder() == before is not None
    versions._machine.cache_clear()
    if change == "llvmlite":
        monkeypatch.setattr(llvmlite, "__version__", "99.0")
    elif change == "numba":
        monkeypatch.setattr(versions, "_numba_version", lambda: "99.0")
    elif change == "numpy":
        monkeypatch.setattr(np, "__version__", "99.0")
    elif change == "Python":
        monkeypatch.setattr(sys, "version", "99.0")
    elif change == "vector length":
        monkeypatch.setattr(host, "vector_length", lambda: 32)
    elif change == "processor":
        monkeypatch.setattr(host, "cpu", lambda: ("other", "+feature"))
    elif change == "setting":
        monkeypatch.setenv("NUMBA_OPT", "1")
    elif change == "bytes":
        monkeypatch.setenv("NUMBA_DEBUG_CACHE", os.fsdecode(b"\xff"))
    assert versions.folder() not in (before, None)


def test_the_version_of_numba_without_loading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = importlib.import_module("numba")
    assert numba.__version__ in versions._numba_version()
    monkeypatch.setattr(versions, "find_spec", lambda _: None)
    assert versions._numba_version() == numba.__version__


SOURCE = """
from typing import NamedTuple
from darknet_py.ops.cpu.codegen.emit import instruction
from darknet_py.ops.cpu.codegen.kernel import part

STEP, OTHER = 3, 4

class Pair(NamedTuple):
    one: int
    two: int

@part
def twice(x):
    return 2 * x

@instruction
def store(builder, place, x):
    builder.store(x, pointed(builder, place))

def pointed(builder, place):
    return builder.inttoptr(place, "kind")

def make(size):
    def inner(x):
        return x.one + size
    return inner

def kernel(thread, threads, x, y):
    store(y, twice(x.one) + STEP + x.other)

def other(thread, threads, x):
    store(x, OTHER)
"""


def key_of(source: str, name: str = "kernel", *descriptors: str) -> str:
    scope: dict[str, Any] = {"__name__": "darknet_py.ops.cpu.operations.made"}
    exec(compile(source, "made.py", "exec"), scope)
    return versions.code_key(eval(name, scope), *(scope[each] for each in descriptors))


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("STEP, OTHER = 3, 4", "STEP, OTHER = 5, 4", True),
        ("2 * x", "2 + x", True),
        ("inttoptr", "bitcast", True),
        ('"kind"', '"other kind"', True),
        ("x.one) + STEP", "x.two) + STEP", True),
        ("STEP, OTHER = 3, 4", "STEP, OTHER = 3, 5", False),
        ("store(x, OTHER)", "store(x, OTHER + 1)", False),
        ("\ndef other", "\n\n# why\n\ndef other", False),
        ("\nSTEP", "\n# a line more\nSTEP", False),
        ("x.one + size", "x.one - size", False),
    ],
)
def test_a_key_is_of_what_the_function_names(old: str, new: str, changes: bool) -> None:
    assert old in SOURCE
    assert (key_of(SOURCE) != key_of(SOURCE.replace(old, new))) == changes


def test_closures_and_descriptors_count() -> None:
    assert key_of(SOURCE, "make(1)") != key_of(SOURCE, "make(2)")
    assert key_of(SOURCE, "make(1)") == key_of(SOURCE, "make(1)")
    wider = SOURCE.replace("    two: int", "    two: int\n    three: int")
    assert key_of(SOURCE, "kernel", "Pair") != key_of(wider, "kernel", "Pair")


def test_keys_are_the_same_in_every_process() -> None:
    code = (
        "from darknet_py.ops.cpu.codegen.versions import code_key\n"
        "from darknet_py.ops.cpu.operations import batchnorm, softmax\n"
        "from darknet_py.ops.cpu.operations.convolution import direct, winograd\n"
        "kernels = [softmax.softmax, batchnorm.normalize, direct.direct, winograd.KERNELS[4, 3]]\n"
        "print(*(code_key(each.function, *each.kinds.values()) for each in ORDER(kernels)))"
    )
    one = run_python(code.replace("ORDER", ""), PYTHONHASHSEED="1").split()
    other = run_python(code.replace("ORDER", "reversed"), PYTHONHASHSEED="2").split()
    assert one == other[::-1]
    assert len(set(one)) == 4
