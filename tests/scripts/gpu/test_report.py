"""The report as text."""

from __future__ import annotations

from scripts.gpu.nightmare import TASK
from scripts.gpu.report import report
from scripts.gpu.results import Result
from scripts.gpu.rows import (
    Case,
)
from tests.scripts.gpu.rows import ROWS


def test_what_is_reported() -> None:
    text = report({"speed": Result(["2030-01-02, gpu: a GPU", "a host"], ROWS)})
    for line in (
        "- speed: 2030-01-02, gpu: a GPU; a host",
        "    SKIPPED [1] tests/a.py:1: needs b",
        "    9 passed, 1 skipped in 2.00s",
        "| forward | tf32 | 2 | 5.0e-03 | crop_test | 0.004 | crop_test |",
        "| train | exact | 1 | 1.0e-03 | connected_bn | 0.005 | none |",
        "| inference, tiny, 1 | tf32 | 2 | 7.5 | **5** | 2.50 | 1.0e-03 |  | 0.004 |",
        "| dream, tiny, 1 | tf32 | 2 | 7.5 | **5** | 2.50 | 5.0e-01 |  | none |",
        "| inference, resnet50, 1 | tf32 | 2 | 7.5 | **5** | 2.50 "
        "| **5.0e-03: beyond the limit** | 1.0e-03 | 0.002 |",
        "| inference, tiny, 1 | exact |  |  |  |  | 2.0e-05 |  | 0.0001 |",
        "| training, resnet50, 64 | 61.2 | 7.3 |",
        "| tiny, 64 | 20 | 10 | 0.2 | 9.9 | 2.0 % |",
        f"| {TASK} | vgg-conv, layer 10, random weights | 0.50 |",
        r"| speed | training, darknet19 | OutOfMemoryError: a \| b |",
        "| a nightmare of vgg-conv in less than 1 s | 0.50 s (vgg-conv, layer 10, random weights) "
        "| met |",
    ):
        assert f"\n{line}\n" in text, line
    assert text.index("## Goals") < text.index("## Failures") < text.index("## Tests")


def test_a_report_of_a_part_has_no_empty_tables() -> None:
    text = report({"accuracy": Result(["a machine"], [Case("forward", "route", "tf32", 1e-4)])})
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Goals",
        "## Against the C program",
    ]
