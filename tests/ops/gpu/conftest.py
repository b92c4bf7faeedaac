"""The GPU's functions over stand-ins for cupy and cuDNN."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from tests.ops.cudnn_stand_in import StandIn
from tests.ops.cupy_stand_in import gpu_on_numpy


@pytest.fixture
def cudnn(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    module = StandIn()
    monkeypatch.setitem(sys.modules, "cudnn", module)
    return module


@pytest.fixture
def gpu(cudnn: StandIn) -> ModuleType:
    """With cuDNN, whose plans are not kept."""
    module = gpu_on_numpy()
    nothing = {"folder": lambda key: None, "load": lambda *_: None, "store": lambda *_: None}
    module.cudnn.disk = SimpleNamespace(make_key=lambda *_: "", **nothing)
    return module
