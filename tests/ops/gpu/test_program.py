"""What a CUDA graph can hold: calls by themselves, whole networks, and every cfg of cfg/."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network, tracing
from darknet_py.network.targets import Guided, Score, StandOut, Target
from tests.ops import agreement
from tests.ops.cupy_stand_in import gpu_on_stand_in
from tests.support.golden import load_golden
from tests.support.networks import CLASSIFIER, NET, make_network

cpu = devices.for_device("cpu")

OUTSIDE = {
    "adam_update",
    "array",
    "average_step",
    "clip",
    "is_finite",
    "rmsprop_update",
    "sgd_update",
    "swap",
    "to_host",
}
"""What no recording has: optimisers, averages and the way to the host stand beside programs."""
FUSED = {
    "batchnorm",
    "conv2d",
    "conv2d_backward_input",
    "conv2d_backward_weights",
    "dense",
    "dense_backward_input",
    "dense_backward_weights",
    "shortcut",
}
"""What programs have other calls for."""
CUBLAS = {"local2d", "local2d_backward_input", "local2d_backward_weights"}
"""cupy refuses it while a stream captures."""

_captured = gpu_on_stand_in().program.CAPTURED
CAPTURED = sorted(_captured & set(agreement.CALLS["float32"]))


def test_every_function_is_captured_or_cannot_be(gpu: ModuleType) -> None:
    functions = {name for name in gpu.__all__ if inspect.isfunction(getattr(gpu, name))}
    assert functions - _captured == OUTSIDE | FUSED | CUBLAS


@pytest.mark.parametrize("name", CAPTURED)
def test_a_call_does_the_same_in_a_graph(gpu: ModuleType, name: str) -> None:
    agreement.check_in_a_graph(gpu, name)


def test_cublas_is_refused(gpu: ModuleType) -> None:
    x, weights = (gpu.array(np.ones(shape)) for shape in ((1, 1, 1, 2), (1, 1, 1, 1, 1, 2)))
    stream = gpu.program.cp.cuda.Stream()
    stream.begin_capture()
    with pytest.raises(NotImplementedError, match="cuBLAS"):
        gpu.local2d(x, weights, 1, 0)
    stream.end_capture()


def test_lists_from_the_host_are_refused(gpu: ModuleType) -> None:
    x, stream = gpu.array(np.ones((2, 3))), gpu.program.cp.cuda.Stream()
    stream.begin_capture()
    with pytest.raises(RuntimeError, match="a list of indices"):
        x[:, [0, 2]]
    with pytest.raises(RuntimeError, match="a list of indices"):
        x[:, [0, 2]] = x
    with pytest.raises(RuntimeError, match="how many values are true"):
        x[x > 0]
    with pytest.raises(RuntimeError, match="a list of addresses"):
        np.concatenate([x] * 9)
    stream.end_capture()


def both(text: str, gpu: ModuleType, folder: Path) -> tuple[Network, Network]:
    """A network of this cfg on the CPU, and the same on the GPU."""
    here = make_network(text)
    here.save_weights(folder / "w.weights")
    there = Network(parse_sections(text, "my.cfg"), "my.cfg", gpu)
    there.load_weights(folder / "w.weights", clear=True)
    return here, there


def assert_graphs(net: Network) -> None:
    programs: list[Any] = list(net.engine._programs.values())
    assert programs
    assert [(program.captured, program.is_graph) for program in programs] == [("", True)] * len(
        programs
    )


GOLDEN = [
    "gru",
    "l2norm",
    "lstm",
    "normalization",
    "region",
    "rnn",
    "shortcut_shapes",
    "upsample_reorg",
    "yolo",
]


@pytest.mark.parametrize("name", GOLDEN)
def test_inference_and_gradients_are_graphs(gpu: ModuleType, name: str, tmp_path: Path) -> None:
    """Of every layer, with other pictures in each run."""
    figure = load_golden("forward", name)
    path = tmp_path / "golden.weights"
    path.write_bytes(figure["weights"].tobytes())
    here, there = (Network(parse_sections(figure["cfg"]), "my.cfg", ops) for ops in (cpu, gpu))
    here.load_weights(path)
    there.load_weights(path)
    for x in (figure["x"], figure["x"][::-1], 0.5 * figure["x"]):
        for found, expected in zip(there.activations(x), here.activations(x), strict=True):
            np.testing.assert_allclose(found, expected, 0, 1e-4 * np.abs(expected).max())
        if x.ndim == 4:
            found, expected = (net.image_delta(x, len(net.layers) - 1, 0) for net in (there, here))
            np.testing.assert_allclose(found, expected, 0, 1e-4 * np.abs(expected).max() + 1e-7)
    assert_graphs(there)


TARGETS: dict[str, list[Target]] = {
    "channels": [StandOut(2, 0.5, channels=(1, 4, 5))],
    "one channel, and a limit": [StandOut(2, channels=(6,), limit=0.1), StandOut(0)],
    "class": [Score(3, 4 * 6 * 8)],
    "guide": [Guided(2, np.random.default_rng(3).random((9, 8), np.float32))],
}


@pytest.mark.parametrize("name", TARGETS)
def test_dreams_are_graphs(gpu: ModuleType, name: str, tmp_path: Path) -> None:
    here, there = both(CLASSIFIER, gpu, tmp_path)
    for seed in range(3):
        x = np.random.default_rng(seed).random((1, 3, 12, 16), np.float32)
        found, expected = (net.delta_towards(x, TARGETS[name]) for net in (there, here))
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(found, expected, 0, 1e-4 * np.abs(expected).max())
    assert_graphs(there)


CONV = "[convolutional]\nfilters=6\nsize=3\npad=1\nactivation=leaky\n"
END = "[connected]\noutput=4\nactivation=linear\n[softmax]\n"
SEQUENCES = "[net]\ninputs=3\nbatch=4\nsubdivisions=2\ntime_steps=12\nlearning_rate=.01\n"
TRAINED = {
    "lrn": NET + "batch=4\nlearning_rate=.01\n" + CONV + "[normalization]\nsize=5\n" + END,
    "l2norm and reorg": NET
    + "batch=4\n"
    + CONV.replace("filters=6", "filters=8")
    + "[l2norm]\n[reorg]\nstride=2\n"
    + END,
    "uneven shortcut": NET
    + "batch=4\n"
    + CONV
    + CONV.replace("size=3", "size=3\nstride=2")
    # the larger map is sampled
    + "[shortcut]\nfrom=-2\nactivation=leaky\n"
    + END,
    "cost L1": NET + "batch=4\n" + CONV + END.replace("[softmax]", "[cost]\ntype=L1"),
    "cost smooth": NET + "batch=4\n" + CONV + END.replace("[softmax]", "[cost]\ntype=smooth"),
    "cost masked": NET + "batch=4\n" + CONV + END.replace("[softmax]", "[cost]\ntype=masked"),
    "rnn": SEQUENCES + "[rnn]\noutput=5\nactivation=tanh\nbatch_normalize=1\n" + END,
    "gru": SEQUENCES + "[gru]\noutput=5\n" + END,
    "lstm": SEQUENCES + "[lstm]\noutput=5\n" + END,
}


@pytest.mark.parametrize("name", TRAINED)
def test_training_is_a_graph(gpu: ModuleType, name: str, tmp_path: Path) -> None:
    here, there = both(TRAINED[name], gpu, tmp_path)
    rows = here.settings.batch * here.settings.time_steps
    h, w, c = here.in_shape
    shape = (rows, c) if here.settings.is_vector else (rows, c, h, w)
    rng = np.random.default_rng(0)
    for _ in range(3):
        x = rng.random(shape, np.float32)
        y = np.eye(4, dtype=np.float32)[rng.integers(0, 4, rows)]
        assert there.train_step(x, y) == pytest.approx(here.train_step(x, y), rel=1e-4)
    for one, other in zip(there.parameters(), here.parameters(), strict=True):
        np.testing.assert_allclose(gpu.to_host(one.value), other.value, 0, 1e-4, err_msg=one.name)
    assert_graphs(there)


def test_a_local_layer_is_launched_call_by_call(gpu: ModuleType, tmp_path: Path) -> None:
    text = NET + CONV + "[local]\nfilters=2\nsize=3\nactivation=leaky\n"
    here, there = both(text, gpu, tmp_path)
    for seed in range(3):
        x = np.random.default_rng(seed).random((1, 3, 12, 16), np.float32)
        np.testing.assert_allclose(there.predict(x), here.predict(x), 0, 1e-4)
    (program,) = there.engine._programs.values()
    assert (program.captured, program.is_graph) == ("it has local2d", False)


def test_without_cudnn_cupy_says_why_not(
    gpu: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cudnn", None)
    here, there = both(CLASSIFIER, gpu, tmp_path)
    for seed in range(3):
        x = np.random.default_rng(seed).random((1, 3, 12, 16), np.float32)
        np.testing.assert_allclose(there.predict(x), here.predict(x), 0, 1e-4)
    (program,) = there.engine._programs.values()
    assert not program.is_graph
    assert "cuBLAS" in program.captured


CFGS = sorted((Path(__file__).parents[3] / "cfg").glob("*.cfg"))


@pytest.mark.parametrize("path", CFGS, ids=[path.stem for path in CFGS])
def test_every_cfg_is_a_graph(gpu: ModuleType, path: Path) -> None:
    """On paper: predictions, dreams of channels, and training."""
    net = Network.from_cfg(path, "cpu")
    for parameter in net.parameters():
        parameter.value = parameter.updates = np.broadcast_to(np.float32(0), parameter.shape)
    h, w, c = net.in_shape
    x = np.broadcast_to(np.float32(0), (1, c, h, w))
    works = [
        tracing.prediction(net, x),
        tracing.dream(net, x, [StandOut(1, channels=(0, 2)), Score(2, 5)]),
    ]
    if net.layers[-1].is_loss:
        works.append(tracing.training(net, x, np.zeros((1, net.outputs), np.float32)))
    for work in works:
        prepared = gpu.program.prepared(work.trace(1), exact=False, half=False, changing=True)
        assert {call.name for call in prepared.calls} <= _captured, work.name
