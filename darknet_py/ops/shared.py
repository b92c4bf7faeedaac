"""The functions that are written once for both devices, with numpy.

numpy's functions call cupy's for cupy arrays (`__array_function__`, `__array_ufunc__`), so these
compute where their arrays are. Only what needs a kernel of its own is written for each device.
"""
# ruff: noqa: F401 - what is imported here is what both devices offer

from darknet_py.ops.activations import ACTIVATIONS, activate, activate_backward
from darknet_py.ops.binary import binarize, binarize_weights
from darknet_py.ops.dense import (
    add,
    add_biases,
    avgpool,
    avgpool_backward,
    biases_backward,
    blend,
    dense,
    dense_backward_input,
    dense_backward_weights,
    local_biases_backward,
    multiply,
    multiply_backward,
    softmax,
    softmax_backward,
)
from darknet_py.ops.detection import activate_boxes, activate_boxes_backward
from darknet_py.ops.dream import dream_delta, dream_limit, guide_delta, one_hot, stand_out
from darknet_py.ops.losses import (
    absolute_error,
    batch_loss,
    logistic_cross_entropy,
    masked_squared_error,
    smooth_error,
    smooth_truth,
    softmax_cross_entropy,
    squared_error,
)
from darknet_py.ops.normalize import (
    batch_statistics,
    batchnorm,
    batchnorm_backward,
    batchnorm_fixed_backward,
    l2norm,
    l2norm_backward,
    lrn,
    lrn_backward,
    moving_average,
    standardize,
    standardize_backward,
)
from darknet_py.ops.pooling import (
    blur,
    blur_backward,
    local_avgpool,
    local_avgpool_backward,
    maxpool_depth,
    maxpool_depth_backward,
)
from darknet_py.ops.random import dropout, random_crop, random_crop_backward
from darknet_py.ops.recurrent import blend_backward, join_steps, split_steps, zero_map, zero_state
from darknet_py.ops.reshape import (
    concat,
    concat_backward,
    crop,
    crop_backward,
    depth_to_space,
    flatten_chw,
    flatten_chw_backward,
    pad_channels,
    pad_to,
    pad_to_backward,
    reorg,
    reorg_backward,
    reorg_flatten,
    reorg_flatten_backward,
    reorg_reverse,
    reorg_reverse_backward,
    shortcut,
    shortcut_backward,
    slice_channels,
    slice_channels_backward,
    space_to_depth,
    to_chw,
    to_hwc,
    upsample,
    upsample_backward,
)
from darknet_py.ops.update import (
    accumulate,
    adam_update,
    average_step,
    clip,
    is_finite,
    rmsprop_update,
    sgd_update,
    swap,
)
from darknet_py.ops.weighted import (
    shortcut_factors,
    shortcut_factors_backward,
    weighted_sum,
    weighted_sum_backward,
)

__all__ = [name for name in dir() if not name.startswith("__")]

DEVICE_OPS = [
    *__all__,
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
"""What each device offers: these, and what it has of its own."""
