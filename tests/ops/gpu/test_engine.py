"""Programs of the GPU on the stand-in: fused, captured, in half precision, out of memory."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from darknet_py import ops as devices
from darknet_py.cfg.sections import parse_sections
from darknet_py.errors import OutOfMemoryError
from darknet_py.network import Network
from tests.ops import agreement
from tests.ops.cudnn_stand_in import StandIn

cpu = devices.for_device("cpu")

CFG = """
[net]
width=12
height=12
channels=3
batch=4
subdivisions=2
learning_rate=0.05
momentum=0.9
[convolutional]
filters=8
size=3
pad=1
batch_normalize=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
filters=8
size=3
pad=1
activation=linear
[shortcut]
from=-2
activation=relu
[convolutional]
filters=6
size=1
batch_normalize=1
activation=linear
[route]
layers=-1,-2
[connected]
output=5
activation=linear
[softmax]
"""


def networks(gpu: ModuleType, folder: Path, **how: Any) -> tuple[Network, Network]:
    """One network with equal parameters on the CPU and on the GPU, its rolling statistics odd."""
    here = Network(parse_sections(CFG), "test.cfg", cpu)
    here.initialise(3)
    rng = np.random.default_rng(5)
    for parameter in here.parameters():
        if parameter.name in ("rolling_variance", "scales"):
            parameter.value[:] = rng.random(parameter.shape, np.float32) + 0.5
        elif parameter.value.ndim == 1:
            parameter.value[:] = rng.standard_normal(parameter.shape, np.float32) / 4
    here.save_weights(folder / "w.weights")
    there = Network(parse_sections(CFG), "test.cfg", gpu, **how)
    there.load_weights(folder / "w.weights")
    return here, there


def pictures(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, 3, 12, 12), np.float32)


def programs(net: Network) -> list[Any]:
    return list(net.engine._programs.values())


def test_inference_is_fused_and_captured(gpu: ModuleType, cudnn: StandIn, tmp_path: Path) -> None:
    here, there = networks(gpu, tmp_path)
    for seed in range(4):  # a graph sees new pictures
        x = pictures(2, seed)
        np.testing.assert_allclose(there.predict(x), here.predict(x), 0, 1e-5)
    (program,) = programs(there)
    assert program.is_graph
    names = [call.name for call in program._graph.calls]
    # norm, activation and sum are in the convolutions, and the dense layer is one
    expected = ["to_hwc", "convolve", "maxpool", "convolve", "convolve", "concat", "convolve_all"]
    assert names[: len(expected)] == expected
    assert not {"batchnorm", "shortcut", "add_biases"} & set(names)
    # the graph launched what was captured: nothing asked cuDNN again
    assert cudnn.executed == 2 * 4


@pytest.mark.parametrize(("mean", "folds"), [(1e-3, True), (0.5, False)])
def test_variances_a_hair_below_zero_count_as_zero(
    gpu: ModuleType, tmp_path: Path, mean: float, folds: bool
) -> None:
    """In what is folded, in gradients of the picture, and where folding would lose the mean."""
    here, there = networks(gpu, tmp_path)
    for net in (here, there):
        for parameter in net.layers[0].parameters():
            few = {"rolling_mean": mean, "rolling_variance": -7e-44, "scales": 1e-6}
            if parameter.name in few:
                parameter.value[0] = few[parameter.name]
        net.changed()
    x = pictures(2)
    np.testing.assert_allclose(there.predict(x), here.predict(x), 0, 1e-5)
    (program,) = programs(there)
    names = [call.name for call in program._graph.calls]
    assert ("batchnorm_activate" not in names[:3]) == folds
    one, other = there.image_delta(x, 2, 0.0), here.image_delta(x, 2, 0.0)
    assert np.isfinite(other).all()
    np.testing.assert_allclose(one, other, 0, 1e-4 * np.abs(other).max())


def test_every_output_can_be_asked_for(gpu: ModuleType, tmp_path: Path) -> None:
    here, there = networks(gpu, tmp_path)
    for seed in range(3):
        x = pictures(1, seed)
        for found, expected in zip(there.activations(x), here.activations(x), strict=True):
            np.testing.assert_allclose(found, expected, 0, 1e-5)


def test_dreams_are_captured(gpu: ModuleType, tmp_path: Path) -> None:
    here, there = networks(gpu, tmp_path)
    for seed in range(3):
        x = pictures(1, seed)
        found, expected = (net.image_delta(x, 4, 1.0) for net in (there, here))
        np.testing.assert_allclose(found, expected, 0, 1e-4 * np.abs(expected).max())
    assert programs(there)[0].is_graph


def test_what_the_driver_does_not_capture_is_launched(gpu: ModuleType, tmp_path: Path) -> None:
    here, there = networks(gpu, tmp_path)
    gpu.program.cp.cuda.Stream.refusal = NotImplementedError("cuBLAS\nis not supported")
    for seed in range(3):
        x = pictures(2, seed)
        np.testing.assert_allclose(there.predict(x), here.predict(x), 0, 1e-5)
    assert not programs(there)[0].is_graph
    assert programs(there)[0].captured == "cuBLAS"


def test_training_is_captured(gpu: ModuleType, tmp_path: Path) -> None:
    here, there = networks(gpu, tmp_path)
    rng = np.random.default_rng(1)
    for seed in range(4):
        x, y = pictures(4, seed), np.eye(5, dtype=np.float32)[rng.integers(0, 5, 4)]
        loss, expected = there.train_step(x, y), here.train_step(x, y)
        assert loss == pytest.approx(expected, rel=1e-4)
        # rolling statistics and weights have moved: what was folded is forgotten
        np.testing.assert_allclose(there.predict(x), here.predict(x), 0, 1e-4)
    for one, other in zip(there.parameters(), here.parameters(), strict=True):
        np.testing.assert_allclose(gpu.to_host(one.value), other.value, 0, 1e-4, err_msg=one.name)
    training = [program for program in programs(there) if program.changing]
    assert [program.is_graph for program in training] == [True]


def test_only_programs_that_hold_parameters_go_when_they_move(
    gpu: ModuleType, tmp_path: Path
) -> None:
    _, there = networks(gpu, tmp_path)
    x, y = pictures(4), np.eye(5, dtype=np.float32)[[0, 1, 2, 3]]
    there.predict(x)
    there.train_step(x, y)
    assert [program.changing for program in programs(there)] == [True]
    there.changed()
    assert programs(there) == []


def test_half_precision_is_near(gpu: ModuleType, tmp_path: Path) -> None:
    here, there = networks(gpu, tmp_path, half=True)
    for seed in range(3):
        x = pictures(2, seed)
        found, expected = there.activations(x), here.activations(x)
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            np.testing.assert_allclose(
                one, other, 0, 3e-2 * np.abs(other).max(), err_msg=str(index)
            )
            assert one.dtype == np.float32
    (program,) = programs(there)
    assert program.is_graph
    names = [call.name for call in program._graph.calls]
    assert names.count("narrow") == 1  # the picture; weights were rounded before
    assert all(weights.dtype == gpu.kernel.HALF for weights in _weights(program))


def _weights(program: Any) -> list[Any]:
    calls = [call for call in program._graph.calls if call.name.startswith("convolve")]
    return [call.arguments[1] for call in calls]


def test_half_precision_trains_float_weights(gpu: ModuleType, tmp_path: Path) -> None:
    here, there = networks(gpu, tmp_path, half=True)
    before = [value.copy() for value in (each.value for each in here.parameters())]
    rng = np.random.default_rng(1)
    for seed in range(3):
        x, y = pictures(4, seed), np.eye(5, dtype=np.float32)[rng.integers(0, 5, 4)]
        assert there.train_step(x, y) == pytest.approx(here.train_step(x, y), rel=2e-2)
    for one, other, start in zip(there.parameters(), here.parameters(), before, strict=True):
        assert one.value.dtype == np.float32
        moved = np.abs(other.value - start).max()
        error = np.abs(gpu.to_host(one.value) - other.value).max()
        assert error < 0.1 * moved + 1e-6, one.name


def test_half_dreams(gpu: ModuleType, tmp_path: Path) -> None:
    here, there = networks(gpu, tmp_path, half=True)
    x = pictures(1)
    delta = np.random.default_rng(2).standard_normal((1, 6 * 36)).astype(np.float32)
    found, expected = (net.vjp(x, delta, 4, [-1]).deltas[0] for net in (there, here))
    # rounding moves a few of pooling's winners and of relu's signs
    assert np.linalg.norm(found - expected) < 0.1 * np.linalg.norm(expected)


def test_exact_asks_for_exact_plans(gpu: ModuleType, cudnn: StandIn, tmp_path: Path) -> None:
    _, there = networks(gpu, tmp_path, exact=True)
    there.predict(pictures(1))
    assert all("TENSOR_CORE" in notes for notes in cudnn.deselected)


def memory(gpu: ModuleType) -> Any:
    """The stand-in's memory, which knows what is left."""
    return gpu.program.cp.cuda.Memory


