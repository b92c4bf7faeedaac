"""Kernels on vectors of other lengths: those of other processors, in one process a length."""

from __future__ import annotations

import os

import pytest

from darknet_py.ops.cpu.codegen.host import VECTOR_VARIABLE, vector_length
from tests.support.processes import start_python

FILES = "tests/ops/cpu/operations", "tests/ops/cpu/codegen/test_emit.py"
CHOSEN = "test_emit or epilogues or depend or reference or single or grouped_here or elementwise"


@pytest.mark.parametrize("length", [4, 8, 16])
def test_other_vector_lengths(length: int) -> None:
    if os.environ.get(VECTOR_VARIABLE) or length == vector_length():
        pytest.skip("this is it")
    code = (
        "import sys, pytest; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', *sys.argv[1:]]))"
    )
    process = start_python(code, *FILES, "-k", CHOSEN, **{VECTOR_VARIABLE: str(length)})
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    assert " passed" in out, out
