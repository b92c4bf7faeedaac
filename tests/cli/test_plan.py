from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run

MNIST = Path(__file__).parents[2] / "cfg/mnist.cfg"


def test_a_table_of_steps(darknet: Run) -> None:
    code, out, err = darknet("plan", "-q", MNIST)
    assert (code, err) == (0, "")
    head, *steps, total = out.splitlines()
    assert head.split() == ["Step", "Output", "Algorithm", "ms", "GFLOP/s", "of", "peak"]
    assert any("winograd" in step for step in steps)
    assert total.startswith(f"{len(steps)} steps, ")


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
