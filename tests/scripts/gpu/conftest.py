"""What stands in for a GPU."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.ops.cupy_stand_in import gpu_on_numpy


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    return gpu_on_numpy()
