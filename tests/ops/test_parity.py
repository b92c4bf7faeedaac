"""Both devices have the same functions."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest

from darknet_py import ops as devices
from darknet_py.ops import shared
from tests.ops.agreement import CALLS
from tests.ops.cupy_stand_in import gpu_on_stand_in

cpu = devices.for_device("cpu")

OWN = sorted(set(cpu.__all__) - set(shared.__all__))


@pytest.fixture(scope="module")
def gpu() -> ModuleType:
    return gpu_on_stand_in()


def test_names(gpu: ModuleType) -> None:
    assert sorted(gpu.__all__) == sorted(cpu.__all__)
    assert len(set(cpu.__all__)) == len(cpu.__all__)
    for module in (cpu, gpu):
        missing = [name for name in module.__all__ if not hasattr(module, name)]
        assert not missing, module


def test_a_call_that_a_pass_makes_is_no_operation_of_another_meaning() -> None:
    """Rules go by names alone: an operation that was called so would be taken for it."""
    from darknet_py.ops.simplify import batchnorm_scale

    made = re.findall(r'Node\("(\w+)"', inspect.getsource(inspect.getmodule(batchnorm_scale)))  # type: ignore[arg-type]
    assert set(made) - {"avgpool"} == {"batchnorm_scale"}  # avgpool is the operation itself
    assert "batchnorm_scale" not in cpu.__all__


def test_nothing_public_is_left_out(gpu: ModuleType) -> None:
    # choosing a GPU is no operation, and the CPU has nothing to choose
    beside = {"device_name", "use_device", "first_line", "__getattr__"}
    for module in (cpu, gpu):
        public = {name for name, value in vars(module).items() if inspect.isfunction(value)}
        assert public - beside <= set(module.__all__), module


_gpu = gpu_on_stand_in()
REPLACED = sorted(
    name for name in shared.__all__ if getattr(_gpu, name) is not getattr(shared, name)
)
"""Functions of shared.py that the GPU has kernels for."""


@pytest.mark.parametrize("name", OWN)
def test_signatures(gpu: ModuleType, name: str) -> None:
    here, there = getattr(cpu, name), getattr(gpu, name)
    # local2d and its gradients are made of each device's own windows
    assert here is not there
    assert here.__module__.startswith(("darknet_py.ops.cpu.", "darknet_py.ops.columns"))
    assert there.__module__.startswith(("darknet_py.ops.gpu.", "darknet_py.ops.columns"))
    assert inspect.signature(there) == inspect.signature(here)


@pytest.mark.parametrize("name", REPLACED)
def test_signatures_of_what_is_replaced(gpu: ModuleType, name: str) -> None:
    here, there = getattr(cpu, name), getattr(gpu, name)
    assert there.__module__.startswith("darknet_py.ops.gpu.")
    assert inspect.signature(there) == inspect.signature(here)


@pytest.mark.parametrize("name", [*OWN, *REPLACED])
def test_descriptions(gpu: ModuleType, name: str) -> None:
    assert getattr(gpu, name).__doc__ == getattr(cpu, name).__doc__


def test_the_rest_is_one_and_the_same(gpu: ModuleType) -> None:
    for name in set(shared.__all__) - set(REPLACED):
        assert getattr(gpu, name) is getattr(cpu, name) is getattr(shared, name)


def test_every_function_is_compared() -> None:
    """Those of OWN in agreement.py's check_conv and check_maxpool, the rest by its CALLS."""
    assert sorted({*CALLS["float32"], "ACTIVATIONS"}) == sorted(shared.__all__)
