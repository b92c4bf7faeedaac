from __future__ import annotations

import numpy as np
import pytest

from darknet_py.errors import ShapeError
from darknet_py.network import Network
from darknet_py.network.vjp import PICTURE
from tests.support.golden import relative_error
from tests.support.networks import CLASSIFIER, FLOAT64, NET, SMOOTH, make_network, random_picture

SCORES = 5


def delta_for(net: Network, layer: int, n: int = 2) -> np.ndarray:
    size = net.layers[layer].out_shape.size
    return np.random.default_rng(5).normal(size=(n, size)).astype(np.float32)


def two(net: Network) -> np.ndarray:
    return np.stack([random_picture(net, 2), random_picture(net, 3)])


@pytest.mark.parametrize("start", [SCORES, 6])
def test_what_reaches_the_picture_is_the_gradient(start: int) -> None:
    """Before and after softmax, through branches, numerically."""
    net = make_network(SMOOTH, FLOAT64)
    x, delta = two(net).astype(np.float64), delta_for(net, start).astype(np.float64)
    found = net.vjp(x, delta, start, [PICTURE]).deltas[0]
    assert found.shape == x.shape
    step, flat = 1e-5, x.reshape(-1)
    for place in np.random.default_rng(4).permutation(flat.size)[:40]:
        value = flat[place]
        sums = []
        for moved in (value + step, value - step):
            flat[place] = moved
            sums.append(float((net.output(x, start).reshape(2, -1) * delta).sum()))
        flat[place] = value
        gradient = (sums[0] - sums[1]) / (2 * step)
        assert found.reshape(-1)[place] == pytest.approx(gradient, rel=1e-6, abs=1e-9)


def test_what_reaches_a_layer_is_the_gradient() -> None:
    """A convolution's biases are added to its whole map: their gradient is its deltas' sum."""
    linear = SMOOTH.replace(
        "[shortcut]", "[convolutional]\nfilters=6\nactivation=linear\n[shortcut]"
    )
    net = make_network(linear.replace("from=-2", "from=-3"), FLOAT64)
    layer, scores = 2, 6
    x, delta = two(net).astype(np.float64), delta_for(net, scores).astype(np.float64)
    found = net.vjp(x, delta, scores, [layer])
    np.testing.assert_allclose(found.maps[0], net.activations(x)[layer], rtol=1e-12)
    biases = net.layers[layer].parameters()[0].value
    step = 1e-5
    for channel in range(len(biases)):
        sums = []
        for moved in (step, -step):
            biases[channel] += moved
            sums.append(float((net.output(x, scores).reshape(2, -1) * delta).sum()))
            biases[channel] -= moved
        gradient = (sums[0] - sums[1]) / (2 * step)
        assert found.deltas[0][:, channel].sum() == pytest.approx(gradient, rel=1e-6)


@pytest.mark.parametrize("text", [CLASSIFIER, SMOOTH])
def test_programs_give_what_plain_kernels_give(text: str) -> None:
    """For several places at once, the picture among them, where a map is read by two layers."""
    net, exact = make_network(text), make_network(text, FLOAT64)
    start = len(net.layers) - 2
    x, delta = two(net), delta_for(net, start)
    ends = [0, 2, PICTURE]
    found = net.vjp(x, delta, start, ends)
    expected = exact.vjp(x.astype(np.float64), delta.astype(np.float64), start, ends)
    for some, others in zip(found, expected, strict=True):
        for one, other in zip(some, others, strict=True):
            assert relative_error(one, other) < 1e-5
    assert found.maps[2] is x
    again = net.vjp(x, delta, start, ends)
    for one, other in zip(found.deltas, again.deltas, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_delta_beside_a_stride() -> None:
    """It lies between gaps of zeros in memory."""
    text = NET + "[convolutional]\nfilters=16\nsize=3\nstride=2\npad=1\nactivation=linear\n"
    net, exact = make_network(text), make_network(text, FLOAT64)
    x = two(net)
    for seed in (1, 2):
        delta = np.random.default_rng(seed).normal(size=(2, 16, 6, 8)).astype(np.float32)
        found = net.vjp(x, delta, 0, [PICTURE]).deltas[0]
        expected = exact.vjp(x.astype(float), delta.astype(float), 0, [PICTURE]).deltas[0]
        assert relative_error(found, expected) < 1e-5


def test_each_picture_by_itself() -> None:
    net = make_network(CLASSIFIER)
    x, delta = two(net), delta_for(net, 4)
    both = net.vjp(x, delta, 4, [PICTURE]).deltas[0]
    for k in range(2):
        alone = net.vjp(x[k : k + 1], delta[k : k + 1], 4, [PICTURE]).deltas[0]
        assert relative_error(both[k : k + 1], alone) < 1e-5


def test_other_sizes() -> None:
    net = make_network(CLASSIFIER)
    larger = net.resized(w=20, h=14)
    x = random_picture(larger)[None]
    delta = delta_for(net, 4, 1)
    one, other = (each.vjp(x, delta, 4, [PICTURE, 2]) for each in (net, larger))
    assert one.deltas[0].shape == (1, 3, 14, 20)
    assert one.deltas[1].shape == (1, 8, 7, 10)
    np.testing.assert_array_equal(one.deltas[0], other.deltas[0])


@pytest.mark.parametrize("layer", range(6))
def test_one_layers_output(layer: int) -> None:
    net = make_network(CLASSIFIER)
    x = two(net)
    found, expected = net.output(x, layer), net.activations(x)[layer]
    assert found.shape == expected.shape
    assert relative_error(found, expected) < 1e-5


def test_nothing_is_kept_and_nothing_edited() -> None:
    net = make_network(CLASSIFIER)
    x, delta = two(net), delta_for(net, 4)
    before = x.copy(), delta.copy()
    layers = [dict(vars(layer)) for layer in net.layers]
    net.vjp(x, delta, 4, [PICTURE, 1])
    net.output(x, 2)
    assert [vars(layer) for layer in net.layers] == layers
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(delta, before[1])


def test_layers_that_cannot_be() -> None:
    net = make_network(CLASSIFIER)
    x, delta = two(net), delta_for(net, 4)
    with pytest.raises(ShapeError, match="there is no layer 6: expected 0 to 5"):
        net.vjp(x, delta, 6, [0])
    with pytest.raises(ShapeError, match="there is no layer -1"):
        net.output(x, -1)
    for end in (4, 5, -2):
        with pytest.raises(ShapeError, match=f"layer {end} is not before layer 4"):
            net.vjp(x, delta, 4, [end])
    with pytest.raises(ShapeError, match=r"expected a delta of shape \(2, 5\), found \(2, 4\)"):
        net.vjp(x, delta[:, :4], 4, [0])


def test_a_layer_from_which_nothing_leads_there() -> None:
    text = NET + "[convolutional]\nfilters=4\n[convolutional]\nfilters=4\n[route]\nlayers=-2\n"
    net = make_network(text)
    x = two(net)
    with pytest.raises(ShapeError, match="nothing leads from layer 1 to layer 2"):
        net.vjp(x, delta_for(net, 2), 2, [1])
    assert net.vjp(x, delta_for(net, 2), 2, [0]).deltas[0].any()
