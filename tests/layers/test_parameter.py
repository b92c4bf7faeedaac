"""Parameters in wrong hands: what replaces one is taken rightly, or refused by name."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.errors import NotFiniteError, ShapeError
from darknet_py.network import Network
from tests.support.networks import SMOOTH, make_network, pictures, truths

XNOR = (
    "[net]\nheight=6\nwidth=6\nchannels=2\n"
    "[convolutional]\nfilters=3\nsize=3\nxnor=1\nactivation=linear\n"
    "[connected]\noutput=3\nactivation=linear\n[softmax]\n"
)


class Foreign:
    """As torch's tensors: no ndarray, but one can be made of it."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._values


class Guarded:
    """As torch's tensors that need a gradient."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise RuntimeError("call detach() first")


def fresh(net: Network, x: np.ndarray) -> np.ndarray:
    """What a network with the same values predicts that has no programs yet."""
    return copy.deepcopy(net).predict(x)


def _unaligned(values: np.ndarray) -> np.ndarray:
    return np.frombuffer(b"x" + values.tobytes(), np.uint8)[1:].view("<f4").reshape(values.shape)


def _read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


def _mapped(values: np.ndarray, folder: Path) -> np.ndarray:
    values.tofile(folder / "values")
    return np.memmap(folder / "values", np.float32, "r", shape=values.shape)


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "Fortran": np.asfortranarray,
    "strided": lambda values: np.repeat(values, 2, axis=-1)[..., ::2],
    "backwards": lambda values: values[::-1].copy()[::-1],
    "transposed": lambda values: np.ascontiguousarray(values.T).T,
    "float64": lambda values: values.astype(np.float64),
    "float16": lambda values: values.astype(np.float16),
    "longdouble": lambda values: values.astype(np.longdouble),
    "int8": lambda values: (8 * values).astype(np.int8),
    "uint64": lambda values: (8 * np.abs(values)).astype(np.uint64),
    "swapped": lambda values: values.astype(">f4"),
    "read-only": _read_only,
    "unaligned": _unaligned,
    "list": np.ndarray.tolist,
    "foreign": Foreign,
    "broadcast": lambda values: np.broadcast_to(np.float32(0.25), values.shape),
}
"""Of the right shape and real numbers: all of them say what is meant."""


@pytest.mark.parametrize("form", [*FORMS, "mapped"])
def test_what_says_what_is_meant_is_taken_rightly(form: str, tmp_path: Path) -> None:
    net = make_network(SMOOTH)
    x, y = pictures(net, 1), truths(net)
    net.predict(x)
    expected: list[np.ndarray] = []
    for number, parameter in enumerate(net.parameters()):
        values = np.random.default_rng(number).uniform(0.2, 1, parameter.shape).astype(np.float32)
        given = _mapped(values, tmp_path) if form == "mapped" else FORMS[form](values)
        parameter.value = given
        expected.append(np.array(given, np.float32))
        assert parameter.value.dtype == np.float32
        np.testing.assert_array_equal(parameter.value, expected[-1])
    predicted = net.predict(x)
    assert np.isfinite(predicted).all()
    np.testing.assert_array_equal(predicted, fresh(net, x))
    net.save_weights(tmp_path / "some.weights")
    again = make_network(SMOOTH, seed=5)
    again.load_weights(tmp_path / "some.weights")
    np.testing.assert_array_equal(again.predict(x), predicted)
    assert net.train_step(x, y) == again.train_step(x, y)
    for one, other in zip(net.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((4, 384), np.float32), "expected shape (4, 336), found (4, 384)"),
        (np.zeros((4, 335), np.float32), "expected shape (4, 336), found (4, 335)"),
        (np.zeros(1344, np.float32), "expected shape (4, 336), found (1344,)"),
        (np.zeros((1, 4, 336), np.float32), "expected shape (4, 336), found (1, 4, 336)"),
        (np.float32(1), "expected shape (4, 336), found ()"),
        ([], "expected shape (4, 336), found (0,)"),
        (np.zeros((4, 336), complex), "expected real numbers, found complex128"),
        (np.zeros((4, 336), bool), "expected real numbers, found bool"),
        (np.zeros((4, 336), object), "expected real numbers, found object"),
        (np.zeros((4, 336), "U1"), "expected real numbers, found <U1"),
        (np.zeros((4, 336), "M8[s]"), "expected real numbers, found datetime64[s]"),
        (np.zeros((4, 336), [("a", "f4")]), "expected real numbers, found [('a', '<f4')]"),
        ("weights", "expected real numbers, found <U7"),
        (np.ma.zeros((4, 336)), "was given a masked array: expected all its numbers"),
        ([[1.0], [1.0, 2.0]], "no array can be made of a list"),
        (Guarded(), "no array can be made of a Guarded"),
    ],
)
def test_what_does_not_is_refused_by_name(given: object, message: str) -> None:
    net = make_network(SMOOTH)
    (weights,) = (each for each in net.layers[5].parameters() if each.name == "weights")
    before, x = weights.value.copy(), pictures(net, 1)
    predicted = net.predict(x)
    for name in ("value", "data", "updates"):
        with pytest.raises(ShapeError) as caught:
            setattr(weights, name, given)
        assert str(caught.value) == f"layer 5 [connected]: weights: {message}"
    np.testing.assert_array_equal(weights.value, before)
    np.testing.assert_array_equal(net.predict(x), predicted)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e39])
def test_numbers_without_end(number: float) -> None:
    biases = make_network(SMOOTH).layers[0].parameters()[0]
    values = np.zeros(6)
    values[3] = number
    with pytest.raises(NotFiniteError, match=r"layer 0 \[convolutional\]: biases: was given"):
        biases.value = values
    assert np.isfinite(biases.value).all()


def test_what_was_given_stays_the_givers() -> None:
    net = make_network(SMOOTH)
    x, biases = pictures(net, 1), net.layers[0].parameters()[0]
    given = np.ones(6, np.float32)
    biases.value = given
    predicted = net.predict(x)
    given[...] = 7
    np.testing.assert_array_equal(net.predict(x), predicted)
    net.train_step(x, truths(net))
    np.testing.assert_array_equal(given, 7)


@pytest.mark.parametrize("index", range(8))
def test_changes_in_place_are_seen(index: int) -> None:
    """Programs hold folded batch norm and packed weights, made when they were."""
    net = make_network(SMOOTH)
    x, parameter = pictures(net, 1), net.parameters()[index]
    net.predict(x)
    net.image_delta(x, 4, 0.0)
    value = parameter.value
    part = value.reshape(-1)[-1:]
    for number in (0.5, 0.75, 0.75):
        part[...] = number
        np.testing.assert_array_equal(net.predict(x), fresh(net, x))
    value *= 2
    np.testing.assert_array_equal(net.predict(x), fresh(net, x))
    parameter.value *= 2
    assert parameter.value is value
    before = net.predict(x)
    np.testing.assert_array_equal(before, fresh(net, x))
    delta = copy.deepcopy(net).image_delta(x, 4, 0.0)
    np.testing.assert_array_equal(net.image_delta(x, 4, 0.0), delta)
    if "rolling" not in parameter.name:
        assert not np.array_equal(before, make_network(SMOOTH).predict(x))


def test_training_sees_what_is_changed_of_frozen_layers() -> None:
    """Its program holds their batch norm, folded."""
    text = SMOOTH.replace("batch_normalize=1", "batch_normalize=1\nstopbackward=1")
    net = make_network(text)
    x, y = pictures(net, 1), truths(net)
    net.train_step(x, y)
    for parameter in net.layers[4].parameters():
        parameter.value[...] *= 1.5
        twin = copy.deepcopy(net)
        assert net.train_step(x, y) == twin.train_step(x, y)
        for one, two in zip(net.parameters(), twin.parameters(), strict=True):
            np.testing.assert_array_equal(one.value, two.value)


def test_to_look_at_what_learns_makes_no_new_program() -> None:
    net = make_network(SMOOTH)
    x, y = pictures(net, 1), truths(net)
    net.train_step(x, y)
    (before,) = net.engine._programs.values()
    for _ in range(3):
        assert np.isfinite(net.parameters()[0].value).all()
        net.train_step(x, y)
    (after,) = net.engine._programs.values()
    assert after[0] is before[0]


def test_an_array_that_was_handed_out_keeps_its_shape_inside() -> None:
    net = make_network(SMOOTH)
    x, weights = pictures(net, 1), net.layers[5].parameters()[1]
    expected = net.predict(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of numpy 2.5, and whoever has it yet
        weights.value.shape = (-1,)
    np.testing.assert_array_equal(net.predict(x), expected)


def test_networks_that_share_parameters_share_what_replaces_them() -> None:
    text = SMOOTH.replace("[connected]\noutput=4", "[convolutional]\nfilters=4")
    net = make_network(text)
    large = net.resized(24, 20)
    front = net.truncated(2)
    x, y = pictures(large, 1), pictures(net, 1)
    large.predict(x), front.predict(y)
    rng = np.random.default_rng(3)
    for parameter in (*net.parameters(), *large.parameters()):
        parameter.value = rng.uniform(0.2, 1, parameter.shape)
        np.testing.assert_array_equal(large.predict(x), fresh(large, x))
        np.testing.assert_array_equal(front.predict(y), fresh(front, y))
        np.testing.assert_array_equal(large.predict(x), net.predict(x))
    last = net.layers[-2].parameters()[0]
    last.value[...] = 3
    np.testing.assert_array_equal(large.predict(x), fresh(large, x))
    np.testing.assert_array_equal(net.predict(x), fresh(net, x))


def test_a_value_is_not_taken_for_one_that_stood_at_its_address() -> None:
    """Programs are known by their parameters; binarized weights are all that they hold of them."""
    net = make_network(XNOR)
    x, weights = pictures(net, 1), net.layers[0].parameters()[1]
    for number in range(40):
        weights.value = np.random.default_rng(number).normal(size=weights.shape)
        np.testing.assert_array_equal(net.predict(x), fresh(net, x))


def test_updates_of_another_order_or_type() -> None:
    net, other = make_network(SMOOTH), make_network(SMOOTH)
    x, y = pictures(net, 1), truths(net)
    for each in (net, other):
        each.accumulate(x, y)
    for parameter in net.parameters():
        if parameter.learned:
            parameter.updates = np.asfortranarray(parameter.updates.astype(np.float64))
    for each in (net, other):
        each.update()
        each.train_step(x, y)
    for one, two in zip(net.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, two.value)


def test_copies_share_nothing_that_was_handed_out() -> None:
    net = make_network(SMOOTH)
    values = net.parameters()[0].value
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        values += 1
        mine = other.parameters()[0]
        assert not np.array_equal(mine.value, values)
        mine.value[...] = 0.5
        x = pictures(net, 1)
        np.testing.assert_array_equal(other.predict(x), fresh(other, x))
