"""Figures of the C program on what stands in for a GPU."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from scripts.gpu.accuracy import GOLDEN, error_of, measure
from scripts.gpu.rows import (
    Case,
)
from tests.ops.agreement import FORWARD

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


def test_an_error_that_is_no_number_is_infinite() -> None:
    assert error_of(np.array([np.nan]), np.array([1.0])) == float("inf")
    assert error_of(np.array([1.5, 0]), np.array([[2.0, 0]])) == 0.25
