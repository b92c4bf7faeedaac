"""The functions of ops on numpy arrays; kernels are numba's, matrix products the BLAS's."""
# ruff: noqa: F401 - what is imported is what `__all__` names

from typing import TYPE_CHECKING, Any

from darknet_py.ops import shared
from darknet_py.ops.cpu.arrays import array, to_host
from darknet_py.ops.cpu.conv import (
    conv2d,
    conv2d_backward_input,
    conv2d_backward_weights,
    local2d,
    local2d_backward_input,
    local2d_backward_weights,
)
from darknet_py.ops.cpu.maxpool import maxpool, maxpool_backward
from darknet_py.ops.shared import *  # noqa: F403

if TYPE_CHECKING:
    from darknet_py.ops.cpu.runtime.engine import Engine

__all__ = list(shared.DEVICE_OPS)


def __getattr__(name: str) -> Any:
    # LLVM is loaded with it, which those who only read pictures do without
    if name != "Engine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from darknet_py.ops.cpu.runtime.engine import Engine

    return Engine
