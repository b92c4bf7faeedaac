"""Whether a GPU computes what the CPU does: operations, and whole networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network
from darknet_py.ops.activations import saved_of
from darknet_py.ops.detection import Entries
from darknet_py.ops.random import random_key
from tests.ops.windows import Conv, Pool
from tests.support.golden import load_golden
from tests.support.networks import make_network, pictures, truths, values
from tests.support.reference import random_array

cpu = devices.for_device("cpu")

TOLERANCES = {"float32": 1e-4, "float64": 1e-10}
"""Of the largest value."""


def agree(gpu: ModuleType, name: str, *arguments: Any) -> None:
    """Asserts that a function gives the same on both, and does the same to its arguments."""
    there = _map_arrays(lambda x: gpu.array(x, x.dtype), arguments)
    here = _map_arrays(np.copy, arguments)
    found, expected = getattr(gpu, name)(*there), getattr(cpu, name)(*here)
    _compare(gpu, found, expected, name)
    _compare(gpu, there, here, f"what {name} leaves of its arguments")


def _map_arrays(function: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return function(value)
    if isinstance(value, list | tuple):
        return type(value)(_map_arrays(function, item) for item in value)
    return value


def _compare(gpu: ModuleType, found: Any, expected: Any, what: str) -> None:
    if isinstance(expected, list | tuple):
        assert type(found) is type(expected), what
        for one, other in zip(found, expected, strict=True):
            _compare(gpu, one, other, what)
    elif isinstance(expected, np.ndarray | np.floating):
        assert type(found) is type(gpu.array(0)), f"{what}: it is not on the device"
        assert found.dtype == expected.dtype, what
        assert found.shape == expected.shape, what
        finite = np.extract(np.isfinite(expected), expected)
        scale = np.abs(finite).max(initial=1e-3)
        tolerance = TOLERANCES[str(expected.dtype)] * scale
        np.testing.assert_allclose(gpu.to_host(found), expected, 0, tolerance, err_msg=what)
    else:
        assert found == expected, what


def check_conv(gpu: ModuleType, conv: Conv, dtype: str) -> None:
    """Convolution, forward and backward; with groups=1 the local one too."""
    *_, size, stride, padding, groups, dilation, seed = conv
    x = random_array(conv.x_shape, seed, dtype)
    delta = random_array(conv.y_shape, seed + 1, dtype)
    weights = random_array(conv.weights_shape, seed + 2, dtype)
    window = conv.window
    agree(gpu, "conv2d", x, weights, *window)
    agree(gpu, "conv2d_backward_input", delta, weights, conv.x_shape, *window)
    agree(gpu, "conv2d_backward_weights", delta, x, size, *window)
    if groups == dilation == 1:
        weights = random_array(conv.local_shape, seed + 3, dtype)
        agree(gpu, "local2d", x, weights, stride, padding)
        agree(gpu, "local2d_backward_input", delta, weights, conv.x_shape, stride, padding)
        agree(gpu, "local2d_backward_weights", delta, x, size, stride, padding)


def check_maxpool(gpu: ModuleType, pool: Pool, dtype: str) -> None:
    """Forward and backward; once with many equal values, once with some that are no numbers."""
    values = random_array(pool.x_shape, pool.seed, dtype)
    with_nan = np.where(values > 1, np.asarray(np.nan, dtype), values)
    for x in (values, values.round(), with_nan):
        agree(gpu, "maxpool", x, *pool.window)
        agree(gpu, "maxpool_backward", random_array(pool.y_shape, 1, dtype), x, *pool.window)


MAP = (2, 4, 6, 8)
VECTOR = (3, 1, 1, 6)


def _draw(dtype: str) -> dict[str, list[tuple[Any, ...]]]:
    """For each function that is written once for both devices, calls: their arguments."""

    def a(*shape: int) -> np.ndarray:
        return random_array(shape, 0, dtype)

    def b(*shape: int) -> np.ndarray:
        return random_array(shape, 1, dtype)

    def positive(*shape: int) -> np.ndarray:
        values: np.ndarray = np.abs(a(*shape)).clip(0.1)
        return values

    def some(count: int) -> list[list[np.ndarray]]:
        """Values, updates and moments of two parameters."""
        kinds = (a, b, positive, positive)[:count]
        return [[kind(5), kind(3, 300)] for kind in kinds]

    x, other, vector = a(*MAP), b(*MAP), b(8)
    y = cpu.softmax(a(*VECTOR), 1, 1.0)
    truth = np.eye(6, dtype=dtype)[[1, 4, 0]].reshape(VECTOR)
    masked = np.where(b(*VECTOR) > 0, b(*VECTOR), np.asarray(-1234, dtype))
    lrn = 5, 0.1, 0.75, 1.0
    spread = 3 * a(*VECTOR)
    boxes = Entries(2, ((0, 2), (3, 4)))
    others = Entries(2, ((0, 2),), ((3, 5), (5, 7)), ((0, 2),), 1.5)
    return {
        "accumulate": [(x, other)],
        "activate": [(3 * x, name) for name in cpu.ACTIVATIONS],
        "activate_backward": [
            (other, saved_of(3 * x, cpu.activate(3 * x, name), name), name)
            for name in cpu.ACTIVATIONS
        ],
        "activate_boxes": [(x, boxes), (a(2, 3, 3, 14), others)],
        "activate_boxes_backward": [
            (other, cpu.activate_boxes(x, boxes), boxes),
            (b(2, 3, 3, 14), positive(2, 3, 3, 14), others),
        ],
        "adam_update": [
            (*some(4), [0.01, 0.1], 0.9, 0.999, 1e-7, [0.0, 0.1], 4, 3),
            ([], [], [], [], [], 0.9, 0.999, 1e-7, [], 4, 3),
        ],
        "add": [(x, other)],
        "add_biases": [(x, vector), (x, b(4, 6, 8))],
        "average_step": [(*some(2), 0.9)],
        "avgpool": [(x,)],
        "avgpool_backward": [(b(2, 1, 1, 8), MAP)],
        "batch_loss": [(a(3, 1, 1, 1),)],
        "batch_statistics": [(x,), (a(1, 1, 1, 3),)],
        "batchnorm": [
            (x, a(8), b(8), a(8), positive(8)),
            (x, a(8), None, a(8), positive(8)),
            (x, a(8), b(8), a(8), -1e-40 * positive(8)),
        ],
        "batchnorm_backward": [(other, x, a(8), *cpu.batch_statistics(x))],
        "batchnorm_fixed_backward": [
            (other, x, a(8), b(8), positive(8)),
            (other, x, a(8), b(8), -1e-40 * positive(8)),
        ],
        "biases_backward": [(x,)],
        "blend": [(positive(*MAP), x, other)],
        "blend_backward": [(b(*MAP), positive(*MAP), x, other)],
        "blur": [(x, 3, 1), (x, 3, (2, 3)), (x, 2, 2), (a(2, 1, 1, 3), 2, 2)],
        "blur_backward": [
            (other, MAP, 3, 1),
            (b(2, 2, 2, 8), MAP, 3, (2, 3)),
            (b(2, 2, 3, 8), MAP, 2, 2),
        ],
        "clip": [(x, 0.5)],
        "concat": [([x, a(2, 4, 6, 3)],)],
        "concat_backward": [(x, [3, 1, 4])],
        "binarize": [(x,)],
        "binarize_weights": [(a(3, 2, 2, 8),)],
        "pad_channels": [(x, 3)],
        "pad_to": [(x, 6, 9), (x, *x.shape[1:3])],
        "pad_to_backward": [(b(2, 9, 9, 8), MAP)],
        "crop": [(x, 1, 2, 2, 3, flip, scale) for flip in (False, True) for scale in (1.0, 2.0)],
        "crop_backward": [(b(2, 2, 3, 8), MAP, 1, 2, flip, 2.0) for flip in (False, True)],
        "dense": [(x, b(5, 192))],
        "depth_to_space": [(x, 2)],
        "dense_backward_input": [(b(2, 1, 1, 5), b(5, 192), MAP)],
        "dense_backward_weights": [(b(2, 1, 1, 5), x)],
        "dream_delta": [(x, 0.0), (x, 1.0)],
        "dream_limit": [(x, 1.0, ()), (x, 0.0, (1, 5))],
        "dropout": [(x, 0.3, random_key(7, 2))],
        "flatten_chw": [(x,)],
        "flatten_chw_backward": [(b(2, 1, 1, 192), MAP)],
        "guide_delta": [(x, b(1, 1, 9, 8))],
        "join_steps": [([x, other],)],
        "l2norm": [(x,)],
        "l2norm_backward": [(other, x)],
        "local_avgpool": [(x, 3, 2, 2), (x, 2, (1, 3), 1), (x, 9, 1, 8)],
        "local_avgpool_backward": [
            (b(2, 2, 3, 8), MAP, 3, 2, 2),
            (b(2, 4, 2, 8), MAP, 2, (1, 3), 1),
            (other, MAP, 9, 1, 8),
        ],
        "local_biases_backward": [(x,)],
        "logistic_cross_entropy": [(y, truth)],
        "is_finite": [
            (),
            (x,),
            (x, np.full((2, 3), np.inf, dtype)),
            (np.full((2, 3), np.inf, dtype),),
            (np.full(1, np.nan, dtype),),
        ],
        "lrn": [(x, *lrn), (x, 4, 0.1, 0.75, 2.0)],
        "lrn_backward": [(other, x, *lrn)],
        "masked_squared_error": [(y, masked)],
        "maxpool_depth": [(x, 1), (x, 3), (x, 8)],
        "maxpool_depth_backward": [(b(2, 4, 6, 3), x, 3), (b(2, 4, 6, 1), x.round(), 1)],
        "moving_average": [(a(8), b(8))],
        "multiply": [(x, other), (x, b(2, 1, 1, 1)), (x, b(2, 1, 1, 8))],
        "multiply_backward": [
            (a(*MAP), x, other),
            (a(*MAP), x, b(2, 1, 1, 8)),
            (a(*MAP), x, b(2, 4, 6, 1)),
        ],
        "random_crop": [
            (x, 2, 3, flip, 2.0, random_key(7, i)) for flip in (0, 1) for i in (0, 1, 2)
        ],
        "random_crop_backward": [
            (b(2, 2, 3, 8), MAP, flip, 2.0, random_key(7, i)) for flip in (0, 1) for i in (0, 1, 2)
        ],
        "one_hot": [(x, 0), (x, 100)],
        "absolute_error": [(spread, truth)],
        "reorg": [(x, 2)],
        "reorg_backward": [(b(2, 2, 3, 32), 2)],
        "reorg_flatten": [(x, 2, False), (x, 2, True)],
        "reorg_flatten_backward": [(x, 2, False), (x, 2, True)],
        "reorg_reverse": [(x, 2)],
        "reorg_reverse_backward": [(b(2, 8, 12, 2), 2)],
        "rmsprop_update": [
            (*some(3), [0.01, 0.1], 0.9, 1e-7, [0.0, 0.1], 4),
        ],
        "sgd_update": [(*some(2), [0.1, 0.01], 0.9, [0.0, 0.1], 4)],
        "shortcut": [
            (x, other, 1.0, 1.0),
            (x, b(2, 2, 3, 9), 0.5, 2.0),
            (x, b(2, 8, 12, 3), 1.0, 1.0),
        ],
        "shortcut_backward": [(x, (2, 2, 3, 9), 0.5, 2.0), (x, (2, 8, 12, 3), 1.0, 1.0)],
        "shortcut_factors": [(b(3, 8), "relu"), (b(3, 8), "softmax"), (b(4), "softmax")],
        "shortcut_factors_backward": [
            (a(3, 8), b(3, 8), "relu"),
            (a(3, 8), b(3, 8), "softmax"),
            (a(4), np.ones_like(b(4)), "softmax"),
        ],
        "slice_channels": [(x, 3, 2)],
        "slice_channels_backward": [(x, 3, 13)],
        "space_to_depth": [(x, 2)],
        "smooth_error": [(spread, truth)],
        "smooth_truth": [(truth, 0.0, 6), (truth, 0.1, 6)],
        "softmax": [(x, 1, 1.0), (x, 2, 3.0)],
        "softmax_backward": [(other, cpu.softmax(x, 2, 3.0), 2, 3.0)],
        "softmax_cross_entropy": [(y, truth, 1.0), (y, truth, 2.0)],
        "split_steps": [(x, 2)],
        "squared_error": [(y, truth)],
        "stand_out": [(x, b(2, 1, 1, 1), ()), (x, b(1, 1, 1, 1), (7,))],
        "standardize": [(x, a(8), positive(8))],
        "standardize_backward": [(other, positive(8))],
        "swap": [(a(8), b(8))],
        "to_chw": [(x,)],
        "to_hwc": [(x,)],
        "upsample": [(x, 2, 0.5)],
        "upsample_backward": [(x, 2, 0.5)],
        "weighted_sum": [([x, b(2, 4, 6, 3), b(2, 4, 6, 9)], b(3, 8)), ([x, other], b(2))],
        "weighted_sum_backward": [
            (a(*MAP), [x, b(2, 4, 6, 3), b(2, 4, 6, 9)], b(3, 8)),
            (a(*MAP), [x, other], b(2)),
        ],
        "zero_map": [(x,)],
        "zero_state": [(x, 3)],
    }


CALLS = {dtype: _draw(dtype) for dtype in TOLERANCES}


def check_calls(gpu: ModuleType, name: str, dtype: str) -> None:
    """One of the functions that are written once for both devices."""
    for arguments in CALLS[dtype][name]:
        agree(gpu, name, *arguments)


def check_in_a_graph(gpu: ModuleType, name: str) -> None:
    """The same, captured before its arguments have their values."""
    stream = gpu.program.cp.cuda.Stream()
    for arguments in CALLS["float32"][name]:
        there = _map_arrays(lambda x: gpu.array(np.zeros_like(x)), arguments)
        here = _map_arrays(np.copy, arguments)
        stream.begin_capture()
        try:
            found = getattr(gpu, name)(*there)
        finally:
            graph = stream.end_capture()
        for x, value in zip(_leaves(there), _leaves(arguments), strict=True):
            if isinstance(value, np.ndarray):
                x.set(value)
        graph.launch(stream)
        _compare(gpu, found, getattr(cpu, name)(*here), name)
        _compare(gpu, there, here, f"what {name} leaves of its arguments")


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value]


FORWARD = [
    "avg_softmax",
    "connected",
    "conv_bn_leaky",
    "conv_groups",
    "conv_shapes",
    "crop_test",
    "dropout_test",
    "l2norm",
    "logistic",
    "maxpool_padding",
    "maxpool_variants",
    "normalization",
    "route",
    "shortcut_shapes",
    "tiny_like",
    "upsample_reorg",
]
TRAIN = ["adam", "connected_bn", "cost_L1", "groups_stride", "logistic_layer", "maxpool_overlap"]


def _networks(kind: str, name: str, gpu: ModuleType, folder: Path) -> tuple[Any, Network, Network]:
    """A figure of tests/golden, and its network on the CPU and on the GPU."""
    figure = load_golden(kind, name)
    path = folder / "golden.weights"
    path.write_bytes(figure["weights"].tobytes())
    sections = parse_sections(figure["cfg"])
    networks = [Network(sections, "golden.cfg", ops, exact=True) for ops in (cpu, gpu)]
    for network in networks:
        network.load_weights(path)
    return figure, networks[0], networks[1]


def _close(found: np.ndarray, expected: np.ndarray, what: str) -> None:
    assert type(found) is np.ndarray, what
    tolerance = TOLERANCES["float32"] * np.abs(expected).max(initial=1e-3)
    np.testing.assert_allclose(found, expected, 0, tolerance, err_msg=what)


def check_inference(gpu: ModuleType, name: str, folder: Path) -> None:
    """The output of every layer, and the delta of the picture that each sends back."""
    figure, here, there = _networks("forward", name, gpu, folder)
    x = figure["x"]
    outputs = zip(there.activations(x), here.activations(x), strict=True)
    for index, (found, expected) in enumerate(outputs):
        _close(found, expected, f"{name}: output of layer {index}")
    _close(there.predict(x), here.predict(x), f"{name}: prediction")
    if x.ndim == 4:
        for index in range(len(here.layers)):
            found, expected = (net.image_delta(x, index, 0.0) for net in (there, here))
            _close(found, expected, f"{name}: delta of layer {index}")


def check_training(gpu: ModuleType, name: str, folder: Path) -> None:
    """Losses and what was learned, after some steps."""
    figure, here, there = _networks("train", name, gpu, folder)
    for x, y in zip(figure["x"][:3], figure["y"][:3], strict=True):
        loss, expected = there.train_step(x, y), here.train_step(x, y)
        assert abs(loss - expected) < TOLERANCES["float32"] * abs(expected)
    for one, other in zip(there.parameters(), here.parameters(), strict=True):
        _close(gpu.to_host(one.value), other.value, f"{name}: {one.name}")
    there.save_weights(folder / "there.weights")
    here.save_weights(folder / "here.weights")
    saved = [(folder / f"{where}.weights").stat().st_size for where in ("there", "here")]
    assert saved[0] == saved[1]


def check_fixed_statistics(gpu: ModuleType) -> None:
    """A step of layers that learn and normalise with their rolling statistics."""
    text = (
        "[net]\nheight=6\nwidth=8\nchannels=2\nbatch=4\n"
        "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
        "use_global_stats=1\n[batchnorm]\nuse_global_stats=1\n"
        "[connected]\noutput=3\nbatch_normalize=1\nuse_global_stats=1\n[softmax]\n"
    )
    here, there = make_network(text), make_network(text, gpu)
    x, y = pictures(here), truths(here)
    before = values(here)
    for _ in range(2):
        loss, expected = there.train_step(x, y), here.train_step(x, y)
        assert abs(loss - expected) < TOLERANCES["float32"] * abs(expected)
    for one, other, old in zip(there.parameters(), here.parameters(), before, strict=True):
        _close(gpu.to_host(one.value), other.value, one.name)
        assert np.array_equal(gpu.to_host(one.value), old) == (not one.learned), one.name


def check_draws(gpu: ModuleType) -> Network:
    """Steps of layers that draw: each has other masks and windows, in one program. The
    network of the GPU."""
    text = (
        "[net]\nheight=14\nwidth=16\nchannels=3\nbatch=4\nlearning_rate=.05\nmomentum=.9\n"
        "[crop]\ncrop_height=10\ncrop_width=12\nflip=1\n"
        "[convolutional]\nfilters=8\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
        "[dropout]\nprobability=.4\n"
        "[connected]\noutput=5\nactivation=linear\n[softmax]\n"
    )
    sections = parse_sections(text)
    here, there = (Network(sections, "drawn.cfg", ops, exact=True) for ops in (cpu, gpu))
    for net in (here, there):
        net.initialise(3)
    y = np.eye(5, dtype=np.float32)[[0, 1, 2, 3]]
    x = pictures(here, 4)
    for step in range(6):
        expected, found = (net.train_step(x, y) for net in (here, there))
        assert abs(found - expected) < TOLERANCES["float32"] * abs(expected), step
    for one, other in zip(there.parameters(), here.parameters(), strict=True):
        _close(gpu.to_host(one.value), other.value, one.name)
    return there
