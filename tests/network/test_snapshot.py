from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.network import Network
from darknet_py.network.snapshot import restore_snapshot, take_snapshot
from darknet_py.network.state import read_state, save_state
from tests.support.networks import CLASSIFIER, make_network, random_picture


def network(optimizer: str) -> Network:
    keys = f"[net]\nbatch=2\nlearning_rate=.05\noptimizer={optimizer}\npolicy=plateau\n"
    net = make_network(CLASSIFIER.replace("[net]\n", keys))
    net.keep_average(0.5)
    return net


def step(net: Network, count: int, seed: int = 0) -> list[float]:
    rng = np.random.default_rng(seed)
    losses = []
    for _ in range(count):
        x = np.stack([random_picture(net, int(rng.integers(100))) for _ in range(2)])
        losses.append(net.train_step(x, np.eye(5, dtype=np.float32)[rng.integers(0, 5, 2)]))
    return losses


def everything(net: Network) -> dict[str, np.ndarray]:
    return take_snapshot(net).arrays


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("before", [0, 3])
def test_going_back_is_never_having_gone(optimizer: str, before: int) -> None:
    net, other = network(optimizer), network(optimizer)
    step(net, before)
    step(other, before)
    memory = take_snapshot(net)
    assert memory.batch == before
    step(net, 4, seed=7)
    assert not np.array_equal(everything(net)["value_0"], memory.arrays["value_0"])
    restore_snapshot(net, memory)
    assert net.batch_num == before + 4
    x = random_picture(net)[None]
    np.testing.assert_array_equal(net.predict(x), other.predict(x))
    assert step(net, 3, seed=1) == step(other, 3, seed=1)
    for name, array in everything(other).items():
        np.testing.assert_array_equal(everything(net)[name], array, name)


def test_what_is_kept_is_in_the_state(tmp_path: Path) -> None:
    net = network("adam")
    step(net, 2)
    assert net.plateau
    net.plateau.kept = take_snapshot(net)
    net.plateau.factor, net.plateau.best = 0.2, 1.5
    step(net, 3)
    save_state(tmp_path / "a.state", net, {"note": 1})
    other = network("adam")
    state = read_state(tmp_path / "a.state", other)
    assert state.notes == {"note": 1}
    state.restore(other)
    assert other.plateau
    assert other.plateau.state_dict() == net.plateau.state_dict()
    assert other.plateau.kept
    for name in ("steps", "average_steps", "batch"):
        assert getattr(other.plateau.kept, name) == getattr(net.plateau.kept, name)
    assert other.plateau.kept.arrays.keys() == net.plateau.kept.arrays.keys()
    for name, array in net.plateau.kept.arrays.items():
        np.testing.assert_array_equal(other.plateau.kept.arrays[name], array, name)
    restore_snapshot(other, other.plateau.kept)
    restore_snapshot(net, net.plateau.kept)
    assert step(net, 2) == step(other, 2)


def test_a_state_of_another_policy_begins_anew(tmp_path: Path) -> None:
    plain = make_network(CLASSIFIER)
    save_state(tmp_path / "a.state", plain, {})
    steered = make_network(CLASSIFIER.replace("[net]\n", "[net]\npolicy=plateau\n"))
    read_state(tmp_path / "a.state", steered).restore(steered)
    assert steered.plateau
    assert steered.plateau.kept is None
