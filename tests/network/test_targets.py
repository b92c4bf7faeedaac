"""Deltas at layers, carried to the picture: numerical gradients, for every kind of layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from darknet_py.layers import LAYERS
from darknet_py.network import Network
from darknet_py.network.targets import Guided, Match, Score, StandOut, Target
from tests.support.networks import FLOAT64, make_network, pictures

NET = "[net]\nheight=8\nwidth=12\nchannels=3\n"
CONV = "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=tanh\n"
NORM = "[convolutional]\nfilters=4\nsize=3\npad=1\nbatch_normalize=1\nactivation=leaky\n"
STEP = 1e-6

WAYS = {
    "activation": "[activation]\nactivation=elu\n",
    "avgpool": "[avgpool]\n",
    "batchnorm": "[batchnorm]\n",
    "connected": "[connected]\noutput=20\nactivation=leaky\nbatch_normalize=1\n",
    "convolutional": "[convolutional]\nfilters=6\nsize=3\nstride=2\nbatch_normalize=1\n"
    "activation=relu\n",
    "cost": "[cost]\n",
    "crnn": "[crnn]\noutput_filters=4\nhidden_filters=3\nactivation=tanh\n",
    "crop": "[crop]\ncrop_height=6\ncrop_width=9\n",
    "Gaussian_yolo": "[convolutional]\nfilters=11\nactivation=linear\n"
    "[Gaussian_yolo]\nclasses=2\nnum=1\nmask=0\nanchors=1,2\nscale_x_y=1.1\n",
    "detection": "[connected]\noutput=28\n[detection]\nside=2\nclasses=2\ncoords=4\nsoftmax=1\n",
    "dropout": "[dropout]\n",
    "empty": "[empty]\n",
    "gru": "[gru]\noutput=6\n",
    "l2norm": "[l2norm]\n",
    "local_avgpool": "[local_avgpool]\nsize=3\nstride=2\n",
    "local": "[local]\nfilters=3\nsize=3\nactivation=tanh\n",
    "logistic": "[logistic]\n",
    "lstm": "[lstm]\noutput=6\n",
    "maxpool": "[maxpool]\nsize=3\nstride=2\n",
    "normalization": "[normalization]\nsize=3\nalpha=.1\nbeta=.75\nkappa=1\n",
    "region": "[convolutional]\nfilters=14\nactivation=linear\n"
    "[region]\nclasses=2\ncoords=4\nnum=2\nsoftmax=1\n",
    "reorg": "[reorg]\nstride=2\n",
    "reorg3d": "[reorg3d]\nstride=2\n",
    "rnn": "[rnn]\noutput=6\n",
    "route": "[route]\nlayers=-1,0\n",
    "sam": "[sam]\nfrom=0\nactivation=tanh\n",
    "scale_channels": "[avgpool]\n[scale_channels]\nfrom=0\nactivation=leaky\n",
    "shortcut": "[shortcut]\nfrom=0\nactivation=leaky\n",
    "softmax": "[softmax]\ntemperature=2\n",
    "upsample": "[upsample]\nstride=2\n",
    "yolo": "[convolutional]\nfilters=7\nactivation=linear\n"
    "[yolo]\nclasses=2\nnum=1\nmask=0\nanchors=1,2\n",
}
"""A layer of each kind, between convolutions."""
LAST = {"Gaussian_yolo", "detection", "region", "yolo"}
"""Kinds that only stand at the end."""


def check(
    network: Network, targets: Sequence[Target], objective: Callable[[np.ndarray], float]
) -> np.ndarray:
    """Asserts that the delta is the gradient of an objective of the picture (1, c, h, w)."""
    x = pictures(network, 1).astype(np.float64)
    delta = network.delta_towards(x, targets)
    assert delta.shape == x.shape
    flat = x.reshape(-1)
    places = np.random.default_rng(4).permutation(flat.size)[:30]
    numerical = np.empty(len(places))
    for k, place in enumerate(places):
        value = flat[place]
        flat[place] = value + STEP
        above = objective(x)
        flat[place] = value - STEP
        numerical[k] = (above - objective(x)) / (2 * STEP)
        flat[place] = value
    scale = max(np.abs(numerical).max(), 1e-6)
    assert np.abs(numerical).max() > 0
    np.testing.assert_allclose(delta.reshape(-1)[places], numerical, rtol=0, atol=2e-6 * scale)
    return delta


def half_squares(network: Network, target: StandOut) -> Callable[[np.ndarray], float]:
    """Half the sum of squares of what stands out at the picture; nearby that stays the same."""
    x = pictures(network, 1).astype(np.float64)
    (y,) = network.outputs_of(x, [target.layer])
    chosen = np.zeros_like(y, bool)
    channels = list(target.channels) or slice(None)
    part = y[:, channels]
    limit = part.mean() + target.thresh * part.std() if target.limit is None else target.limit
    chosen[:, channels] = part > limit
    assert 0 < chosen.mean() < 1

    def objective(x: np.ndarray) -> float:
        (y,) = network.outputs_of(x, [target.layer])
        return target.weight * float((y[chosen] ** 2).sum()) / 2

    return objective


def test_every_kind_is_looked_at() -> None:
    assert WAYS.keys() == {layer.kind for layer in LAYERS.values()}


@pytest.mark.parametrize("kind", WAYS)
def test_a_dream_goes_back_through_every_kind_of_layer(kind: str) -> None:
    end = "" if kind in LAST else "[convolutional]\nfilters=5\nactivation=tanh\n"
    network = make_network(NET + CONV + NORM + WAYS[kind] + end, FLOAT64)
    assert kind in [layer.kind for layer in network.layers[2:]]
    target = StandOut(len(network.layers) - 1, 0.3)
    check(network, [target], half_squares(network, target))


def test_channels_alone() -> None:
    network = make_network(NET + CONV + NORM, FLOAT64)
    target = StandOut(1, 0.5, channels=(3, 1), weight=0.5)
    check(network, [target], half_squares(network, target))


def test_a_limit_that_was_measured_elsewhere() -> None:
    network = make_network(NET + CONV + NORM, FLOAT64)
    target = StandOut(1, 100.0, limit=0.05)
    check(network, [target], half_squares(network, target))


def test_several_layers_add_up_by_their_weights() -> None:
    network = make_network(NET + CONV + NORM + WAYS["maxpool"] + CONV, FLOAT64)
    targets = [StandOut(3, 0.2), StandOut(1, 0.5, weight=0.25), StandOut(1, 0.1, (2,), 2.0)]
    objectives = [half_squares(network, target) for target in targets]
    delta = check(network, targets, lambda x: sum(objective(x) for objective in objectives))
    x = pictures(network, 1).astype(np.float64)
    alone = [network.delta_towards(x, [target]) for target in targets]
    np.testing.assert_allclose(delta, sum(alone), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("end", ["[avgpool]\n", "[connected]\noutput=4\nactivation=linear\n", ""])
def test_a_score(end: str) -> None:
    network = make_network(NET + CONV + NORM + end, FLOAT64)
    last, index = len(network.layers) - 1, 3

    def objective(x: np.ndarray) -> float:
        return float(network.outputs_of(x, [last])[0].reshape(-1)[index])

    check(network, [Score(last, index)], objective)


def test_a_guide() -> None:
    network = make_network(NET + CONV + NORM, FLOAT64)
    features = np.random.default_rng(7).normal(size=(11, 4))

    def objective(x: np.ndarray) -> float:
        (y,) = network.outputs_of(x, [1])
        return 0.5 * float((y[0].reshape(4, -1).T @ features.T).max(axis=1).sum())

    check(network, [Guided(1, features, 0.5)], objective)


def test_a_match() -> None:
    network = make_network(NET + CONV + NORM, FLOAT64)
    wanted = np.random.default_rng(7).normal(size=(8, 12, 4))

    def objective(x: np.ndarray) -> float:
        (y,) = network.outputs_of(x, [1])
        return -float(np.square(y[0].transpose(1, 2, 0) - wanted).sum()) / 2

    check(network, [Match(1, wanted)], objective)


KINDS: list[list[Target]] = [
    [StandOut(3, 0.2)],
    [StandOut(3, 0.2, (1, 2), 0.5), StandOut(1, 1.0)],
    [StandOut(3, limit=0.1), StandOut(3, 0.3, weight=2.0)],
    [Score(3, 5)],
    [Guided(3, np.random.default_rng(1).random((6, 4), np.float32))],
    [Match(3, np.random.default_rng(2).random((4, 6, 4), np.float32)), StandOut(0)],
]


@pytest.mark.parametrize("targets", KINDS)
def test_programs_give_what_plain_functions_give(targets: list[Target]) -> None:
    text = NET + CONV + NORM + "[maxpool]\nstride=2\n" + NORM
    network, plain = make_network(text), make_network(text, FLOAT64)
    x = pictures(network, 1)
    for seed in (2, 3):  # the second time the program is there
        x = pictures(network, 1, seed)
        expected = plain.delta_towards(x.astype(np.float64), targets)
        found = network.delta_towards(x, targets)
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-4 * np.abs(expected).max())


def test_programs_are_kept_for_targets_that_differ_in_what_they_are_given() -> None:
    network = make_network(NET + CONV + NORM)
    x = pictures(network, 1)
    one, other = (network.delta_towards(x, [StandOut(1, limit=limit)]) for limit in (0.1, 0.4))
    fresh = make_network(NET + CONV + NORM).delta_towards(x, [StandOut(1, limit=0.4)])
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(other, fresh)
