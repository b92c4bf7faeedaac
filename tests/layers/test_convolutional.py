from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import DarknetError
from darknet_py.layers.base import Wanted, Window
from darknet_py.layers.convolutional import Convolutional
from darknet_py.network import passes
from darknet_py.ops.activations import ACTIVATIONS
from darknet_py.tasks.weights_tools.entrance import rescale
from darknet_py.tasks.weights_tools.norm import denormalize
from tests.support import reference
from tests.support.gradients import check_layer, make_inputs, make_layer, ops
from tests.support.layers import mistake, warnings
from tests.support.networks import FLOAT64, SMALL, make_network, pictures, values

NET = "[net]\nheight=5\nwidth=6\nchannels=4\n"
CONV = NET + "[convolutional]\nactivation=linear\n"

WINDOWS = [
    "filters=3",
    "filters=3\nsize=3\npad=1",
    "filters=3\nsize=3",
    "filters=3\nsize=2\npad=1",
    "filters=3\nsize=3\nstride=2\npad=1",
    "filters=2\nsize=1\nstride=2\npadding=1",
    "filters=2\nsize=5\nstride=3\npadding=4",
    "filters=2\nsize=5",
    "filters=4\nsize=3\npad=1\ngroups=2",
    "filters=8\nsize=3\nstride=2\npad=1\ngroups=4",
]

"""Windows of one stride and without holes."""
APART = [
    "filters=3\nsize=3\npad=1\nstride_x=2\nstride_y=1",
    "filters=2\nsize=3\nstride=2\nstride_y=3\nstride_x=0\npadding=1",
    "filters=3\nsize=3\npad=1\ndilation=2",
    "filters=4\nsize=3\npad=1\nstride=2\ngroups=2\ndilation=3",
    "filters=2\nsize=2\ndilation=4",
    "filters=3\nsize=3\npad=1\nstride=2\nantialiasing=1",
    "filters=3\nsize=2\nstride_x=2\nantialiasing=2",
    "filters=3\nsize=3\nstride=4\ndilation=2\nantialiasing=7",
]


def make_conv(text: str) -> Convolutional:
    layer = make_layer(text)
    assert isinstance(layer, Convolutional)
    return layer


@pytest.mark.parametrize("window", WINDOWS + APART)
@pytest.mark.parametrize("train", [True, False])
def test_gradients(window: str, train: bool) -> None:
    check_layer(CONV + window, train=train)


@pytest.mark.parametrize("window", WINDOWS[1:9:3] + APART[::2])
@pytest.mark.parametrize("train", [True, False])
def test_gradients_with_batch_normalize(window: str, train: bool) -> None:
    check_layer(f"{CONV}{window}\nbatch_normalize=1", train=train)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch_normalize", [0, 1])
def test_gradients_of_every_activation(activation: str, batch_normalize: int) -> None:
    keys = f"filters=3\nsize=3\nbatch_normalize={batch_normalize}\nactivation={activation}"
    check_layer(f"{NET}[convolutional]\n{keys}")


def test_a_size_1_window_keeps_to_its_stride_and_padding() -> None:
    text = CONV + "filters=3\nstride=2\npadding=1"
    layer, (x,) = make_layer(text), make_inputs(text)
    weights, biases = (p.value for p in reversed(layer.parameters()))
    y = layer.forward(x, ops, False)[0]
    assert y.shape == (2, 4, 4, 3)
    expected = np.zeros((2, 4, 4, 3))
    expected[:, 1:3, 1:] = x[:, 1::2, 1::2] @ weights.reshape(3, 4).T
    np.testing.assert_allclose(y, expected + biases, rtol=1e-12)


def test_a_stride_each_way_and_holes_in_the_window() -> None:
    text = CONV + "filters=6\nsize=3\npad=1\nstride_x=2\nstride_y=3\ngroups=2\ndilation=2"
    layer, (x,) = make_conv(text), make_inputs(text)
    expected = reference.conv2d(x, layer.weights.value, (3, 2), 2, 2, 2) + layer.biases.value
    y = layer.forward(x, ops, False)[0]
    assert y.shape == (2, *layer.out_shape) == (2, 2, 3, 6)
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_a_window_of_one_pixel_has_no_holes() -> None:
    assert make_conv(CONV + "dilation=99\npadding=1").window == (1, 1, 1, 1)


