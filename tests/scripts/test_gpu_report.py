"""The report on a GPU, where there is none: figures on the stand-in, times on the CPU."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from scripts.gpu.accuracy import GOLDEN, Case, measure
from scripts.gpu.report import report
from tests.ops.agreement import FORWARD
from tests.ops.cupy_stand_in import gpu_on_numpy

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    return gpu_on_numpy()


NAMES = sorted(path.stem for path in (GOLDEN / "forward").glob("*.npz"))
# those that the GPU's other tests do not compute; one activation stands for all
REST = [name for name in NAMES if name not in FORWARD and not name.startswith("act_")]


@pytest.mark.parametrize("name", [*REST, "act_stair"])
def test_figures(gpu: ModuleType, name: str) -> None:
    case = measure(gpu, "forward", name, "exact")
    assert case.is_good, case


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("train", "sgd_subdivisions"),
        ("train", "connected_bn"),
        ("train", "cost_sse"),
        ("dream", "vgg_like_41x27_layer5_thresh1"),
    ],
)
def test_figures_of_training_and_dreams(gpu: ModuleType, kind: str, name: str) -> None:
    case = measure(gpu, kind, name, "tf32")
    assert case.is_good, case


def test_limits() -> None:
    assert Case("forward", "a", "tf32", 1.9e-3).is_good
    assert not Case("forward", "a", "exact", 1.9e-3).is_good
    assert Case("train", "connected_bn", "exact", 1.9e-3).is_good
    assert not Case("forward", "a", "tf32", float("inf")).is_good


def test_what_is_reported() -> None:
    speed = pytest.importorskip("scripts.gpu.speed", reason="needs torch")
    cases = [
        Case("forward", "route", "tf32", 1e-4),
        Case("forward", "crop_test", "tf32", 3e-3),
        Case("forward", "route", "exact", 1e-6),
    ]
    times = [speed.Time("inference, tiny, 64", "tf32", 2.0, 3.0, 1e-3)]
    text = report(["2030-01-02, gpu: a GPU, 80 GB"], "9 passed", cases, times)
    assert "- 2030-01-02, gpu: a GPU, 80 GB" in text
    assert "| forward | tf32 | 2 | 3.0e-03 | crop_test | 0.002 | crop_test |" in text
    assert "| forward | exact | 1 | 1.0e-06 | route | 0.0001 | none |" in text
    assert "| inference, tiny, 64 | tf32 | 2 | 3 | 1.50 | 1e-03 |" in text


def test_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours and PyTorch's compute the same, on the CPU."""
    speed = pytest.importorskip("scripts.gpu.speed", reason="needs torch")
    monkeypatch.setattr(speed, "SECONDS", 0.0)
    subject = speed.make_subject("cifar_small", batch=4)
    for row in (
        speed.inference(subject, 2, "cpu", "cpu", half=False),
        speed.training(subject, "cpu", "cpu", half=False),
    ):
        assert row.precision == "tf32"
        assert row.error < 1e-4, row
        assert min(row.ours, row.torch) > 0


def test_without_a_gpu_it_says_why(tmp_path: Path) -> None:
    script = ROOT / "scripts" / "gpu_report"
    done = subprocess.run(
        [sys.executable, script, "--device", "gpu:999", "-o", tmp_path / "report.md"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_no_report_yet() -> None:
    """README says that no GPU has been seen; who adds a report changes that line, and this test."""
    has_report = (ROOT / "docs" / "gpu-report.md").exists()
    says_none = "No machine with a GPU has run this yet" in (ROOT / "README.md").read_text()
    assert has_report != says_none


def test_an_error_that_is_no_number_is_none() -> None:
    from scripts.gpu.accuracy import _error

    assert _error(np.array([np.nan]), np.array([1.0])) == float("inf")
    assert _error(np.array([1.5, 0]), np.array([[2.0, 0]])) == 0.25
