"""The functions of ops on cupy arrays: kernels of our own, products by cuBLAS.

They run on the GPU that `use_device` chose last. That one and `device_name` are no operations, and
so stand beside `__all__`, which is the same for both devices. Importing this package raises
DeviceError where cupy is installed and does not load.
"""
# ruff: noqa: F401 - what is imported is what `__all__` names

from darknet_py.errors import DeviceError
from darknet_py.ops import shared
from darknet_py.ops.gpu.faults import LIBRARIES, first_line

try:
    import cupy
except ImportError as error:
    # cupy's own message is a page of advice; what it came from says more
    fault = first_line(error.__cause__ or error)
    raise DeviceError(f"cupy does not load: {fault}: {LIBRARIES}") from error

from darknet_py.ops.shared import *  # noqa: F403, I001 - what follows replaces some of it

from darknet_py.ops.gpu.arrays import array, concat, join_steps, to_host
from darknet_py.ops.gpu.convolution import conv2d, conv2d_backward_input, conv2d_backward_weights
from darknet_py.ops.gpu.device import device_name, use_device
from darknet_py.ops.gpu.dream import guide_delta
from darknet_py.ops.gpu.engine import Engine
from darknet_py.ops.gpu.im2col import local2d, local2d_backward_input, local2d_backward_weights
from darknet_py.ops.gpu.normalize import (
    batch_statistics,
    batchnorm,
    batchnorm_backward,
    batchnorm_fixed_backward,
    biases_backward,
    moving_average,
)
from darknet_py.ops.gpu.pointwise import activate, activate_backward, add, add_biases, shortcut
from darknet_py.ops.gpu.pooling import (
    avgpool,
    avgpool_backward,
    maxpool,
    maxpool_backward,
    softmax,
    softmax_backward,
)
from darknet_py.ops.gpu.update import (
    adam_update,
    average_step,
    is_finite,
    rmsprop_update,
    sgd_update,
)

__all__ = list(shared.DEVICE_OPS)
