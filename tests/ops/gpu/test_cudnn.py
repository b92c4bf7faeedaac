"""Graphs given to the real cuDNN, which plans them for a device that is only described.

Needs its packages, and the driver's library, though no GPU.
"""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest

from tests.ops.cupy_stand_in import gpu_on_stand_in

H100 = {
    "deviceName": "NVIDIA H100 80GB HBM3",
    "deviceVer": 900,
    "driverVer": 13000,
    "cudaDeviceId": 0,
    "totalGlobalMem": 85_000_000_000,
    "maxGridSize": [2147483647, 65535, 65535],
    "maxBlockSize": [1024, 1024, 64],
    "regsPerBlock": 65536,
    "multiProcessorCount": 132,
    "smClockRateKHz": 1980000,
    "memClockRateKHz": 2619000,
    "memoryBusWidth": 5120,
    "l2CacheSize": 52428800,
    "warpSize": 32,
    "maxSharedMemoryPerBlock": 49152,
    "maxSharedMemoryPerBlockOptin": 232448,
    "oversizedSharedMemoryPerBlock": 0,
    "reservedSharedMemoryPerBlock": 1024,
    "maxRegistersPerSM": 65536,
    "pciDeviceId": 0,
    "maxCtasPerSM": 32,
    "maxThreadsPerBlock": 1024,
    "maxThreadsPerSM": 2048,
    "isTccDriver": 0,
    "supportCoopLaunch": 1,
}
"""As cuDNN writes the properties of a device."""

graphs: ModuleType = gpu_on_stand_in().cudnn
Epilogue = graphs.Epilogue
JOBS = [
    ("forward", (1, 14, 14, 64, 32, 3, (1, 1), 1, 1, 1), Epilogue(has_biases=True, before="leaky")),
    ("forward", (1, 14, 14, 64, 32, 3, (2, 2), 1, 1, 1), Epilogue(True, "linear", True, "relu")),
    ("forward", (2, 32, 32, 3, 16, 3, (1, 1), 1, 1, 1), Epilogue(True, "leaky", True, "linear")),
    ("forward", (2, 8, 8, 64, 64, 3, (1, 1), 1, 16, 1), Epilogue(has_biases=True, before="relu")),
    ("forward", (2, 8, 8, 64, 64, 3, (1, 1), 1, 16, 1), Epilogue()),
    ("forward", (1, 1, 1, 128, 1000, 1, (1, 1), 0, 1, 1), Epilogue(has_biases=True)),
    ("input", (4, 14, 14, 64, 32, 3, (2, 2), 1, 1, 1), Epilogue()),
    ("weights", (4, 14, 14, 64, 32, 3, (2, 2), 1, 1, 1), Epilogue()),
    ("weights", (4, 32, 32, 3, 16, 7, (2, 2), 3, 1, 1), Epilogue()),
    ("forward", (2, 16, 16, 8, 16, 3, (1, 2), 2, 1, 2), Epilogue(True, "leaky")),
]


@pytest.fixture(scope="module")
def cudnn() -> Any:
    return pytest.importorskip("cudnn", reason="needs nvidia-cudnn-frontend, though no GPU")


@pytest.fixture(scope="module")
def device(cudnn: Any) -> Any:
    try:
        return cudnn._pybind_module.create_device_properties(json.dumps(H100))
    except RuntimeError as error:
        pytest.skip(f"cuDNN plans nothing without libcuda.so.1: {error}")


@pytest.mark.parametrize(("kind", "numbers", "epilogue"), JOBS)
@pytest.mark.parametrize("precision", ["tf32", "exact", "half"])
def test_planned(
    cudnn: Any, device: Any, precision: str, kind: str, numbers: tuple[Any, ...], epilogue: Any
) -> None:
    job = graphs.Job(
        kind, precision == "half", precision == "exact", numbers[:4], *numbers[4:], epilogue
    )
    graph = graphs.build(cudnn, job, device_property=device)
    again = cudnn.pygraph(device_property=device)
    again.deserialize(graph.serialize())
    names = {graphs.X, graphs.WEIGHTS, graphs.RESULT}
    names |= {graphs.BIASES} if epilogue.has_biases else set()
    names |= {graphs.ADDED} if epilogue.has_added else set()
    assert set(again._variant_pack_uids()) == names
    assert again.get_workspace_size() == graph.get_workspace_size()
