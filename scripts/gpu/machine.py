"""What the figures hold for."""

from __future__ import annotations

import datetime

from scripts.benchmark.machine import default_threads, describe_machine, machine_line

PACKAGES = (
    "cupy-cuda13x",
    "cupy-cuda12x",
    "nvidia-cudnn-frontend",
    "nvidia-cudnn-cu13",
    "nvidia-cudnn-cu12",
    "torch",
    "pillow",
)


def describe(device: str) -> list[str]:
    """Lines of the day, the device, and what it works with; ops.for_device has chosen it."""
    first = f"{datetime.date.today():%Y-%m-%d}, {device}"
    host = machine_line(describe_machine(default_threads(), PACKAGES))
    return [first, host] if device == "cpu" else [f"{first}: {_gpu()}", host]


def _gpu() -> str:
    import cupy

    runtime = cupy.cuda.runtime
    properties = runtime.getDeviceProperties(cupy.cuda.Device().id)
    return (
        f"{properties['name'].decode()}, {properties['totalGlobalMem'] / 1e9:.0f} GB, driver for "
        f"CUDA {runtime.driverGetVersion()}, CUDA {runtime.runtimeGetVersion()}"
    )
