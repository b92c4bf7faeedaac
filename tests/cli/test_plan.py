from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.ops.cuda_on_cpu import compiler
from tests.ops.cupy_stand_in import cupy_replaced, make_cupy

NET = "[net]\nwidth=8\nheight=8\nchannels=3\n"
MNIST = Path(__file__).parents[2] / "cfg/mnist.cfg"


def test_a_table_of_steps(darknet: Run) -> None:
    code, out, err = darknet("plan", "-q", MNIST)
    assert (code, err) == (0, "")
    head, *steps, total = out.splitlines()
    assert head.split() == ["Step", "Output", "Algorithm", "ms", "GFLOP/s", "of", "peak"]
    assert any("winograd" in step for step in steps)
    assert total.startswith(f"{len(steps)} steps, ")


def test_a_share_of_the_peak_only_where_it_means_something(
    darknet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = importlib.import_module("darknet_py.tasks.plan")
    steps = [
        task.StepTime("direct", (1, 4, 4, 2), "direct", 5 * 10**8, 1.0),
        task.StepTime("fast", (1, 4, 4, 2), "winograd 4x4", 5 * 10**8, 1.0),
        task.StepTime("disturbed", (1, 4, 4, 2), "direct", 63 * 10**8, 1.0),
    ]
    found = task.Plan(steps, 1.0, 1.0, None, "")
    monkeypatch.setattr(task, "measure_plan", lambda *_: found)
    _, out, _ = darknet("plan", "-q", MNIST)
    assert [line.split()[-1] for line in out.splitlines()[1:4]] == ["50%", "0", "6"]


def test_exact_means_direct(darknet: Run) -> None:
    _, out, _ = darknet("plan", "-q", "--exact", "--json", MNIST)
    algorithms = {json.loads(line)["algorithm"] for line in out.splitlines()}
    assert algorithms == {"", "direct"}


def test_training(darknet: Run) -> None:
    code, out, _ = darknet("plan", "-q", "--work", "training", "--batch", "4", "--json", MNIST)
    assert code == 0
    steps = [json.loads(line) for line in out.splitlines()]
    assert {"batchnorm + leaky", "biases"} <= {step["name"] for step in steps}
    assert all(step["seconds"] > 0 for step in steps)


def test_batches_that_are_none(darknet: Run) -> None:
    code, out, err = darknet("plan", "--batch", "0", MNIST)
    assert (code, out) == (2, "")
    assert "--batch" in err


def test_half_precision_is_for_gpus(darknet: Run) -> None:
    code, out, err = darknet("plan", "-q", "--half", "--device", "cpu", MNIST)
    assert (code, out) == (1, "")
    assert err.endswith("half precision is for GPUs alone: leave out --half\n")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stand-in without cuDNN, whose peak is that of a small product."""
    if compiler() is None:
        pytest.skip("needs a C++ compiler, which stands in for a GPU's")
    monkeypatch.setitem(sys.modules, "cudnn", None)
    with cupy_replaced(make_cupy()):
        vars(importlib.import_module("darknet_py.ops.gpu.profile"))["_SIZE"] = 8
        yield


@pytest.mark.usefixtures("gpu")
def test_a_gpu_says_why_it_is_no_graph(darknet: Run, tmp_path: Path) -> None:
    cfg = tmp_path / "conv.cfg"
    cfg.write_text(f"{NET}[convolutional]\nfilters=4\nsize=3\npad=1\n[connected]\noutput=2\n")
    code, out, err = darknet("plan", "-q", "--device", "gpu", cfg)
    assert (code, err) == (0, "")
    head, *steps, total, apart = out.splitlines()
    assert head.split() == ["Step", "Output", "Algorithm", "ms", "GFLOP/s", "of", "peak"]
    assert sum("columns + cublas" in step for step in steps) == 2
    assert total.startswith(f"{len(steps)} steps, ")
    assert apart.startswith("launched step by step, not as one CUDA graph: ")
    assert "cuBLAS" in apart


@pytest.mark.usefixtures("gpu")
def test_a_gpus_steps_as_json(darknet: Run, tmp_path: Path) -> None:
    cfg = tmp_path / "pool.cfg"
    cfg.write_text(f"{NET}[maxpool]\nsize=2\nstride=2\n")
    code, out, _ = darknet("plan", "-q", "--device", "gpu", "--json", cfg)
    assert code == 0
    steps = [json.loads(line) for line in out.splitlines()]
    assert ("maxpool", "kernel", [1, 4, 4, 3]) in [
        (step["name"], step["algorithm"], step["shape"]) for step in steps
    ]
    _, out, _ = darknet("plan", "-q", "--device", "gpu", cfg)
    assert out.splitlines()[-1].startswith("as one CUDA graph: ")
