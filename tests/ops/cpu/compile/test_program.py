"""Programs give what the plain functions give, whatever was fused, for any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.ops.cpu.compile.program import Program
from darknet_py.ops.cpu.compile.step import Weights
from darknet_py.ops.cpu.runtime.threads import thread_count
from darknet_py.ops.execution import replay
from darknet_py.ops.graph import Graph, TensorSpec, Tracer

cpu = devices.for_device("cpu")


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    scale = float(np.sqrt(2 / np.prod(shape[1:])))
    drawn: np.ndarray = np.random.default_rng(seed).standard_normal(shape) * scale
    return drawn.astype(np.float32)


def vector(c: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.5, 1.5, c).astype(np.float32)


def record(shape: tuple[int, ...], build: Callable[[Tracer, TensorSpec], Any]) -> Graph:
    """What `build` gives for a picture (n, c, h, w)."""
    tracer = Tracer(cpu)
    outputs = build(tracer, tracer.to_hwc(tracer.input(shape)))
    return tracer.graph(outputs if isinstance(outputs, list) else [outputs])


def check(
    shape: tuple[int, ...],
    build: Callable[[Tracer, TensorSpec], Any],
    names: list[str],
    tolerance: float = 2e-5,
    exact: bool = False,
) -> None:
    """The program's outputs against the replayed ones, twice; and the names of its steps."""
    recording = record(shape, build)
    x = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    for threads in {1, thread_count()}:
        program = Program(recording, Weights(), threads, exact)
        assert [step.name for step in program.steps] == names
        bound = program.bind()
        bound.run(x)
        first = [y.copy() for y in bound.outputs]
        bound.run(x)
        for found, again, expected in zip(
            first, bound.outputs, replay(recording, [x]), strict=True
        ):
            np.testing.assert_array_equal(found, again)
            np.testing.assert_allclose(found, expected, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("size", [8, 13])
def test_a_block_of_convolution_norm_and_activation(size: int, exact: bool) -> None:
    norm = vector(24), vector(24, 3), vector(24, 4), vector(24, 5)

    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.conv2d(x, weights(24, 3, 3, 16), 1, 1, 1)
        return ops.activate(ops.batchnorm(y, *norm), "leaky")  # type: ignore[no-any-return]

    check((2, 16, size, size), build, ["picture", "3x3/1 24 + leaky"], exact=exact)


@pytest.mark.parametrize("c", [3, 16])
def test_pooling_is_fused_where_it_fits(c: int) -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.conv2d(x, weights(16, 3, 3, c), 1, 1, 1)
        y = ops.activate(ops.add_biases(y, vector(16)), "relu")
        return ops.maxpool(y, 2, 2, 1)  # type: ignore[no-any-return]

    check((2, c, 12, 8), build, ["picture", "3x3/1 16 + relu + maxpool"])
    check((2, c, 11, 8), build, ["picture", "3x3/1 16 + relu", "maxpool 2x2/2"])


@pytest.mark.parametrize(
    ("first", "last"), [("linear", "leaky"), ("leaky", "linear"), ("linear", "linear")]
)
@pytest.mark.parametrize("size", [7, 12])
def test_a_shortcut_is_added_before_or_after_the_activation(
    first: str, last: str, size: int
) -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        start = ops.activate(ops.conv2d(x, weights(16, 1, 1, 8), 1, 0, 1), "leaky")
        y = ops.conv2d(start, weights(16, 3, 3, 16, seed=3), 1, 1, 1)
        y = ops.activate(ops.add_biases(y, vector(16)), first)
        return ops.activate(ops.shortcut(y, start, 1.0, 1.0), last)  # type: ignore[no-any-return]

    name = "3x3/1 16" + (" + leaky" if "leaky" in (first, last) else "") + " + add"
    check((1, 8, size, size), build, ["picture", "1x1/1 16 + leaky", name])


def test_shortcuts_of_other_sizes() -> None:
    def build(ops: Tracer, x: TensorSpec) -> list[TensorSpec]:
        small = ops.conv2d(x, weights(32, 3, 3, 16), 2, 1, 1)
        return [ops.shortcut(small, x, 1.0, 1.0), ops.shortcut(x, small, 0.5, 2.0)]

    check((2, 16, 8, 8), build, ["picture", "3x3/2 32", "add", "add"])


def test_channels_that_fill_no_vector_meet_as_the_plain_function_says() -> None:
    def build(ops: Tracer, x: TensorSpec) -> list[TensorSpec]:
        less = ops.conv2d(x, weights(5, 1, 1, 9), 1, 0, 1)
        return [ops.shortcut(x, less, 1.0, 1.0), ops.shortcut(less, x, 0.5, 2.0)]

    recording = record((1, 9, 4, 4), build)
    x = np.random.default_rng(0).random((1, 9, 4, 4), np.float32)
    bound = Program(recording, Weights(), 1, exact=False).bind()
    bound.run(x)
    for found, expected in zip(bound.outputs, replay(recording, [x]), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "stride", "padding", "groups"),
    [
        (1, 1, 0, 1),
        (1, 2, 0, 1),
        (5, 1, 2, 1),
        (7, 2, 3, 1),
        (11, 4, 5, 1),
        (3, 2, 0, 1),
        (3, 1, 1, 2),
        (3, 2, 1, 8),
        (3, 1, 1, 32),
        (1, 1, 0, 4),
    ],
)
def test_windows(size: int, stride: int, padding: int, groups: int) -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        return ops.conv2d(  # type: ignore[no-any-return]
            x, weights(64, size, size, 32 // groups), stride, padding, groups
        )

    recording = record((2, 32, 13, 14), build)
    x = np.random.default_rng(0).random((2, 32, 13, 14), np.float32)
    bound = Program(recording, Weights(), thread_count(), exact=False).bind()
    bound.run(x)
    (expected,) = replay(recording, [x])
    assert [step.algorithm for step in bound.program.steps][1:] != ["plain"]
    np.testing.assert_allclose(bound.outputs[0], expected, atol=3e-5)


@pytest.mark.parametrize("shape", [(1, 16, 9, 200), (2, 20, 5, 3), (3, 8, 1, 7), (1, 64, 23, 193)])
@pytest.mark.parametrize(("filters", "size", "padding"), [(3, 3, 1), (1, 5, 2), (2, 3, 1)])
def test_few_filters(
    shape: tuple[int, int, int, int], filters: int, size: int, padding: int
) -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.conv2d(x, weights(filters, size, size, shape[1]), 1, padding, 1)
        return ops.add_biases(y, vector(filters))  # type: ignore[no-any-return]

    check(shape, build, ["picture", f"{size}x{size}/1 {filters}"])


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize(("filters", "c"), [(24, 3), (4, 4)])
def test_few_channels_on_the_way_back(filters: int, c: int, padding: int) -> None:
    shape = 2, filters, 11, 8

    def build(ops: Tracer, delta: TensorSpec) -> TensorSpec:
        back = 2, 13 - 2 * padding, 10 - 2 * padding, c
        return ops.conv2d_backward_input(  # type: ignore[no-any-return]
            delta, weights(filters, 3, 3, c), back, 1, padding, 1
        )

    check(shape, build, ["picture", f"delta 3x3/1 {c}"])


def test_five_by_five_may_be_transformed_too() -> None:
    shape = 1, 64, 12, 13

    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.conv2d(x, weights(64, 5, 5, 64), 1, 2, 1)
        return ops.activate(ops.add_biases(y, vector(64)), "relu")  # type: ignore[no-any-return]

    check(shape, build, ["picture", "5x5/1 64 + relu"])
    program = Program(record(shape, build), Weights(), thread_count(), exact=False)
    assert program.steps[1].algorithm == "winograd 2x2"


@pytest.mark.parametrize(("c", "groups"), [(32, 32), (24, 12), (20, 5), (3, 3)])
def test_groups_that_share_vectors(c: int, groups: int) -> None:
    norm = vector(c), vector(c, 3), vector(c, 4), vector(c, 5)

    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.conv2d(x, weights(c, 3, 3, c // groups), 2, 1, groups)
        return ops.activate(ops.batchnorm(y, *norm), "leaky")  # type: ignore[no-any-return]

    check((2, c, 13, 10), build, ["picture", f"3x3/2 {c}, {groups} groups + leaky"])


@pytest.mark.parametrize(
    ("c", "filters", "groups"), [(6, 9, 3), (12, 36, 6), (7, 14, 7), (40, 100, 20), (51, 34, 17)]
)
def test_groups_whose_filters_fill_no_vectors(c: int, filters: int, groups: int) -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.conv2d(x, weights(filters, 3, 3, c // groups), 1, 1, groups)
        y = ops.activate(ops.add_biases(y, vector(filters)), "leaky")
        return ops.maxpool(y, 2, 2, 1)  # type: ignore[no-any-return]

    step = f"3x3/1 {filters}, {groups} groups + leaky + maxpool"
    check((2, c, 8, 6), build, ["picture", step])


@pytest.mark.parametrize(
    ("window", "name"),
    [
        (((2, 1), 1, 1), "3x3/1x2 20"),
        (((1, 3), 0, 1), "3x3/3x1 20"),
        ((1, 2, 1, 2), "3x3/1 20, dilation 2"),
        ((2, 9, 1, 9), "3x3/2 20, dilation 9"),
        (((2, 3), 1, 1, 4), "3x3/3x2 20, dilation 4"),
        ((1, 3, 20, 3), "3x3/1 20, 20 groups, dilation 3"),
        (((1, 2), 2, 5, 2), "3x3/2x1 20, 5 groups, dilation 2"),
    ],
)
def test_strides_each_way_and_dilation(window: tuple[Any, ...], name: str) -> None:
    """By the same kernels, and not by the plain functions; with few channels as with many."""
    for c in (20, 40) if window[2] == 1 else (20,):

        def build(ops: Tracer, x: TensorSpec, c: int = c) -> TensorSpec:
            y = ops.conv2d(x, weights(20, 3, 3, c // window[2]), *window)
            return ops.activate(ops.add_biases(y, vector(20)), "relu")  # type: ignore[no-any-return]

        check((2, c, 13, 12), build, ["picture", f"{name} + relu"])


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 2, 2), (1, 0, 3), (2, 1, 2)])
def test_the_delta_of_a_dilated_convolutions_input(
    stride: int, padding: int, dilation: int
) -> None:
    w, v = weights(12, 3, 3, 8), weights(5, 1, 1, 12)

    def build(ops: Tracer, x: TensorSpec) -> Any:
        y = ops.conv2d(x, w, stride, padding, 1, dilation)
        z = ops.conv2d(y, v, 1, 0, 1)
        delta = ops.conv2d_backward_input(z, v, y.shape, 1, 0, 1)
        return ops.conv2d_backward_input(delta, w, x.shape, stride, padding, 1, dilation)

    names = ["picture", f"3x3/{stride} 12, dilation {dilation}", "1x1/1 5", "delta 1x1/1 12"]
    check((2, 8, 11, 9), build, [*names, f"delta 3x3/1 8, dilation {dilation}"])


@pytest.mark.parametrize("c", [1, 4, 24])
@pytest.mark.parametrize(("size", "stride"), [(3, 2), (2, 2), (3, (1, 2)), (2, 1)])
def test_blur(size: int, stride: Any, c: int) -> None:
    program = record((2, c, 7, 9), lambda ops, x: ops.blur(x, size, stride))
    steps = Program(program, Weights(), thread_count(), exact=False).steps
    assert [step.algorithm for step in steps] == ["", "direct"]
    check((2, c, 7, 9), lambda ops, x: ops.blur(x, size, stride), [step.name for step in steps])


@pytest.mark.parametrize("size", [3, 4, 5, 9, 13, 1000])
@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
def test_large_windows_are_pooled_by_columns_and_rows(size: int, stride: Any) -> None:
    """Below zero only: neither borders nor what is between may win."""

    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        return ops.maxpool(ops.add_biases(x, -9 * vector(20)), size, stride, size - 1)  # type: ignore[no-any-return]

    name = {1: "1", 2: "2", (1, 3): "3x1"}[stride]
    check((2, 20, 11, 12), build, ["picture", "add_biases", f"maxpool {size}x{size}/{name}"])


def test_means_of_windows_and_largest_channels() -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        return ops.maxpool_depth(ops.local_avgpool(x, 3, (2, 1), 2), 7)  # type: ignore[no-any-return]

    names = ["picture", "local_avgpool 3x3/1x2", "maxpool depth"]
    check((2, 20, 11, 12), build, names)


def test_concatenated_maps_are_written_side_by_side() -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        one = ops.conv2d(x, weights(16, 3, 3, 16), 1, 1, 1)
        two = ops.concat([one, x])
        three = ops.conv2d(two, weights(32, 1, 1, 32), 1, 0, 1)
        return ops.conv2d(ops.concat([three, two]), weights(8, 3, 3, 64), 1, 1, 1)  # type: ignore[no-any-return]

    names = ["picture", "3x3/1 16", "concat", "1x1/1 32", "concat", "3x3/1 8"]
    check((2, 16, 9, 6), build, names)


def test_dense_layers_take_maps() -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.activate(ops.conv2d(x, weights(10, 3, 3, 4), 1, 1, 1), "relu")
        y = ops.activate(ops.add_biases(ops.dense(y, weights(20, 300)), vector(20)), "relu")
        y = ops.dense(y, weights(7, 20))
        return ops.softmax(y, 1, 2.0)  # type: ignore[no-any-return]

    names = ["picture", "3x3/1 10 + relu", "6x5/1 20 + relu", "1x1/1 7", "softmax"]
    for n in (1, 2, 7):
        check((n, 4, 5, 6), build, names)


def test_the_rest_of_a_classifier() -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.maxpool(ops.crop(x, 1, 2, 8, 8, False, 2.0), 3, 2, 2)
        y = ops.lrn(y, 5, 1e-4, 0.75, 1.0)
        y = ops.activate(ops.upsample(y, 2, 1.0), "tanh")
        return ops.softmax(ops.flatten_chw(ops.activate(y, "ramp")), 1, 1.0)  # type: ignore[no-any-return]

    names = ["picture", "maxpool 3x3/2", "lrn", "upsample", "activate", "activate", "softmax"]
    check((2, 5, 10, 12), build, names)


def test_what_nobody_needs_is_left_out() -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        ops.conv2d(x, weights(8, 3, 3, 8), 1, 1, 1)
        return ops.avgpool(ops.activate(ops.concat([x]), "linear"))  # type: ignore[no-any-return]

    check((2, 8, 5, 5), build, ["picture", "avgpool"])


def test_maps_that_are_outputs_stay() -> None:
    def build(ops: Tracer, x: TensorSpec) -> list[TensorSpec]:
        ys = [x]
        for seed in range(4):
            ys.append(ops.conv2d(ys[-1], weights(8, 3, 3, 8, seed=seed), 1, 1, 1))
        return [ys[1], ys[3], ys[4]]

    check((1, 8, 6, 6), build, ["picture"] + ["3x3/1 8"] * 4)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", [0, 1])
def test_deltas_go_back_through_convolutions(stride: int, padding: int) -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        w = weights(16, 3, 3, 8)
        y = ops.conv2d(x, w, stride, padding, 1)
        return ops.conv2d_backward_input(y, w, x.shape, stride, padding, 1)  # type: ignore[no-any-return]

    for size in ((9, 8), (12, 11)):
        recording = record((2, 8, *size), build)
        x = np.random.default_rng(0).standard_normal((2, 8, *size)).astype(np.float32)
        bound = Program(recording, Weights(), thread_count(), exact=False).bind()
        bound.run(x)
        (expected,) = replay(recording, [x])
        assert all(step.algorithm != "plain" for step in bound.program.steps)
        np.testing.assert_allclose(bound.outputs[0], expected, atol=3e-5 * abs(expected).max())


def test_the_way_of_a_dream() -> None:
    """Fixed statistics go into the weights, forward and back."""
    norm = vector(16), vector(16, 3), vector(16, 4), vector(16, 5)
    w, v = weights(16, 3, 3, 3), weights(8, 3, 3, 16)

    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        raw = ops.conv2d(x, w, 1, 1, 1)
        y = ops.activate(ops.batchnorm(raw, *norm), "leaky")
        pooled = ops.maxpool(y, 2, 2, 1)
        z = ops.conv2d(pooled, v, 1, 1, 1)
        delta = ops.conv2d_backward_input(ops.dream_delta(z, 0.5), v, pooled.shape, 1, 1, 1)
        delta = ops.maxpool_backward(delta, y, 2, 2, 1)
        delta = ops.activate_backward(delta, y, "leaky")
        delta, _, _ = ops.batchnorm_fixed_backward(delta, raw, norm[0], *norm[2:])
        return ops.conv2d_backward_input(delta, w, x.shape, 1, 1, 1)  # type: ignore[no-any-return]

    names = ["picture", "3x3/1 16 + leaky", "maxpool 2x2/2", "3x3/1 8", "dream", "delta 3x3/1 16"]
    last = ["delta maxpool 2x2/2 + delta leaky", "delta 3x3/1 3"]
    check((2, 3, 8, 10), build, [*names, *last])


@pytest.mark.parametrize(("activation", "size"), [("leaky", 7), ("ramp", 8), ("relu", 14)])
def test_deltas_pass_activations_where_they_are_made(activation: str, size: int) -> None:
    w, v = weights(16, 3, 3, 8), weights(24, 3, 3, 16)

    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.activate(ops.conv2d(x, w, 1, 1, 1), activation)
        z = ops.conv2d(y, v, 1, 1, 1)
        delta = ops.conv2d_backward_input(z, v, y.shape, 1, 1, 1)
        delta = ops.activate_backward(delta, y, activation)
        return ops.conv2d_backward_input(delta, w, x.shape, 1, 1, 1)  # type: ignore[no-any-return]

    names = [f"3x3/1 16 + {activation}", "3x3/1 24", f"delta 3x3/1 16 + delta {activation}"]
    for exact in (False, True):
        shape = 2, 8, size, size + 1
        check(shape, build, ["picture", *names, "delta 3x3/1 8"], tolerance=5e-5, exact=exact)


@pytest.mark.parametrize("activation", ["leaky", "linear"])
def test_deltas_go_back_through_a_stride_behind_others(activation: str) -> None:
    """Between gaps, a map has pitches of its own: nothing is fused that would need another's."""
    w, v = weights(16, 3, 3, 8), weights(24, 3, 3, 16)

    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.activate(ops.conv2d(x, w, 2, 1, 1), activation)
        z = ops.conv2d(y, v, 1, 1, 1)
        delta = ops.conv2d_backward_input(z, v, y.shape, 1, 1, 1)
        delta = ops.activate_backward(ops.add(y, delta), y, activation)
        return ops.conv2d_backward_input(delta, w, x.shape, 2, 1, 1)  # type: ignore[no-any-return]

    recording = record((2, 8, 13, 10), build)
    x = np.random.default_rng(0).standard_normal((2, 8, 13, 10)).astype(np.float32)
    bound = Program(recording, Weights(), thread_count(), exact=False).bind()
    bound.run(x)
    (expected,) = replay(recording, [x])
    np.testing.assert_allclose(bound.outputs[0], expected, atol=3e-5 * abs(expected).max())


def test_a_pooled_delta_goes_to_the_first_of_equals() -> None:
    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.activate(x, "relu")  # half of all values become equal
        return ops.maxpool_backward(ops.maxpool(y, 2, 2, 1), y, 2, 2, 1)  # type: ignore[no-any-return]

    names = ["picture", "activate", "maxpool 2x2/2", "delta maxpool 2x2/2"]
    check((2, 8, 6, 10), build, names, tolerance=0)


def test_weights_that_move_are_packed_in_each_run() -> None:
    w = weights(8, 3, 3, 8)
    recording = record((1, 8, 6, 6), lambda ops, x: ops.conv2d(x, w, 1, 1, 1))
    x = np.random.default_rng(0).random((1, 8, 6, 6), np.float32)
    bound = Program(recording, Weights(), 1, exact=False, changing=True).bind()
    for _ in range(2):
        bound.run(x)
        np.testing.assert_allclose(bound.outputs[0], replay(recording, [x])[0], atol=2e-5)
        w *= -2


@pytest.mark.parametrize("n", [1, 3])
def test_an_average_comes_before_a_convolution_of_single_pixels(n: int) -> None:
    norm = vector(40), vector(40, 3), vector(40, 4), vector(40, 5)

    def build(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.conv2d(x, weights(40, 1, 1, 16), 1, 0, 1)
        y = ops.avgpool(ops.batchnorm(y, *norm))
        y = ops.conv2d(y, weights(9, 1, 1, 40), 1, 0, 1)
        return ops.add_biases(y, vector(9))  # type: ignore[no-any-return]

    check((n, 16, 7, 5), build, ["picture", "avgpool", "1x1/1 40", "1x1/1 9"])


def test_an_average_stays_behind_what_is_not_linear_or_wanted_itself() -> None:
    def curved(ops: Tracer, x: TensorSpec) -> TensorSpec:
        y = ops.activate(ops.conv2d(x, weights(8, 1, 1, 16), 1, 0, 1), "leaky")
        return ops.avgpool(y)  # type: ignore[no-any-return]

    def wanted(ops: Tracer, x: TensorSpec) -> list[TensorSpec]:
        y = ops.conv2d(x, weights(8, 1, 1, 16), 1, 0, 1)
        return [y, ops.avgpool(y)]

    check((2, 16, 6, 6), curved, ["picture", "1x1/1 8 + leaky", "avgpool"])
    check((2, 16, 6, 6), wanted, ["picture", "1x1/1 8", "avgpool"])
