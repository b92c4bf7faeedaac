"""Workers, and what becomes of rows that fail."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from darknet_py.errors import OutOfMemoryError
from scripts.gpu.accuracy import figures
from scripts.gpu.parts import run_workers
from scripts.gpu.rows import (
    Case,
    Dreamed,
    Failure,
    Row,
    from_json,
)
from scripts.gpu.worker import work
from tests.scripts.gpu.rows import ROOT


def fails(error: BaseException) -> Any:
    def measure() -> Row:
        raise error

    return measure


def test_a_failing_row_does_not_lose_the_next() -> None:
    good = Case("forward", "route", "tf32", 1e-4)
    late = subprocess.TimeoutExpired("pytest", 3)
    plan = [
        ("skipped", fails(RuntimeError())),
        ("a", fails(OutOfMemoryError("out of memory: 3 MB", 1))),
        ("b", fails(MemoryError())),
        ("c", fails(late)),
        ("d", lambda: good),
    ]
    sent: list[Any] = []
    work("speed", plan, 1, sent.append)
    assert [each["begin"] for each in sent[::2]] == ["a", "b", "c", "d"]
    rows = [from_json(each) for each in sent[1::2]]
    assert rows == [
        Failure("speed", "a", "darknet_py.errors.OutOfMemoryError: out of memory: 3 MB"),
        Failure("speed", "b", "MemoryError"),
        Failure("speed", "c", f"subprocess.TimeoutExpired: {late}"),
        good,
    ]


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError):
        work("speed", [("a", fails(RuntimeError("illegal address")))], 0, list[Any]().append)


DYING = """
import json, os, sys
skip, rows = int(sys.argv[1]), sys.argv[2:]
for number, row in enumerate(rows[skip:], skip):
    print(json.dumps({"begin": f"row {number}"}), flush=True)
    if row == "fault":
        print(json.dumps({"fault": "RuntimeError: illegal address"}), flush=True)
    if row in ("fault", "dies"):
        os._exit(7)
    print(json.dumps({"type": "Dreamed", "what": row, "on": "a", "seconds": 1.0}), flush=True)
if rows[-1] == "late":
    sys.exit(3)
"""


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            ["good", "fault", "dies", "good"],
            [
                Dreamed("good", "a", 1.0),
                Failure("speed", "row 1", "RuntimeError: illegal address"),
                Failure("speed", "row 2", "the process ended with code 7"),
                Dreamed("good", "a", 1.0),
            ],
        ),
        # after its last row: there is nothing to go on with
        (
            ["late"],
            [Dreamed("late", "a", 1.0), Failure("speed", "", "the process ended with code 3")],
        ),
        (
            ["dies"] * 9,
            [
                *(Failure("speed", f"row {n}", "the process ended with code 7") for n in range(5)),
                Failure("speed", "", "given up after 5 processes"),
            ],
        ),
    ],
)
def test_a_worker_that_dies_loses_one_row(rows: list[str], expected: list[Row]) -> None:
    taken: list[Row] = []
    run_workers("speed", [sys.executable, "-c", DYING], rows, taken.append)
    assert taken == expected


def test_a_worker_says_rows_on_stdout_and_all_else_on_stderr() -> None:
    rows = list_worker("accuracy", str(2 * len(figures()) - 2), "cpu", "0")
    assert [next(iter(row)) for row in rows] == ["begin", "type"] * 2
    assert from_json(rows[-1]).is_good  # type: ignore[union-attr]


def test_a_worker_that_cannot_begin_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    (row,) = list_worker("nothing", "0", "cpu", "0", code=1)
    assert row == {"fault": "ModuleNotFoundError: No module named 'scripts.gpu.nothing'"}
    assert "Traceback" in capfd.readouterr().err


def list_worker(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "scripts.gpu.worker", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=120
    )
    assert done.returncode == code
    return [json.loads(line) for line in done.stdout.splitlines()]
