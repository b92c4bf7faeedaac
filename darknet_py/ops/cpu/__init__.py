"""The functions of ops on numpy arrays; kernels are numba's, matrix products the BLAS's."""

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
from darknet_py.ops.cpu.engine import Engine
from darknet_py.ops.cpu.maxpool import maxpool, maxpool_backward
from darknet_py.ops.shared import *  # noqa: F403

__all__ = [
    "Engine",
    "array",
    "conv2d",
    "conv2d_backward_input",
    "conv2d_backward_weights",
    "local2d",
    "local2d_backward_input",
    "local2d_backward_weights",
    "maxpool",
    "maxpool_backward",
    "to_host",
]
__all__ += shared.__all__
