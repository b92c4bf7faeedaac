"""[batchnorm], and batch normalisation wherever it stands."""

from __future__ import annotations

import numpy as np
import pytest

from darknet_py.layers import Layer
from tests.support.gradients import check_layer, make_inputs, make_layer, ops

BATCHNORM = "[net]\nheight=3\nwidth=4\nchannels=5\n[batchnorm]\n"


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("n", [1, 3])
def test_gradients(train: bool, n: int) -> None:
    check_layer(BATCHNORM, train=train, n=n)


def test_in_training_each_channel_is_normalised() -> None:
    layer, (x,) = make_layer(BATCHNORM), make_inputs(BATCHNORM, n=4)
    x = 3 * x + 7
    scales, mean, variance = layer.parameters()
    before = mean.value.copy(), variance.value.copy()
    y = layer.forward(x, ops, True)[0]
    deviation = x.std(axis=(0, 1, 2), ddof=1)
    expected = (x - x.mean(axis=(0, 1, 2))) / (deviation + 1e-6) * scales.value
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mean.value, 0.99 * before[0] + 0.01 * x.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(variance.value, 0.99 * before[1] + 0.01 * deviation**2)


def test_in_inference_the_rolling_ones_are_used_and_kept() -> None:
    layer, (x,) = make_layer(BATCHNORM), make_inputs(BATCHNORM)
    scales, mean, variance = (p.value.copy() for p in layer.parameters())
    y = layer.forward(x, ops, False)[0]
    expected = (x - mean) / (np.sqrt(variance) + 1e-6) * scales
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    for parameter, before in zip(layer.parameters(), (scales, mean, variance), strict=True):
        np.testing.assert_array_equal(parameter.value, before)


def test_a_channel_without_variance_gives_finite_values() -> None:
    layer = make_layer(BATCHNORM)
    y = layer.forward(np.full((2, 3, 4, 5), 7.0), ops, True)[0]
    np.testing.assert_array_equal(y, np.zeros((2, 3, 4, 5)))


def test_one_value_has_no_variance() -> None:
    layer = make_layer("[net]\ninputs=5\n[batchnorm]\n")
    y = layer.forward(np.arange(5.0).reshape(1, 1, 1, 5), ops, True)[0]
    np.testing.assert_array_equal(y, np.zeros((1, 1, 1, 5)))


def test_parameters_in_the_order_of_a_file() -> None:
    assert [(p.name, p.shape, p.learned, p.decay) for p in make_layer(BATCHNORM).parameters()] == [
        ("scales", (5,), True, False),
        ("rolling_mean", (5,), False, False),
        ("rolling_variance", (5,), False, False),
    ]


def test_untrained_it_changes_nothing() -> None:
    layer, (x,) = make_layer(BATCHNORM), make_inputs(BATCHNORM)
    rng = np.random.default_rng(0)
    for parameter in layer.parameters():
        parameter.value = parameter.initialise(rng, parameter.shape)
    np.testing.assert_allclose(layer.forward(x, ops, False)[0], x, rtol=2e-6)


def test_table() -> None:
    assert make_layer(BATCHNORM).describe() == (
        "batchnorm                  4 x   3 x   5   ->     4 x   3 x   5"
    )


# AlexeyAB's rules


def alexeyab(text: str = BATCHNORM) -> Layer:
    return make_layer(text, rules="alexeyab")


@pytest.mark.parametrize("train", [True, False])
def test_gradients_by_alexeyabs_rules(train: bool) -> None:
    check_layer(BATCHNORM, train=train, n=3, rules="alexeyab")


def test_alexeyabs_epsilon_averages_and_biases() -> None:
    layer, (x,) = alexeyab(), make_inputs(BATCHNORM, n=4)
    biases, scales, mean, variance = layer.parameters()
    assert layer.parameters()[0].name == "biases"
    before = mean.value.copy(), variance.value.copy()
    x *= 1e-2  # so that the epsilon counts
    y = layer.forward(x, ops, False)[0]
    expected = (x - before[0]) / np.sqrt(before[1] + 1e-5) * scales.value + biases.value
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    spread = x.var(axis=(0, 1, 2), ddof=1)
    y = layer.forward(x, ops, True)[0]
    centered = x - x.mean(axis=(0, 1, 2))
    expected = centered / np.sqrt(spread + 1e-5) * scales.value + biases.value
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(mean.value, 0.9 * before[0] + 0.1 * x.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(variance.value, 0.9 * before[1] + 0.1 * spread)