def out_of_memory(gpu: ModuleType, message: str) -> None:
    def fail(*_: Any) -> None:
        raise gpu.program.cp.cuda.memory.OutOfMemoryError(message)

    gpu.program.replay = fail
    gpu.program.cp.cuda.runtime.memGetInfo = lambda: (1_000_000, 2_000_000)


MESSAGE = "Out of memory allocating 3,000,000 bytes (allocated so far: 900,000 bytes)."


def test_out_of_memory_says_what_would_fit(gpu: ModuleType, tmp_path: Path) -> None:
    _, there = networks(gpu, tmp_path)
    x, y = pictures(4), np.eye(5, dtype=np.float32)[[0, 1, 2, 3]]
    out_of_memory(gpu, MESSAGE)
    gpu.engine.peak_bytes = lambda recording, item: 4 * 400_000
    with pytest.raises(OutOfMemoryError) as caught:
        there.train_step(x, y)
    assert str(caught.value) == (
        "test.cfg: out of the GPU's memory: 3.0 MB more asked for, 0.9 MB taken, 1.0 MB free: "
        "subdivisions=4 would fit"
    )
    gpu.engine.peak_bytes = lambda recording, item: 4_000_000
    with pytest.raises(OutOfMemoryError, match="one picture is too much for it"):
        there.train_step(x, y)
    assert programs(there) == []


