"""scripts/gpu_report: tests, figures, times, and the report of them."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from darknet_py import ops as devices
from darknet_py.atomic import atomic_file
from darknet_py.errors import DarknetError
from scripts.gpu.accuracy import cases
from scripts.gpu.report import report

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cupy-cuda13x", "cupy-cuda12x", "nvidia-cudnn-frontend", "torch", "numpy")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where all tests pass and all figures are met."""
    options = _parser().parse_args(arguments)
    try:
        devices.for_device(options.device)
    except DarknetError as error:
        print(error, file=sys.stderr)
        return 1
    machine = _machine(options.device)
    passed, tests = _tests()
    print(tests, file=sys.stderr)
    found = list(cases(options.device))
    for case in found:
        if not case.is_good:
            print(f"missed: {case}", file=sys.stderr)
    rows = []
    if not options.no_times:
        from scripts.gpu.speed import times

        for precision in ("tf32", "half"):
            for row in times(options.device, "cuda", precision):
                print(row, file=sys.stderr)
                rows.append(row)
    with atomic_file(options.output) as file:
        file.write(report(machine, tests, found, rows).encode())
    print(options.output)
    return 0 if passed and all(case.is_good for case in found) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/gpu_report",
        description="Runs the tests that need a GPU, compares with the C program and with "
        "PyTorch, and writes a report. Exit code 1 where a test fails or a figure is missed.",
    )
    parser.add_argument("--device", default="gpu", help="gpu or gpu:N (gpu)")
    parser.add_argument("--no-times", action="store_true", help="no comparison with PyTorch")
    default = ROOT / "docs" / "gpu-report.md"
    parser.add_argument("-o", "--output", type=Path, default=default, help=f"({default})")
    return parser


def _tests() -> tuple[bool, str]:
    """Whether they passed, and pytest's last line."""
    folders = [str(ROOT / "tests" / "ops" / name) for name in ("test_gpu.py", "gpu")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    sys.stderr.write(done.stdout)
    return done.returncode == 0, done.stdout.strip().splitlines()[-1]


def _machine(device: str) -> list[str]:
    import cupy

    # for_device has chosen it
    properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
    runtime = cupy.cuda.runtime
    lines = [
        f"{datetime.date.today():%Y-%m-%d}, {device}: {properties['name'].decode()}, "
        f"{properties['totalGlobalMem'] / 1e9:.0f} GB",
        f"driver for CUDA {runtime.driverGetVersion()}, CUDA {runtime.runtimeGetVersion()}",
    ]
    versions = [f"{name} {version}" for name in PACKAGES if (version := _version(name))]
    return [*lines, ", ".join(versions)]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
