"""Networks by either C program's rules."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import DarknetError, StateError, WeightsError
from darknet_py.network import Network, load_network
from darknet_py.network.state import read_state, save_state
from tests.support.networks import pictures

TEXT = """[net]
batch=2
width=8
height=6
channels=3
[convolutional]
batch_normalize=1
filters=5
size=3
pad=1
activation=leaky
[batchnorm]
[avgpool]
[softmax]
"""


@pytest.fixture
def cfg(tmp_path: Path) -> Path:
    path = tmp_path / "my.cfg"
    path.write_text(TEXT)
    return path


def weights(path: Path, revision: int, biases: int = 0) -> Path:
    """Of a file: variances so small that an epsilon of 1e-5 counts."""
    rng = np.random.default_rng(0)
    parts = [
        rng.normal(size=5),  # biases
        *(rng.normal(size=5), rng.normal(size=5), rng.uniform(1e-5, 1e-3, 5)),
        rng.normal(size=5 * 3 * 9) * 0.01,
        rng.normal(size=biases),
        *(rng.normal(size=5), rng.normal(size=5), rng.uniform(1e-5, 1e-3, 5)),
    ]
    values = np.concatenate(parts).astype("<f4").tobytes()
    path.write_bytes(struct.pack("<iiiQ", 0, 2, revision, 4) + values)
    return path


def test_the_header_changes_the_rules_and_the_layout(cfg: Path, tmp_path: Path) -> None:
    """By AlexeyAB's a file has biases for [batchnorm]."""
    net = load_network(cfg, device="cpu")
    x = pictures(net)
    net.load_weights(weights(tmp_path / "pj.weights", 0))
    first = net.output(x, 1)
    net.load_weights(weights(tmp_path / "ab.weights", 5, biases=5))
    assert net.settings.rules.is_alexeyab
    convolution, norm = (
        [p.value.astype("d") for p in layer.parameters()] for layer in net.layers[:2]
    )
    raw = load_network(cfg, device="cpu")  # the convolution by itself: an identity of a norm
    raw.load_weights(tmp_path / "pj.weights")
    for p, value in zip(raw.layers[0].parameters()[:4], (0, 1 + 1e-6, 0, 1), strict=True):
        p.value = np.full(5, value, np.float32)
    raw.layers[0].parameters()[4].value = net.layers[0].parameters()[4].value
    raw.layers[0].activation = "linear"  # type: ignore[attr-defined]
    raw.changed()
    y = raw.output(x, 0).astype("d")
    biases, scales, mean, variance = (v.reshape(-1, 1, 1) for v in convolution[:4])
    y = (y - mean) / np.sqrt(variance + 1e-5) * scales + biases
    y = np.maximum(y, 0.1 * y)
    biases, scales, mean, variance = (v.reshape(-1, 1, 1) for v in norm)
    y = (y - mean) / np.sqrt(variance + 1e-5) * scales + biases
    found = net.output(x, 1)
    np.testing.assert_allclose(found, y, rtol=1e-4, atol=1e-4 * np.abs(y).max())
    assert np.abs(found - first).max() > 1e-2 * np.abs(found).max()
    # and back, bit for bit
    net.load_weights(tmp_path / "pj.weights")
    np.testing.assert_array_equal(net.output(x, 1), first)


@pytest.mark.parametrize("revision", [0, 5])
def test_what_is_saved_is_known_again(cfg: Path, tmp_path: Path, revision: int) -> None:
    path = weights(tmp_path / "my.weights", revision, biases=revision)
    net = load_network(cfg, path, device="cpu")
    net.save_weights(tmp_path / "again.weights")
    assert (tmp_path / "again.weights").read_bytes() == path.read_bytes()


def test_rules_that_are_asked_for(cfg: Path, tmp_path: Path) -> None:
    path = weights(tmp_path / "my.weights", 5)
    net = load_network(cfg, path, device="cpu", rules="pjreddie")
    assert net.settings.rules.program == "pjreddie"
    with pytest.raises(WeightsError, match="runs short"):
        load_network(cfg, path, device="cpu")
    with pytest.raises(DarknetError, match="rules=x: expected one of pjreddie, alexeyab"):
        load_network(cfg, rules="x")


def test_a_file_that_cannot_be_read_changes_nothing(cfg: Path, tmp_path: Path) -> None:
    net = load_network(cfg, weights(tmp_path / "pj.weights", 0), device="cpu")
    x = pictures(net)
    before = net.predict(x)
    with pytest.raises(WeightsError):
        net.load_weights(weights(tmp_path / "short.weights", 5, biases=1))
    assert net.settings.rules.program == "pjreddie"
    np.testing.assert_array_equal(net.predict(x), before)


def test_a_state_keeps_its_rules(cfg: Path, tmp_path: Path) -> None:
    net = load_network(cfg, weights(tmp_path / "ab.weights", 5, biases=5), device="cpu")
    x, y = pictures(net), np.eye(5, dtype=np.float32)[:2]
    net.train_step(x, y)
    save_state(tmp_path / "my.state", net, {})
    other = Network.from_cfg(cfg, "cpu")
    read_state(tmp_path / "my.state", other).restore(other)
    assert other.settings.rules.is_alexeyab
    assert net.train_step(x, y) == other.train_step(x, y)
    for mine, theirs in zip(net.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(mine.value, theirs.value)
    fixed = Network.from_cfg(cfg, "cpu", rules="pjreddie")
    with pytest.raises(StateError, match="by the rules of alexeyab: say --rules alexeyab"):
        read_state(tmp_path / "my.state", fixed)
