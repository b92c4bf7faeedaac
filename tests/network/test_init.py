from __future__ import annotations

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import CfgError, DarknetError, ShapeError
from darknet_py.network import Network
from darknet_py.network import init as draw
from tests.support.networks import CPU, LAYERS, SMALL, make_network, pictures, truths, values


def test_initialise_draws_what_has_no_values() -> None:
    text = SMALL + "seed=5\n[convolutional]\nfilters=50\nsize=3\nbatch_normalize=1\n"
    network = Network(parse_sections(text), "my.cfg", CPU)
    network.initialise()
    named = {parameter.name: parameter.value for parameter in network.parameters()}
    for name, expected in (
        ("biases", 0),
        ("scales", 1),
        ("rolling_mean", 0),
        ("rolling_variance", 1),
    ):
        np.testing.assert_array_equal(named[name], np.full(50, expected))
    weights = named["weights"]
    assert weights.dtype == np.float32
    assert weights.std() == pytest.approx(np.sqrt(2 / (3 * 3 * 2)), rel=0.1)
    assert abs(weights.mean()) < 0.05
    before = weights.copy()
    network.initialise(seed=99)
    np.testing.assert_array_equal(weights, before, "values that are there stay")

    again = Network(parse_sections(text), "my.cfg", CPU)
    again.initialise()
    np.testing.assert_array_equal(again.parameters()[-1].value, before)
    other = Network(parse_sections(text), "my.cfg", CPU)
    other.initialise(seed=99)
    assert not np.array_equal(other.parameters()[-1].value, before)


def test_weights_that_there_is_no_memory_for_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "available_memory", lambda: 5_000_000_000)
    text = "[net]\ninputs=100000\n[connected]\noutput=20000\n"
    network = Network(parse_sections(text), "my.cfg", CPU)
    with pytest.raises(CfgError) as caught:
        network.initialise()
    assert str(caught.value) == "my.cfg: asks for 8.0 GB of weights, and 5.0 GB of memory are free"


def trained(text: str) -> Network:
    """A network after two batches with an average."""
    network = make_network(text)
    network.keep_average(0.9)
    for seed in (1, 2):
        network.train_step(pictures(network, seed=seed), truths(network, seed))
    return network


NORMALIZED = SMALL.replace("\n", "\nbatch=4\noptimizer=adam\n", 1) + LAYERS.replace(
    "filters=4\n", "filters=4\nbatch_normalize=1\n"
)


def test_reinitialise_draws_chosen_layers_alone() -> None:
    network = trained(NORMALIZED)
    before = values(network)
    network.reinitialise([0], 7)
    first = len(network.layers[0].parameters())
    biases, scales, mean, variance, weights = values(network)[:first]
    assert not biases.any()
    assert (scales == 1).all()
    assert not mean.any()
    assert (variance == 1).all()
    assert not (weights == before[4]).any()
    for found, expected in zip(values(network)[first:], before[first:], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_what_reinitialise_draws_depends_on_seed_and_layer_alone() -> None:
    networks = [trained(NORMALIZED), make_network(NORMALIZED, seed=5)]
    networks[0].reinitialise([0, 2], 7)
    networks[1].reinitialise([2], 7)
    one, other = (network.layers[2].parameters()[-1].value for network in networks)
    np.testing.assert_array_equal(one, other)
    networks[1].reinitialise([2], 8)
    assert not np.array_equal(one, networks[1].layers[2].parameters()[-1].value)


def test_nothing_is_remembered_of_what_was_there() -> None:
    """Momentum, moments, average and programs: training goes on as from a fresh optimiser."""
    network = trained(NORMALIZED)
    network.predict(pictures(network))
    network.reinitialise([2], 7)
    moments = network.optimiser.moments
    assert not set(network.layers[2].parameters()) & moments.keys()
    assert network.layers[0].parameters()[0] in moments
    fresh = make_network(NORMALIZED)
    for parameter, value in zip(fresh.parameters(), values(network), strict=True):
        parameter.value[...] = value
    fresh.changed()
    np.testing.assert_array_equal(
        network.predict(pictures(network)), fresh.predict(pictures(fresh))
    )
    network.train_step(pictures(network), truths(network))
    assert network.average is not None
    for parameter in network.layers[2].parameters():
        np.testing.assert_array_equal(network.average.values[parameter], parameter.value)


def test_reinitialise_names_what_has_no_weights() -> None:
    network = make_network(NORMALIZED)
    before = values(network)
    with pytest.raises(DarknetError, match=r"layer 1 \[maxpool\] has no weights to draw"):
        network.reinitialise([0, 1], 0)
    with pytest.raises(ShapeError, match="there is no layer 9"):
        network.reinitialise([0, 9], 0)
    for found, expected in zip(values(network), before, strict=True):
        np.testing.assert_array_equal(found, expected)
