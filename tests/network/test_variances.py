"""Rolling variances a hair below zero, as real weights have them, count as 0 everywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.network import Network
from darknet_py.tasks.weights_tools import denormalize, normalize, reset
from tests.support.networks import CPU, FLOAT64, make_network, pictures, truths

LAST = "[connected]\noutput=3\nactivation=linear\n[softmax]\n"
NORMS = {
    "convolutional": "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\n",
    "grouped": "[convolutional]\nfilters=4\nsize=3\ngroups=2\nbatch_normalize=1\n",
    "connected": "[connected]\noutput=4\nbatch_normalize=1\nactivation=tanh\n",
    "batchnorm": "[convolutional]\nfilters=4\n[batchnorm]\n",
    "rnn": "[rnn]\noutput=4\nbatch_normalize=1\n",
    "gru": "[gru]\noutput=4\nbatch_normalize=1\n",
    "lstm": "[lstm]\noutput=4\nbatch_normalize=1\n",
}
NET = "[net]\nheight=4\nwidth=5\nchannels=2\nbatch=2\nlearning_rate=.01\n"


def with_variance(net: Network, value: float) -> Network:
    for parameter in net.parameters():
        if parameter.name == "rolling_variance":
            parameter.value[::2] = value
        elif parameter.name in ("rolling_mean", "scales"):
            parameter.value *= 1e-6  # what is divided by 1e-6 stays small
    net.changed()
    return net


def test_the_c_programs_answer(tmp_path: Path) -> None:
    """Its root of such a number is 0, as the compiler flushes it: .1 + (.5 - .5) / 1e-6."""
    net = make_network(
        "[net]\nheight=4\nwidth=4\nchannels=1\n"
        "[convolutional]\nbatch_normalize=1\nfilters=2\nsize=1\nactivation=leaky\n"
    )
    values = [[0.1, -0.2], [1, 1], [0.5, 0], [-7.006e-44, 0.25], [1, 2]]
    for parameter, value in zip(net.parameters(), values, strict=True):
        parameter.value = np.array(value, np.float32).reshape(parameter.shape)
    net.save_weights(tmp_path / "some.weights")
    net.load_weights(tmp_path / "some.weights")
    x = np.full((1, 1, 4, 4), 0.5, np.float32)
    for n in (1, 8):
        for found in net.predict(np.repeat(x, n, axis=0)):
            np.testing.assert_allclose(found[:16], 0.1, rtol=1e-6)
            np.testing.assert_allclose(found[16:], 1 / 0.500001 - 0.2, rtol=1e-5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", NORMS)
@pytest.mark.parametrize("exact", [False, True], ids=["compiled", "plain"])
def test_a_hair_below_zero_is_zero(kind: str, exact: bool) -> None:
    """In what is predicted, in gradients, and where a frozen layer lies in a training."""

    def answers(variance: float) -> list[np.ndarray]:
        text = NET + "[convolutional]\nfilters=2\n" + NORMS[kind] + LAST
        net = with_variance(make_network(text, FLOAT64 if exact else CPU), variance)
        x, delta = pictures(net), np.ones((2, 3), np.float32)
        found = [*net.activations(x), *net.vjp(x, delta, len(net.layers) - 2, [-1]).deltas]
        found.append(net.image_delta(x, 2, 0.1))
        for layer in net.layers[1:-2]:
            layer.frozen = True
        for _ in range(2):
            net.train_step(x, truths(net))
        return [*found, *(parameter.value for parameter in net.parameters() if parameter.learned)]

    for below, zero in zip(answers(-7e-44), answers(0), strict=True):
        assert np.isfinite(zero).all()
        np.testing.assert_array_equal(below, zero)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("tool", [denormalize, reset, normalize])
def test_tools_of_weights_see_zero_too(tool: object) -> None:
    net = make_network(NET + NORMS["convolutional"] + "[convolutional]\nfilters=3\n" + LAST)
    x = pictures(with_variance(net, -7e-44))
    expected = net.predict(x)
    other = tool(net) or net  # type: ignore[operator]
    np.testing.assert_allclose(other.predict(x), expected, rtol=1e-4)


@pytest.mark.parametrize("kind", ["convolutional", "grouped", "connected"])
def test_a_norm_that_is_not_folded(kind: str) -> None:
    """Of a channel that hardly varies far from zero float32 would lose what it says."""
    text = NET + "[convolutional]\nfilters=2\n" + NORMS[kind] + LAST

    def of(ops: object) -> Network:
        net = with_variance(make_network(text, ops), -7e-44)
        for parameter in net.layers[1].parameters():
            if parameter.name == "rolling_mean":
                parameter.value += 0.5
        net.changed()
        return net

    net, exact = of(CPU), of(FLOAT64)
    x, delta = pictures(net), np.ones((2, 3), np.float32)
    for frozen in (False, True):
        for each in (net, exact):
            each.layers[1].frozen = frozen
        np.testing.assert_allclose(net.predict(x), exact.predict(x), 1e-3)
        found, expected = (each.vjp(x, delta, 2, [-1]).deltas[0] for each in (net, exact))
        np.testing.assert_allclose(found, expected, 0, 1e-3 * np.abs(expected).max())
    for _ in range(2):
        assert net.train_step(x, truths(net)) == pytest.approx(
            exact.train_step(x, truths(net)), rel=1e-3
        )
