"""The tests that need a device, run as a part."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.gpu import tests as device_tests
from tests.scripts.gpu.rows import ROOT


def test_the_tests(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert 0\n"
        "def test_left_out(): pytest.skip('needs a moon')\n"
    )
    found = device_tests.run((str(path),))
    assert not found.passed
    assert found.line.startswith("1 failed, 1 passed, 1 skipped")
    assert sorted(note.split()[0] for note in found.notes) == ["FAILED", "SKIPPED"]


@pytest.mark.parametrize(
    ("output", "code", "passed"),
    [
        ("..\n2 passed in 1s\n", 0, True),
        ("SKIPPED [1] a.py:3: needs a moon\n2 passed, 1 skipped in 1s\n", 0, True),
        ("SKIPPED [1] a.py:3: no GPU: none\n2 passed, 1 skipped in 1s\n", 0, False),
        ("ERROR a.py\n1 error in 1s\n", 2, False),
        ("", 3, False),
    ],
)
def test_tests_that_find_no_gpu_show_nothing(output: str, code: int, passed: bool) -> None:
    found = device_tests.read(output, code)
    assert found.passed == passed
    assert found.line == (output.splitlines() or ["pytest ended with code 3"])[-1]


def test_what_tests_without_a_gpu_say() -> None:
    """The words by which they are known."""
    words = f'pytest.skip(f"{device_tests.NO_GPU.removeprefix(": ")}{{error}}")'
    assert words in (ROOT / "tests" / "ops" / "test_gpu.py").read_text()
