"""scripts/gpu_report: parts are measured one by one, and the report is written after each row."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from darknet_py import ops as devices
from darknet_py.atomic import write_text
from darknet_py.errors import DarknetError
from scripts.gpu.goals import MISSED, goals
from scripts.gpu.machine import describe
from scripts.gpu.parts import run_part
from scripts.gpu.plan import PARTS, Settings
from scripts.gpu.report import report
from scripts.gpu.results import Result, Results, read_results, write_results
from scripts.gpu.rows import Failure, Row

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 1.5
NEEDS = {"speed": "torch", "tests": "pytest"}
"""Packages that a part cannot do without."""

DESCRIPTION = """\
Measures what only a machine with an NVIDIA GPU can show, and writes it as a report:

  accuracy   all figures of the C program's, with TF32 and with whole floats
  speed      inference, training and dreams beside PyTorch's, and how long a first run takes
  loader     whether training waits for pictures from files
  nightmare  a dream with vgg-conv, as a task and as a command
  tests      those that need a GPU

Rows are printed as they come, to stderr, and the report is rewritten after each; its figures are
kept beside it as JSON. With --only, the other parts' stay what they are there. What fails stands in
the report, and the rest goes on."""

EPILOGUE = """\
The exit code is 1 where something failed or a goal that was measured is missed.

vgg-conv.weights and scream.jpg are looked for in $DARKNET_TEST_DATA, else in ../shared/data;
without them the weights and the picture are random, which takes as long.

examples:
  scripts/gpu_report                                   # all of it, in some ten minutes
  scripts/gpu_report --only accuracy --only nightmare
  scripts/gpu_report --only speed --seconds 0.5        # in a hurry"""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where nothing failed and no goal is missed."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except DarknetError as error:
        print(error, file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    parts = [part for part in PARTS if part in (options.only or PARTS)]
    _check_packages(parts)
    devices.for_device(options.device)
    machine = describe(options.device)
    kept = options.output.with_name(f"{options.output.name}.json")
    results = read_results(kept) if options.only else {}
    settings = Settings(options.device, options.seconds)
    measured: list[Row] = []
    for part in parts:
        results[part] = Result(machine, [])

        def take(row: Row, rows: list[Row] = results[part].rows) -> None:
            print(row, file=sys.stderr, flush=True)
            rows.append(row)
            measured.append(row)
            _write(options.output, kept, results)

        _write(options.output, kept, results)  # where that cannot be, nothing is measured for it
        run_part(part, settings, take)
    print(options.output)
    failed = any(isinstance(row, Failure) for row in measured)
    return 1 if failed or any(goal.state == MISSED for goal in goals(measured)) else 0


def _write(output: Path, kept: Path, results: Results) -> None:
    ordered = {part: results[part] for part in PARTS if part in results}
    write_results(kept, ordered)
    write_text(output, report(ordered))


def _check_packages(parts: Sequence[str]) -> None:
    """Before time is spent. Raises DarknetError."""
    for part in parts:
        package = NEEDS.get(part)
        if package and importlib.util.find_spec(package) is None:
            advice = "pip install -e '.[test,bench]', or take other parts (--only)"
            raise DarknetError(f"{part} needs {package}: {advice}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/gpu_report",
        description=DESCRIPTION,
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--device", default="gpu", help="gpu, gpu:N, or cpu to try this program (%(default)s)")
    add(
        "--only",
        action="append",
        choices=PARTS,
        metavar="PART",
        help=f"{', '.join(PARTS)}; may be given again (all)",
    )
    add(
        "--seconds",
        type=float,
        default=SECONDS,
        metavar="S",
        help="of clock for each row that is timed (%(default)s)",
    )
    default = ROOT / "docs" / "gpu-report.md"
    add("-o", "--output", type=Path, default=default, metavar="FILE", help=f"({default})")
    return parser
