"""Calls written down: what the tracer's shapes say is what the functions give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.ops.execution import replay
from darknet_py.ops.graph import SHAPES, TensorSpec, Tracer
from darknet_py.ops.random import random_key

cpu = devices.for_device("cpu")
rng = np.random.default_rng(0)


def array(*shape: int) -> np.ndarray:
    return rng.random(shape, np.float32)


X, C = array(2, 5, 6, 4), array(4)
CALLS: dict[str, tuple[Any, ...]] = {
    "accumulate": (X.copy(), X),
    "activate": (X, "leaky"),
    "activate_backward": (X, X, "leaky"),
    "add": (X, X),
    "add_biases": (X, C),
    "avgpool": (X,),
    "avgpool_backward": (array(2, 1, 1, 4), X.shape),
    "batch_statistics": (X,),
    "batchnorm": (X, C, C, C, C),
    "batchnorm_backward": (X, X, C, C, C),
    "batchnorm_fixed_backward": (X, X, C, C, C),
    "biases_backward": (X,),
    "binarize": (X,),
    "binarize_weights": (X,),
    "blur": (X, 3, (2, 1)),
    "blur_backward": (array(2, 2, 3, 4), X.shape, 2, 2),
    "concat": ([X, array(2, 5, 6, 3)],),
    "concat_backward": (X, (1, 3)),
    "conv2d": (X, array(3, 3, 3, 4), 2, 1, 1),
    "conv2d_backward_input": (array(2, 3, 3, 3), array(3, 3, 3, 4), X.shape, 2, 1, 1),
    "conv2d_backward_weights": (array(2, 3, 3, 6), X, 3, 2, 1, 2),
    "dense": (X, array(7, 120)),
    "dense_backward_input": (array(2, 1, 1, 7), array(7, 120), X.shape),
    "dense_backward_weights": (array(2, 1, 1, 7), X),
    "dream_delta": (X, 1.0),
    "dream_limit": (X, 1.0, (1, 2)),
    "dropout": (X, 0.5, random_key(1, 0)),
    "random_crop": (X, 2, 3, True, 2.0, random_key(1, 0)),
    "random_crop_backward": (array(2, 2, 3, 4), X.shape, True, 2.0, random_key(1, 0)),
    "flatten_chw": (X,),
    "flatten_chw_backward": (array(2, 1, 1, 120), X.shape),
    "guide_delta": (X, array(1, 1, 3, 4)),
    "join_steps": ([X, array(3, 5, 6, 4)],),
    "local2d": (X, array(3, 3, 5, 3, 3, 4), 2, 1),
    "local2d_backward_input": (array(2, 3, 3, 5), array(3, 3, 5, 3, 3, 4), X.shape, 2, 1),
    "local2d_backward_weights": (array(2, 3, 3, 5), X, 3, 2, 1),
    "local_avgpool": (X, 3, (1, 2), 2),
    "local_avgpool_backward": (array(2, 5, 3, 4), X.shape, 3, (1, 2), 2),
    "maxpool": (X, 2, 2, 1),
    "maxpool_backward": (array(2, 3, 3, 4), X, 2, 2, 1),
    "maxpool_depth": (X, 3),
    "maxpool_depth_backward": (array(2, 5, 6, 3), X, 3),
    "moving_average": (C.copy(), C),
    "multiply": (X, X),
    "one_hot": (X, 5),
    "pad_to": (X, 9, 11),
    "pad_to_backward": (X, (2, 1, 2, 4)),
    "shortcut": (X, array(2, 10, 12, 3), 1.0, 1.0),
    "shortcut_backward": (X, (2, 10, 12, 3), 1.0, 1.0),
    "shortcut_factors": (array(3, 4), "relu"),
    "slice_channels": (X, 1, 2),
    "slice_channels_backward": (X, 1, 6),
    "softmax": (X, 2, 1.0),
    "softmax_backward": (X, X, 2, 1.0),
    "stand_out": (X, array(2, 1, 1, 1), (1, 2)),
    "standardize": (X, C, C),
    "standardize_backward": (X, C),
    "to_chw": (X,),
    "to_hwc": (X,),
    "weighted_sum": ([X, array(2, 5, 6, 3)], array(2)),
}


def recorded(tracer: Tracer, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return tracer.input(value.shape)
    if isinstance(value, list):
        return [recorded(tracer, one) for one in value]
    return value


def shapes(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [shapes(one) for one in value]
    return None if value is None else value.shape


def test_every_shape_is_checked() -> None:
    """But those of TensorSpec's own calls."""
    assert CALLS.keys() == SHAPES.keys() - {"scale"}


@pytest.mark.parametrize("name", CALLS)
def test_shapes(name: str) -> None:
    tracer = Tracer(cpu)
    given = getattr(tracer, name)(*(recorded(tracer, value) for value in CALLS[name]))
    assert shapes(given) == shapes(getattr(cpu, name)(*CALLS[name]))
    assert [call.name for call in tracer.calls] == [name]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("upsample", (X, 2, 1.0)), ("lrn", (X, 5, 1e-4, 0.75, 1.0)), ("squared_error", (X, X))],
)
def test_shapes_of_what_has_no_entry(name: str, arguments: tuple[Any, ...]) -> None:
    tracer = Tracer(cpu)
    given = getattr(tracer, name)(*(recorded(tracer, value) for value in arguments))
    assert shapes(given) == shapes(getattr(cpu, name)(*arguments))


def test_what_takes_no_map_is_computed() -> None:
    tracer = Tracer(cpu)
    np.testing.assert_array_equal(tracer.add(X, X), X + X)
    assert tracer.calls == []


def test_named_arguments_and_defaults_are_put_in_order() -> None:
    tracer = Tracer(cpu)
    tracer.shortcut(tracer.input(X.shape), other=X, beta=2.0, alpha=1.0)
    (call,) = tracer.calls
    assert call.arguments[2:] == (1.0, 2.0)


def test_adding_to_an_array_and_scaling_are_written_down() -> None:
    tracer = Tracer(cpu)
    x = tracer.input(C.shape)
    updates: Any = np.ones(4, np.float32)
    kept = updates
    tracer.accumulate(updates, 2.0 * x)
    assert updates is kept
    replay(tracer.graph([]), [C])
    np.testing.assert_array_equal(updates, 1 + 2 * C)


def test_other_arithmetic_is_an_error() -> None:
    tracer = Tracer(cpu)
    x = tracer.input(C.shape)
    with pytest.raises(TypeError):
        C * x
    with pytest.raises(TypeError):
        x + 1  # type: ignore[operator]


def test_replay_gives_what_the_functions_give() -> None:
    tracer = Tracer(cpu)
    x = tracer.input(X.shape)
    mean, variance = tracer.batch_statistics(x)
    y = tracer.batchnorm(x, C, None, mean, variance)
    assert isinstance(y, TensorSpec)
    (found,) = replay(tracer.graph([y]), [X])
    np.testing.assert_array_equal(found, cpu.batchnorm(X, C, None, *cpu.batch_statistics(X)))


def test_what_is_made_of_parameters_is_made_again_where_they_move() -> None:
    weights = array(3, 2, 2, 4)
    fixed, changing = Tracer(cpu), Tracer(cpu, changing=True)
    assert isinstance(fixed.binarize_weights(weights), np.ndarray)
    assert not fixed.calls
    assert shapes(changing.binarize_weights(weights)) == weights.shape
    (call,) = changing.calls
    assert call.arguments == (weights,)
