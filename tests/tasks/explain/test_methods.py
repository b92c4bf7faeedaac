"""What each method's heat is, on networks small enough to know it otherwise."""

from __future__ import annotations

import numpy as np
import pytest

from darknet_py.network import Network
from darknet_py.tasks.explain.methods import (
    gradcam,
    gradcam_plus_plus,
    integrated_gradients,
    occlusion,
    saliency,
)
from darknet_py.tasks.explain.target import score_layer
from tests.support.networks import CLASSIFIER, NET, SMOOTH, make_network, random_picture

SUM = NET + "[convolutional]\nfilters=2\nactivation=linear\n[avgpool]\n[softmax]\n"
"""Scores are weighted means of the colours."""


@pytest.fixture
def net() -> Network:
    return make_network(CLASSIFIER)


def linear_network() -> Network:
    net = make_network(SUM)
    biases, weights = net.parameters()
    biases.value[...] = [3, -5]
    weights.value[...] = np.array([[1, 2, -3], [0, 0.5, 0]])[:, None, None]
    net.changed()
    return net


def scores_of(net: Network, x: np.ndarray) -> np.ndarray:
    return net.output(x, score_layer(net)).reshape(len(x), -1)


# Grad-CAM


def test_gradcam_of_a_class_map_is_that_map(net: Network) -> None:
    """Its gradient is one over the number of pixels, and 0 in the other classes' maps."""
    x = random_picture(net)
    maps = net.activations(x[None])[3][0]
    found = gradcam(net, x, [0, 4, 2], 3)
    expected = np.maximum(maps[[0, 4, 2]], 0) / maps[0].size
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_gradcam_weighs_channels_by_their_mean_gradient(net: Network) -> None:
    x = random_picture(net)
    delta = np.eye(5, dtype=np.float32)[[1]]
    carried = net.vjp(x[None], delta, 4, [0])
    weights = [channel.mean() for channel in carried.deltas[0][0]]
    expected = sum(w * channel for w, channel in zip(weights, carried.maps[0][0], strict=True))
    np.testing.assert_allclose(
        gradcam(net, x, [1], 0)[0], np.maximum(expected, 0), rtol=1e-4, atol=1e-7
    )


def test_gradcam_plus_plus_by_the_papers_formula() -> None:
    """Equation 19 with derivatives of exp(score), on maps that are nowhere below 0."""
    net = make_network(SMOOTH.replace("tanh", "logistic"))
    x, layer = random_picture(net), 1
    carried = net.vjp(x[None], np.eye(4, dtype=np.float32)[[2]], score_layer(net), [layer])
    maps, g = (each[0][0].astype(np.float64) for each in carried)
    assert maps.min() >= 0
    heat = np.zeros(maps.shape[1:])
    for a, d in zip(maps, g, strict=True):
        alpha = d**2 / (2 * d**2 + a.sum() * d**3)
        heat += (alpha * np.maximum(d, 0)).sum() * a
    found = gradcam_plus_plus(net, x, [2], layer)[0]
    np.testing.assert_allclose(found, np.maximum(heat, 0), rtol=1e-3)


def test_gradcam_plus_plus_of_a_class_map_is_gradcam_up_to_a_factor(net: Network) -> None:
    x = random_picture(net)
    one, other = gradcam(net, x, [1], 3)[0], gradcam_plus_plus(net, x, [1], 3)[0]
    assert one.max() > 0
    np.testing.assert_allclose(other / other.max(), one / one.max(), rtol=1e-4, atol=1e-6)


# Pixels


def test_saliency_is_the_largest_gradient_of_a_pixels_colours() -> None:
    net = linear_network()
    x = random_picture(net)
    found = saliency(net, x, [0, 1])
    np.testing.assert_allclose(found, np.full((2, 12, 16), [[[3]], [[0.5]]]) / 192, rtol=1e-5)


def test_integrated_gradients_of_a_linear_network_are_exact() -> None:
    net = linear_network()
    x = random_picture(net)
    found = integrated_gradients(net, x, [1, 0], steps=2)
    weights = np.array([[0, 0.5, 0], [1, 2, -3]])[:, :, None, None]
    np.testing.assert_allclose(found.parts, weights * x / 192, rtol=1e-5, atol=1e-9)
    scores = scores_of(net, np.stack([x, np.zeros_like(x)]))
    np.testing.assert_allclose(found.rise, (scores[0] - scores[1])[[1, 0]], rtol=1e-5)


def test_integrated_gradients_are_complete() -> None:
    """From black, and from another picture, through what is not linear."""
    net = make_network(SMOOTH)
    x, other = random_picture(net), random_picture(net, 9)
    for baseline in (None, other):
        found = integrated_gradients(net, x, [0, 1, 2, 3], baseline, steps=16)
        start = np.zeros_like(x) if baseline is None else baseline
        scores = scores_of(net, np.stack([x, start]))
        np.testing.assert_allclose(found.rise, scores[0] - scores[1], rtol=1e-4)
        np.testing.assert_allclose(found.parts.sum(axis=(1, 2, 3)), found.rise, rtol=0.0101)


def test_integrated_gradients_take_more_steps_where_the_sum_is_off(
    net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    plain = net.vjp

    def counting(x: np.ndarray, *rest: object) -> object:
        calls.append(len(x))
        return plain(x, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(net, "vjp", counting)
    x = random_picture(net)
    integrated_gradients(net, x, [0], steps=4, within=1e9)
    assert sum(calls) == 4
    calls.clear()
    integrated_gradients(net, x, [0], steps=4, within=0)
    assert sum(calls) == 4 + 8 + 16


def test_occlusion_is_the_mean_fall_of_the_score() -> None:
    """By the plainest loop over covers."""
    net = make_network(SMOOTH)
    x, size = random_picture(net), 5
    tops, lefts = [0, 2, 4, 6, 7], [0, 2, 4, 6, 8, 10, 11]
    falls, count = np.zeros((12, 16)), np.zeros((12, 16))
    whole = scores_of(net, x[None])[0, 2]
    for top in tops:
        for left in lefts:
            covered = x.copy()
            covered[:, top : top + size, left : left + size] = 0.5
            falls[top : top + size, left : left + size] += (
                whole - scores_of(net, covered[None])[0, 2]
            )
            count[top : top + size, left : left + size] += 1
    found = occlusion(net, x, [2, 0], size)
    assert found.shape == (2, 12, 16)
    np.testing.assert_allclose(found[0], falls / count, rtol=1e-3, atol=1e-5)


def test_occlusion_covers_every_pixel_whatever_the_size(net: Network) -> None:
    x = random_picture(net)
    for size in (1, 2, 11, 12, 500, None):
        found = occlusion(net, x, [1], size)
        assert np.isfinite(found).all()


def test_one_picture_is_not_edited(net: Network) -> None:
    x = random_picture(net)
    before = x.copy()
    gradcam(net, x, [1], 2)
    gradcam_plus_plus(net, x, [1], 2)
    saliency(net, x, [1])
    occlusion(net, x, [1])
    integrated_gradients(net, x, [1], steps=4)
    np.testing.assert_array_equal(x, before)


def test_several_classes_are_each_as_if_alone(net: Network) -> None:
    x = random_picture(net)
    for method in (saliency, occlusion):
        both = method(net, x, [3, 1])
        for k, index in enumerate((3, 1)):
            np.testing.assert_allclose(both[k], method(net, x, [index])[0], rtol=1e-4, atol=1e-6)
