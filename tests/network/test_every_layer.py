"""Every kind of layer, in twists of its keys drawn at random: its programs
against the plain functions in float64, and training that goes on from files and copies.

scripts/torture has more of the same: these are its networks (scripts/trials/networks.py).
"""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from random import Random

import numpy as np
import pytest

from darknet_py.cfg.keys import UNCOMPUTED, WITHOUT_EFFECT
from darknet_py.cfg.sections import parse_sections
from darknet_py.layers import LAYERS
from darknet_py.network.builder import build
from darknet_py.network.state import read_state, save_state
from darknet_py.ops.activations import ACTIVATIONS as COMPUTED
from scripts.trials import networks
from scripts.trials.layers import draw, measure
from scripts.trials.networks import ACTIVATIONS, KINDS
from tests.support.networks import CPU, FLOAT64, make_network


def test_all_kinds_are_here() -> None:
    assert set(KINDS) == {layer.kind for layer in LAYERS.values()}, "see scripts/trials/networks.py"


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_is_drawn(kind: str) -> None:
    """Whoever adds a key to a layer adds it to the networks that are tried, in all its values."""
    drawn: dict[str, set[str]] = {}
    asked: set[str] = set()
    for seed in range(300):
        sections = parse_sections(networks.network_text(kind, Random(seed)))
        if seed < 20:
            build(sections, "my.cfg")
        for section in sections[3:4]:  # behind [net] and two convolutions
            asked |= section._read
            for key, value in section.values.items():
                drawn.setdefault(key, set()).add(value.text)
    known = {key for name in ("*", kind) for key in (*WITHOUT_EFFECT.get(name, ()),)}
    known |= {key for name in ("*", kind) for key in UNCOMPUTED.get(name, {})}
    known |= {"map", "tree"}  # files, see tests/layers/test_tree.py
    assert asked - known == set(drawn)
    if "activation" in drawn:
        assert drawn["activation"] == set(ACTIVATIONS) == set(COMPUTED)
    for key, values in drawn.items():
        is_one = values == {"1"} or kind in ("detection", "region")
        assert len(values) > 1 or is_one, f"{key}={values}"


@pytest.mark.parametrize("kind", KINDS)
def test_programs(kind: str) -> None:
    """All outputs, gradients at the picture, losses, updates and values, between guard pages, as
    far from float64 as rounding goes; see scripts/trials/rounding.py."""
    assert measure(Random(f"0/{kind}"), kind)[1] <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_goes_on(kind: str, tmp_path: Path) -> None:
    """From weights, a state, a copy and a pickle."""
    given = None
    random = Random(f"on/{kind}")
    while given is None:
        given = draw(kind, random)
    net = make_network(given.text)
    net.initialise()
    start = [parameter.value.copy() for parameter in net.parameters()]
    for x, y, weights in given.batches:
        net.predict(given.x)  # what is made of parameters for it is forgotten when they move
        net.train_step(x, y, weights)
    moved = zip(net.parameters(), start, strict=True)
    assert any(not np.array_equal(parameter.value, old) for parameter, old in moved)
    predicted = net.predict(given.x)
    save_state(tmp_path / "some.state", net, {})
    again = make_network(given.text, seed=9)
    read_state(tmp_path / "some.state", again).restore(again)
    twins = [again, copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    if "dontsave" not in given.text and "dontload" not in given.text:
        net.save_weights(tmp_path / "some.weights")
        other = make_network(given.text, seed=9)
        other.load_weights(tmp_path / "some.weights")
        np.testing.assert_array_equal(other.predict(given.x), predicted)
        assert other.seen == net.seen
    x, y, weights = given.batches[0]
    loss = net.train_step(x, y, weights)
    for twin in twins:
        np.testing.assert_array_equal(twin.predict(given.x), predicted)
        assert twin.train_step(x, y, weights) == loss
        for one, two in zip(net.parameters(), twin.parameters(), strict=True):
            np.testing.assert_array_equal(one.value, two.value, one.name)
    assert twins[0].ops is CPU


@pytest.mark.parametrize(
    ("middle", "first"),
    [
        # of one number a channel
        ("[connected]\noutput=9\nbatch_normalize=1\nactivation=leaky\n", 0),
        # of one number throughout: what arrives before it are rounding errors, times a million
        ("[batchnorm]\n", 1),
        (
            "[convolutional]\nfilters=6\nbatch_normalize=1\nactivation=relu\n[maxpool]\nstride=2\n",
            2,
        ),
    ],
)
def test_channels_without_variance_are_their_biases(middle: str, first: int) -> None:
    """What they are normalised by is a million: nothing may be left of them before."""
    text = (
        "[net]\nheight=4\nwidth=4\nchannels=2\nbatch=1\n"
        "[convolutional]\nfilters=6\nsize=1\nactivation=linear\n"
        f"{middle}[connected]\noutput=3\nactivation=linear\n[softmax]\n"
    )
    net, exact = make_network(text), make_network(text, FLOAT64)
    x, y = np.full((1, 2, 4, 4), 0.7, np.float32), np.eye(3, dtype=np.float32)[:1]
    assert net.accumulate(x, y, None) == pytest.approx(exact.accumulate(x, y, None), rel=1e-5)
    layers = zip(net.layers[first:], exact.layers[first:], strict=True)
    pairs = (zip(a.parameters(), b.parameters(), strict=True) for a, b in layers)
    for one, other in (pair for each in pairs for pair in each):
        if one.learned:
            np.testing.assert_allclose(one.updates, other.updates, 1e-4, 1e-5, err_msg=one.name)