@pytest.mark.parametrize(("antialiasing", "size"), [(1, 3), (2, 2), (3, 3)])
def test_antialiasing_blurs_after_the_activation(antialiasing: int, size: int) -> None:
    keys = "filters=3\nsize=3\npad=1\n"
    text = NET + "[convolutional]\nactivation=relu\n" + keys
    strides = f"stride_x=2\nstride_y=3\nantialiasing={antialiasing}"
    layer, plain, (x,) = make_conv(text + strides), make_conv(text), make_inputs(text)
    row = np.array([1, 2, 1] if size == 3 else [1, 1]) / (4 if size == 3 else 2)
    weights = np.tile(np.outer(row, row)[:, :, None], (3, 1, 1, 1))
    before = plain.forward(x, ops, False)[0]
    expected = reference.conv2d(before, weights, (3, 2), size // 3, 3)
    y = layer.forward(x, ops, False)[0]
    assert y.shape == (2, *layer.out_shape)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    assert layer.operations() == plain.operations()
    assert not make_layer(CONV + "antialiasing=1").is_pointwise


# Shared weights

SHARING = (
    NET + "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=tanh\n"
    "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=elu\n"
    "share_index=0\nstride=2\n"
    "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=linear\n"
    "share_index=-1\ndilation=2\n"
)
"""A chain of three."""


@pytest.mark.parametrize("train", [True, False])
def test_shared_weights_learn_of_all_that_use_them(train: bool) -> None:
    net = make_network(SHARING, FLOAT64)
    layers, parameters = net.layers, net.parameters()
    assert [len(layer.parameters()) for layer in layers] == [5, 0, 0]
    assert [layer.describe()[:5] for layer in layers] == ["conv ", "convS", "convS"]
    kept = [p.value.copy() for p in parameters]
    x = ops.to_hwc(pictures(net, 2).astype(np.float64))
    delta = np.random.default_rng(5).normal(size=(2, *layers[-1].out_shape))

    def objective() -> float:
        for parameter, value in zip(parameters, kept, strict=True):
            if not parameter.learned:
                parameter.value[...] = value
        y = passes.forward(layers, FLOAT64, x, 2, train=train).outputs[2]
        return float((y * delta).sum())

    for parameter in parameters:
        parameter.updates = np.zeros(parameter.shape) if parameter.learned else None
    objective()
    tape = passes.forward(layers, FLOAT64, x, 2, train=train)
    passes.backward(layers, FLOAT64, tape, {2: delta}, Wanted(False, True))
    for parameter in parameters:
        if not parameter.learned:
            continue
        flat, updates = parameter.value.reshape(-1), parameter.updates.reshape(-1)
        for place in range(0, flat.size, 7):
            value = flat[place]
            flat[place] = value + 1e-6
            above = objective()
            flat[place] = value - 1e-6
            numerical = (above - objective()) / 2e-6
            flat[place] = value
            assert updates[place] == pytest.approx(numerical, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("key", "moves"), [("stopbackward=1", ""), ("use_global_stats=1", "bsw")])
def test_who_shares_is_frozen_with_the_owner(key: str, moves: str) -> None:
    """moves: how the names of parameters begin that learn."""
    first, rest = SHARING.split("[convolutional]\n", 1)
    end = "[convolutional]\nfilters=3\n[avgpool]\n[softmax]\n"
    net = make_network(f"{first}[convolutional]\n{key}\n{rest}{end}")
    before = values(net)
    net.train_step(pictures(net, 1), np.eye(3, dtype=np.float32)[:1])
    for parameter, old in zip(net.layers[0].parameters(), before, strict=False):
        stays = np.array_equal(parameter.value, old)
        assert stays == (parameter.name[0] not in moves), parameter.name


def test_shared_weights_in_files_and_at_other_sizes(tmp_path: Path) -> None:
    net, other = make_network(SHARING), make_network(SHARING, seed=9)
    net.save_weights(tmp_path / "some.weights")
    assert (tmp_path / "some.weights").stat().st_size == 20 + 4 * (4 * 4 + 4 * 9 * 4)
    other.load_weights(tmp_path / "some.weights")
    x = pictures(net, 2)
    np.testing.assert_array_equal(net.predict(x), other.predict(x))
    larger = net.resized(12, 10)
    assert larger.layers[2].shares is larger.layers[1]
    alone = make_network(SHARING.replace("height=5\nwidth=6", "height=10\nwidth=12"))
    x = pictures(larger, 2)
    np.testing.assert_array_equal(larger.predict(x), alone.predict(x))


def test_shared_statistics_are_those_of_all_who_use_them() -> None:
    net = make_network(SHARING)
    x = pictures(net, 6)
    net.update_bn([x])
    mean, variance = (each.value for each in net.layers[0].parameters()[2:4])
    layers = [layer for layer in net.layers if isinstance(layer, Convolutional)]
    found, y = [], ops.to_hwc(x)
    for layer in layers:
        raw = ops.conv2d(y, layer.weights.value, *layer.window)
        found.append(ops.batch_statistics(raw))
        y = layer.forward(y, ops, True)[0]
    lows, highs = np.min(found, axis=0), np.max(found, axis=0)
    assert (mean >= lows[0] - 0.05).all()
    assert (mean <= highs[0] + 0.05).all()
    assert (variance >= 0.8 * lows[1]).all()


def test_tools_know_shared_weights() -> None:
    net, plain = make_network(SHARING), denormalize(make_network(SHARING))
    assert [len(layer.parameters()) for layer in plain.layers] == [2, 0, 0]
    x = pictures(net, 2)
    expected = net.predict(x)
    np.testing.assert_allclose(plain.predict(x), expected, atol=1e-4 * np.abs(expected).max())
    with pytest.raises(DarknetError, match=r"layer 1 .* shares the weights of layer 0"):
        rescale(net)


@pytest.mark.parametrize(
    ("before", "keys", "message"),
    [
        ("[maxpool]\n", "", "=0: layer 0 is [maxpool]: expected [convolutional]"),
        ("[conv]\n", "filters=2", "=0: layer 0 has filters 1: expected 2, as here"),
        ("[conv]\nsize=3\n", "", "=0: layer 0 has size 3: expected 1, as here"),
        ("[conv]\n", "", "=0: layer 0 has input channels 4: expected 1, as here"),
        ("[conv]\nfilters=4\n", "filters=4\nbatch_normalize=1",
         "=0: layer 0 has batch_normalize 0: expected 1, as here"),
        ("[conv]\nfilters=4\ngroups=2\n", "filters=4",
         "=0: layer 0 has groups 2: expected 1, as here"),
        ("", "", "=0: there is no such layer before layer 0"),
    ],
)  # fmt: skip
def test_weights_that_cannot_be_shared(before: str, keys: str, message: str) -> None:
    said = mistake(f"{NET}{before}[convolutional]\nshare_index=0\n{keys}")
    assert said.endswith(f": [convolutional] share_index{message}")


OVERHANGING = [
    ("height=2\nwidth=2", "filters=3\nsize=3\nstride=2"),
    ("height=5\nwidth=2", "filters=3\nsize=3\nstride=2"),
    ("height=2\nwidth=3", "filters=4\nsize=5\nstride=3\npadding=1\ngroups=2"),
    ("height=1\nwidth=7", "filters=3\nsize=4\nstride=4\nbatch_normalize=1"),
]


@pytest.mark.parametrize(("shape", "window"), OVERHANGING)
def test_a_window_larger_than_its_map_by_less_than_a_stride(shape: str, window: str) -> None:
    """As the C program: it sees zeros behind the map."""
    text = f"[net]\n{shape}\nchannels=4\n[convolutional]\nactivation=tanh\n{window}"
    check_layer(text, n=3)
    layer, (x,) = make_conv(text), make_inputs(text)
    y = layer.forward(x, ops, False)[0]
    size, stride, padding, groups = layer.size, layer.stride, layer.padding, layer.groups
    behind = [max(size - 2 * padding - length, 0) for length in x.shape[1:3]]
    padded = np.pad(x, ((0, 0), (0, behind[0]), (0, behind[1]), (0, 0)))
    *_, weights = (parameter.value for parameter in layer.parameters())
    products = reference.conv2d(padded, weights, stride, padding, groups)
    if layer.norm:
        products, _ = layer.norm.forward(products, layer.biases.value, ops, False)
    else:
        products += layer.biases.value
    np.testing.assert_allclose(y, np.tanh(products), rtol=1e-12)


def test_windows_that_are_too_large() -> None:
    text = "[net]\nheight=2\nwidth=2\nchannels=4\n[convolutional]\nsize=4\nstride=2"
    assert mistake(text).endswith(
        "[convolutional] a 2 x 2 x 4 input gives a 0 x 0 x 1 output: expected at least 1 x 1 x 1"
    )


# Signs


def test_the_c_programs_xnor() -> None:
    text = "[net]\nheight=1\nwidth=1\nchannels=2\n[convolutional]\nactivation=linear\n"
    x = np.array([0.3, 0.7]).reshape(1, 1, 1, 2)
    for keys, expected in (
        ("", -0.65),
        ("xnor=1", 0.25),
        ("binary=1", -0.15),
        ("xnor=1\nbinary=1", 0.25),
    ):
        layer = make_conv(text + keys)
        layer.biases.value[:] = 0.25
        layer.weights.value[...] = np.array([0.5, -1.5]).reshape(1, 1, 1, 2)
        np.testing.assert_allclose(layer.forward(x, ops, False)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("window", [*WINDOWS, "filters=3\nsize=7\nstride=4"])
@pytest.mark.parametrize("key", ["xnor", "binary"])
def test_signs(key: str, window: str, train: bool) -> None:
    """Zeros of padding stay zeros; learning goes straight through."""
    text = f"{CONV}{window}\n{key}=1"
    layer, plain, (x,) = make_conv(text), make_conv(CONV + window), make_inputs(text)
    x[0, 0, 0] = 0
    weights = layer.weights.value
    size = np.abs(weights).mean(axis=(1, 2, 3), keepdims=True)
    signs = np.where(weights > 0, size, -size)
    plain.weights.value = signs
    y, saved = layer.forward(x, ops, train)
    if key == "binary":
        expected, plain_saved = plain.forward(x, ops, train)
    else:
        h, w = layer.room
        seen = np.pad(np.where(x > 0, 1.0, -1.0), ((0, 0), (0, h - 5), (0, w - 6), (0, 0)))
        how = layer.window
        expected = reference.conv2d(seen, signs, *how) + layer.biases.value
        plain.weights.value = weights
        _, plain_saved = plain.forward(x, ops, train)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    delta, wanted = np.random.default_rng(5).normal(size=y.shape), Wanted(True, True)
    for found, other in zip(
        layer.backward(delta, saved, ops, wanted),
        plain.backward(delta, plain_saved, ops, wanted),
        strict=True,
    ):
        np.testing.assert_allclose(found, other, rtol=1e-12)
    for one, two in zip(layer.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(one.updates, two.updates, rtol=1e-12)
    assert layer.weights.value is weights


@pytest.mark.parametrize("key", ["xnor", "binary"])
def test_signs_do_not_hide_what_is_no_number(key: str) -> None:
    text = f"{CONV}filters=2\nsize=3\n{key}=1"
    layer, (x,) = make_conv(text), make_inputs(text)
    layer.weights.value[1, 0, 0, 0] = np.nan
    y = layer.forward(x, ops, True)[0]
    assert np.isfinite(y[..., 0]).all()
    assert np.isnan(y[..., 1]).all()
    x[0, 0, 0, 0] = np.nan
    assert np.isnan(layer.forward(x, ops, True)[0][0, 0, 0]).all()


def test_signs_of_a_map_come_before_its_mean() -> None:
    """Where [avgpool] follows, which is otherwise done first."""
    text = SMALL + "[convolutional]\nfilters=3\nactivation=linear\nxnor=1\n[avgpool]\n[softmax]\n"
    net, exact = make_network(text), make_network(text, FLOAT64)
    x = pictures(net, 3) - 0.5
    np.testing.assert_allclose(net.predict(x), exact.predict(x), rtol=1e-5)
    assert not net.layers[0].is_pointwise


def test_an_input_delta_that_nobody_wants_is_not_computed() -> None:
    layer, (x,) = make_layer(CONV), make_inputs(CONV)
    y, saved = layer.forward(x, ops, True)
    assert layer.backward(y, saved, ops, Wanted(input_deltas=False, updates=True)) == [None]


def test_defaults() -> None:
    layer = make_layer(NET + "[conv]")
    assert layer.kind == "convolutional"
    assert layer.out_shape == (5, 6, 1)
    assert [p.name for p in layer.parameters()] == ["biases", "weights"]
    x = np.zeros((1, 5, 6, 4))
    np.testing.assert_allclose(
        layer.forward(x, ops, False)[0], 1 / (1 + np.exp(-layer.parameters()[0].value[0]))
    )


def test_pad_is_a_flag_and_beats_padding() -> None:
    assert make_layer(CONV + "size=5\npad=1").out_shape == (5, 6, 1)
    assert make_layer(CONV + "size=5\npad=1\npadding=9").out_shape == (5, 6, 1)
    assert make_layer(CONV + "size=5\npadding=1").out_shape == (3, 4, 1)


@pytest.mark.parametrize("pad", ["2", "-1", "7x"])
def test_pad_is_any_number_but_0(pad: str) -> None:
    text = f"{CONV}size=5\npad={pad}"
    assert make_layer(text).out_shape == (5, 6, 1)
    assert warnings(text) == [
        f"<text>:8: [convolutional] pad={pad} is read as padding=2, size // 2"
    ]
    assert make_layer(f"{CONV}size=5\npad=x").out_shape == (1, 2, 1)


def test_parameters_in_the_order_of_a_file() -> None:
    layer = make_layer(CONV + "filters=6\nsize=3\ngroups=2\nbatch_normalize=1")
    assert [(p.name, p.shape, p.learned, p.decay) for p in layer.parameters()] == [
        ("biases", (6,), True, False),
        ("scales", (6,), True, False),
        ("rolling_mean", (6,), False, False),
        ("rolling_variance", (6,), False, False),
        ("weights", (6, 3, 3, 2), True, True),
    ]


def test_table() -> None:
    text = CONV + "filters=16\nsize=3\nstride=2\npad=1\ngroups=2"
    layer = make_layer(text)
    assert layer.describe() == "conv     16  3 x 3 / 2     6 x   5 x   4   ->     3 x   3 x  16"
    assert layer.operations() == 2 * 16 * 3 * 3 * 2 * 3 * 3


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        ("size=3\npad=1\nstride_x=1\nstride_y=2", "conv      1  3x 3/ 1x 2 "),
        ("size=3\npad=1\nstride=2\ndilation=2", "conv      1  3 x 3/ 2(2)"),
        ("size=3\npad=1\nstride=2\nantialiasing=1", "conv      1  3 x 3 / 2  "),
    ],
)
def test_table_of_alexeyabs_keys(keys: str, title: str) -> None:
    layer = make_layer(CONV + keys)
    assert layer.describe()[:24] == layer.title == title


def test_input_windows() -> None:
    for keys, expected in (
        ("size=3\npad=1\nstride=2", Window(3, Fraction(2), 1)),
        ("size=3\npad=1\nstride_x=2\nstride_y=3", Window(3, Fraction(6), 1)),
        ("size=3\npad=1\ndilation=2", Window(5, Fraction(1), 2)),
        ("size=3\npad=1\nstride=2\nantialiasing=1", Window(5, Fraction(2), 2)),
        ("size=3\npad=1\nstride=2\nantialiasing=2", Window(4, Fraction(2), 1)),
    ):
        assert make_layer(CONV + keys).input_window == expected


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("filters=0", "filters=0: expected a whole number of 1 or more"),
        ("stride=0", "stride=0: expected a whole number of 1 or more"),
        ("padding=-1", "padding=-1: expected a whole number of 0 or more"),
        ("groups=3", "groups=3: expected a divisor of the 1 filters"),
        ("groups=0", "groups=0: expected a whole number of 1 or more"),
        ("dilation=0\nsize=3", "dilation=0: expected a whole number from 1 to 6"),
        ("dilation=99999\nsize=3\npad=1", "dilation=99999: expected a whole number from 1 to 6"),
    ],
)
def test_mistakes_are_named(keys: str, message: str) -> None:
    assert mistake(f"{NET}[convolutional]\n{keys}") == f"<text>:6: [convolutional] {message}"


def test_mistakes_that_need_two_lines_are_named() -> None:
    assert mistake(NET + "[conv]\nfilters=6\ngroups=3") == (
        "<text>:7: [conv] groups=3: expected a divisor of the 4 input channels"
    )
    assert mistake(NET + "[conv]\nsize=6") == (
        "<text>:5: [conv] a 6 x 5 x 4 input gives a 1 x 0 x 1 output: expected at least 1 x 1 x 1"
    )
