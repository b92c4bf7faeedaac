"""The functions of ops on cupy arrays, as array expressions; matrix products are cuBLAS's.

They run on the GPU that `use_device` chose last. That one is no operation, and so stands beside
`__all__`, which is the same for both devices. Importing this package raises DeviceError where
cupy is installed and does not load.
"""

from darknet_py.errors import DeviceError
from darknet_py.ops import shared
from darknet_py.ops.gpu.faults import LIBRARIES, first_line

try:
    import cupy  # noqa: F401
except ImportError as error:
    # cupy's own message is a page of advice; what it came from says more
    fault = first_line(error.__cause__ or error)
    raise DeviceError(f"cupy does not load: {fault}: {LIBRARIES}") from error

from darknet_py.ops.gpu.arrays import array, to_host
from darknet_py.ops.gpu.conv import (
    conv2d,
    conv2d_backward_input,
    conv2d_backward_weights,
    local2d,
    local2d_backward_input,
    local2d_backward_weights,
)
from darknet_py.ops.gpu.device import use_device as use_device
from darknet_py.ops.gpu.engine import Engine
from darknet_py.ops.gpu.maxpool import maxpool, maxpool_backward
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
