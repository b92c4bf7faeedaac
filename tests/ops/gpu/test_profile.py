"""What the GPU's engine says of its steps, on the stand-in."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network
from tests.ops.cudnn_stand_in import StandIn
from tests.support.networks import CLASSIFIER, NET

PICTURES = np.random.default_rng(0).random((2, 3, 12, 16), np.float32)


def network(gpu: ModuleType, text: str = CLASSIFIER, **how: Any) -> Network:
    gpu.profile._SIZE = 8
    net = Network(parse_sections(text), "my.cfg", gpu, **how)
    net.initialise(0)
    return net


def test_steps_of_a_prediction(gpu: ModuleType) -> None:
    net = network(gpu)
    found = net.times(PICTURES, rounds=2)
    steps = {name: (shape, way, operations) for name, shape, way, operations, _ in found.steps}
    assert "3x3/1 6 + leaky" in steps, found.steps
    assert steps["3x3/1 6 + leaky"] == ((2, 12, 16, 6), "cudnn", 2 * 2 * 12 * 16 * 6 * 27)
    assert steps["3x3/1 8 + leaky"] == ((2, 6, 8, 8), "cudnn", 2 * 2 * 6 * 8 * 8 * 54)
    assert steps["1x1/1 5"] == ((2, 1, 1, 5), "cudnn", 2 * 2 * 5 * 8)  # the average is taken first
    assert steps["maxpool"] == ((2, 6, 8, 6), "kernel", 0)
    assert steps["to_hwc"][1:] == ("cupy", 0)
    assert all(seconds > 0 for *_, seconds in found.steps)
    assert found.whole is not None
    assert found.whole > 0
    assert (found.apart, found.peak > 0, found.megabytes > 0) == ("", True, True)
    assert not net.engine._programs


def test_steps_of_training(gpu: ModuleType) -> None:
    text = CLASSIFIER.replace("channels=3", "channels=3\nbatch=2")
    found = network(gpu, text).times(PICTURES, np.eye(5, dtype=np.float32)[[0, 1]], rounds=1)
    operations = {name: work for name, _, _, work, _ in found.steps if work}
    assert {"convolve_input", "convolve_weights"} <= set(operations)
    backward = [s[3] for s in found.steps if s[0] == "convolve_weights"]
    assert sorted(backward) == sorted(
        2 * 2 * work for work in (12 * 16 * 6 * 27, 6 * 8 * 8 * 54, 6 * 8 * 5 * 8)
    )
    assert found.whole is not None


def test_precision_is_that_of_the_network(gpu: ModuleType, cudnn: StandIn) -> None:
    """Of the peak too, whose product is planned last."""
    half = network(gpu, half=True).times(PICTURES, rounds=1)
    whole = network(gpu).times(PICTURES, rounds=1)
    assert half.megabytes < whole.megabytes
    assert "TENSOR_CORE" not in cudnn.deselected[-1]
    network(gpu, exact=True).times(PICTURES, rounds=1)
    assert "TENSOR_CORE" in cudnn.deselected[-1]


def test_without_cudnn(gpu: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cudnn", None)
    found = network(gpu).times(PICTURES, rounds=1)
    ways = {name: way for name, _, way, _, _ in found.steps}
    assert ways["3x3/1 6 + leaky"] == "columns + cublas"
    assert found.whole is None
    assert "cuBLAS" in found.apart


def test_a_layer_that_no_graph_holds(gpu: ModuleType) -> None:
    found = network(gpu, NET + "[local]\nfilters=2\nsize=3\n").times(PICTURES, rounds=1)
    assert (found.whole, found.apart) == (None, "it has local2d")
    assert "columns + cublas" in {way for _, _, way, _, _ in found.steps}