def test_out_of_memory_in_other_words(gpu: ModuleType, tmp_path: Path) -> None:
    _, there = networks(gpu, tmp_path)
    out_of_memory(gpu, "cudaErrorMemoryAllocation: out of memory\nand more")
    with pytest.raises(OutOfMemoryError) as caught:
        there.predict(pictures(1))
    expected = (
        "test.cfg: out of the GPU's memory: cudaErrorMemoryAllocation: out of memory: one picture "
        "of 12 x 12 is too much for it"
    )
    assert str(caught.value) == expected


def test_weights_that_do_not_fit(gpu: ModuleType) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise gpu.arrays.cp.cuda.memory.OutOfMemoryError(MESSAGE)

    vars(gpu.arrays.cp)["array"] = fail
    memory(gpu).free = 1_000_000
    with pytest.raises(
        OutOfMemoryError, match=r"3.0 MB more asked for, 0.9 MB taken, 1.0 MB free$"
    ):
        gpu.array(np.ones(3))


def test_what_the_device_has_free(gpu: ModuleType) -> None:
    memory(gpu).free = 1_000_000
    assert gpu.Engine().free_memory() == 1_000_000
    assert cpu.Engine().free_memory() is None


def test_few_programs_are_kept(gpu: ModuleType, tmp_path: Path) -> None:
    _, there = networks(gpu, tmp_path)
    gpu.engine._KEPT = 2
    for n in (1, 2, 3):
        there.predict(pictures(n))
    assert [program._given[0].device.shape[0] for program in programs(there)] == [2, 3]


def test_layers_that_draw_are_in_a_graph(gpu: ModuleType) -> None:
    net = agreement.check_draws(gpu)
    assert [program.is_graph for program in programs(net)] == [True]


SIGNS = """[net]
batch=4
height=9
width=9
channels=3
learning_rate=.05
[convolutional]
filters=4
size=3
pad=1
activation=tanh
binary=1
[convolutional]
filters=6
size=3
stride=2
xnor=1
batch_normalize=1
activation=leaky
[convolutional]
filters=4
size=5
stride=2
activation=linear
[connected]
output=3
activation=linear
[softmax]
"""


def test_signs_and_windows_larger_than_their_maps(gpu: ModuleType) -> None:
    """In training the signs are those of the weights as they have become, in one graph.

    A sign of what is next to zero depends on rounding, and so on the machine's own BLAS: hence the
    tolerance, which what is learned in a step exceeds, and each step begins with equal weights.
    """
    here, there = (Network(parse_sections(SIGNS), "test.cfg", ops) for ops in (cpu, gpu))
    for net in (here, there):
        net.initialise(2)
    rng = np.random.default_rng(1)
    for _ in range(5):
        x = rng.random((4, 3, 9, 9), np.float32)
        y = np.eye(3, dtype=np.float32)[rng.integers(0, 3, 4)]
        for one, other in zip(there.parameters(), here.parameters(), strict=True):
            one.value.set(other.value)
        assert there.train_step(x, y) == pytest.approx(here.train_step(x, y), rel=2e-3)
    (program,) = programs(there)
    assert program.is_graph
    for one, other in zip(there.parameters(), here.parameters(), strict=True):
        np.testing.assert_allclose(gpu.to_host(one.value), other.value, 0, 2e-3)
