"""The CUDA sources: they compile for a device, and Python and they know the same kernels."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.ops.cupy_stand_in import gpu_on_stand_in

FOLDER = Path(__file__).parents[3] / "darknet_py" / "ops" / "gpu"


@pytest.fixture(scope="module")
def kernel() -> ModuleType:
    module: ModuleType = gpu_on_stand_in().kernel
    return module


def test_every_kernel_is_launched_by_its_name(kernel: ModuleType) -> None:
    defined = re.findall(r'extern "C" __global__ void (\w+)\(', kernel.source())
    python = "\n".join(path.read_text() for path in FOLDER.glob("*.py"))
    # a name stands in quotes, first of a launch's arguments or of what leads to one
    launched = re.findall(r"(?:launch|launch_each|_pass|_rows|_each_window)\(\s*\"(\w+)\"", python)
    assert sorted(defined) == sorted(set(launched))


def test_no_source_is_left_out(kernel: ModuleType) -> None:
    source = kernel.source()
    missing = [path.name for path in (FOLDER / "cuda").iterdir() if path.read_text() not in source]
    assert not missing


def test_activations_are_numbered_as_in_python(kernel: ModuleType) -> None:
    (names,) = re.findall(r"enum \{([^}]*)\}", kernel.source())
    from darknet_py.ops.activations import POINTWISE

    assert names.replace(",", " ").lower().split() == list(POINTWISE)


def test_sums_and_parameters_of_half_precision_are_floats(kernel: ModuleType) -> None:
    assert kernel.sums_of(kernel.HALF) == kernel.sums_of(np.float32) == np.float32
    assert kernel.sums_of(np.float64) == np.float64


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16"])
@pytest.mark.parametrize("architecture", ["sm_75", "sm_90"])
def test_nvrtc_compiles_all_kernels(kernel: ModuleType, dtype: str, architecture: str) -> None:
    nvrtc = pytest.importorskip(
        "cuda.bindings.nvrtc", reason="needs cuda-bindings and nvidia-cuda-nvrtc, though no GPU"
    )
    code, options = kernel.source().encode(), kernel.options(dtype)
    asked = [option.encode() for option in (*options, f"--gpu-architecture={architecture}")]
    status, program = nvrtc.nvrtcCreateProgram(code, b"kernels.cu", 0, [], [])
    assert status == nvrtc.nvrtcResult.NVRTC_SUCCESS
    (status,) = nvrtc.nvrtcCompileProgram(program, len(asked), asked)
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    assert status == nvrtc.nvrtcResult.NVRTC_SUCCESS, log.decode()
    assert "warning" not in log.decode(), log.decode()
    status, size = nvrtc.nvrtcGetCUBINSize(program)
    assert status == nvrtc.nvrtcResult.NVRTC_SUCCESS
    assert size > 0
