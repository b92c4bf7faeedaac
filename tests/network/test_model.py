from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.network import Network
from darknet_py.network.derived import head
from darknet_py.network.snapshot import arrays_of, take_snapshot
from tests.ops.cupy_stand_in import gpu_on_numpy
from tests.support.networks import CLASSIFIER, CPU, FLOAT64, make_network, pictures, truths

TEXT = CLASSIFIER.replace("[avgpool]\n", "[dropout]\nprobability=.3\n[avgpool]\n")
WAYS: list[Callable[[Network], Network]] = [
    copy.deepcopy,
    lambda net: pickle.loads(pickle.dumps(net)),
]


def trained(keys: str, ops: object = CPU) -> Network:
    net = make_network(TEXT.replace("[net]\n", f"[net]\nbatch=4\nlearning_rate=.05\n{keys}\n"), ops)
    net.keep_average(0.9)
    for seed in range(3):
        net.train_step(pictures(net, seed=seed), truths(net, seed))
    if net.plateau is not None:
        net.plateau.kept = take_snapshot(net)
        net.plateau.observe(2.5)
    return net


def assert_alike(one: Network, other: Network) -> None:
    for (name, array), (same, twin) in zip(arrays_of(one), arrays_of(other), strict=True):
        assert name == same
        np.testing.assert_array_equal(array, twin, name)
    assert (one.seen, one.optimiser.steps, one.rate) == (
        other.seen,
        other.optimiser.steps,
        other.rate,
    )


@pytest.mark.parametrize("way", WAYS, ids=["deepcopy", "pickle"])
@pytest.mark.parametrize(
    "keys", ["momentum=.9", "optimizer=adam\npolicy=plateau\nplateau_window=2", "optimizer=rmsprop"]
)
def test_a_copy_predicts_and_learns_on_alike_and_by_itself(
    way: Callable[[Network], Network], keys: str
) -> None:
    net = trained(keys)
    net.say = threading.Lock().acquire  # type: ignore[assignment]  # a caller's, that no pickle has
    before = net.predict(pictures(net))
    twin = way(net)
    np.testing.assert_array_equal(twin.predict(pictures(net)), before)
    assert_alike(net, twin)
    x, y = pictures(net, seed=8), truths(net, 8)
    losses = [twin.train_step(x, y) for _ in range(3)]
    np.testing.assert_array_equal(net.predict(pictures(net)), before)
    assert [net.train_step(x, y) for _ in range(3)] == losses
    assert_alike(net, twin)
    if net.plateau is not None:
        assert twin.plateau
        assert twin.plateau.kept
        assert twin.plateau.state_dict() == net.plateau.state_dict()
        assert twin.plateau.kept.arrays.keys() == net.plateau.kept.arrays.keys()  # type: ignore[union-attr]
    with net.averaged(), twin.averaged():
        np.testing.assert_array_equal(net.predict(x), twin.predict(x))


@pytest.mark.parametrize("way", WAYS, ids=["deepcopy", "pickle"])
def test_what_is_made_of_a_network_is_copied_too(way: Callable[[Network], Network]) -> None:
    net = make_network(CLASSIFIER)
    made = [net.truncated(2), net.resized(20, 24), head(net, 0)]
    for each in made:
        x = pictures(each, 2)
        np.testing.assert_array_equal(way(each).predict(x), each.predict(x))
    paper = Network(net.sections, net.path, CPU)
    twin = way(paper)
    assert all(parameter.value is None for parameter in twin.parameters())
    twin.initialise(7)
    paper.initialise(7)
    assert_alike(twin, paper)


@pytest.mark.parametrize("way", WAYS, ids=["deepcopy", "pickle"])
def test_networks_on_the_same_parameters_are_copied_so(way: Callable[..., list[Network]]) -> None:
    """Together: they share them; and copy.copy shares them with the first."""
    net = make_network(CLASSIFIER)
    one, other = way([net, net.resized(20, 24)])
    assert one.parameters()[0].value is other.parameters()[0].value
    assert one.parameters()[0].value is not net.parameters()[0].value
    assert copy.copy(net).layers is net.layers


def test_a_copy_stays_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device is there before the arrays are; a pickle for one that is not says so."""
    double = trained("", FLOAT64)
    assert copy.deepcopy(double).ops is FLOAT64
    assert_alike(copy.deepcopy(double), double)
    with pytest.raises(TypeError, match="functions of no device"):
        pickle.dumps(double)
    net = make_network(CLASSIFIER)
    asked: list[str] = []

    def for_device(name: str) -> object:
        asked.append(name)
        return CPU

    monkeypatch.setattr(devices, "device_name", lambda _: "gpu:1")
    monkeypatch.setattr(devices, "for_device", for_device)
    data = pickle.dumps(net, 3)  # which is read as it comes
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(data[:300])  # before any array
    assert asked == ["gpu:1"]


@pytest.mark.parametrize("way", WAYS, ids=["deepcopy", "pickle"])
def test_on_a_gpu(way: Callable[[Network], Network], monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a stand-in for cupy: arrays of the device, and where a pickle goes back to."""
    gpu = gpu_on_numpy()
    asked: list[str] = []

    def for_device(name: str) -> object:
        asked.append(name)
        return gpu

    monkeypatch.setattr(devices, "for_device", for_device)
    net = trained("optimizer=adam", gpu)
    twin = way(net)
    assert asked in ([], ["gpu:0"])
    assert type(twin.parameters()[0].value) is type(net.parameters()[0].value) is not np.ndarray
    assert twin.parameters()[0].value is not net.parameters()[0].value
    x, y = pictures(net, seed=8), truths(net, 8)
    assert [twin.train_step(x, y) for _ in range(2)] == [net.train_step(x, y) for _ in range(2)]
    assert_alike(net, twin)


def test_devices_have_names() -> None:
    assert devices.device_name(gpu_on_numpy()) == "gpu:0"
    assert devices.device_name(devices.for_device("cpu")) == "cpu"
    with pytest.raises(TypeError, match="functions of no device: SimpleNamespace"):
        devices.device_name(SimpleNamespace())
