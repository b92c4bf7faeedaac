"""What the processor can do: vector length, registers, peak, and a name for all of it."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import llvmlite.binding as llvm

VECTOR_VARIABLE = "DARKNET_VECTOR_LENGTH"
"""Floats in a vector, where it should be another than the processor's: 16, 8 or 4."""


@cache
def cpu() -> tuple[str, str]:
    """LLVM's name of the processor, and its features, as its target machines want them."""
    return llvm.get_host_cpu_name(), _features().flatten()


@cache
def _features() -> Any:
    try:
        return llvm.get_host_cpu_features()
    except RuntimeError:  # LLVM does not know them here; the processor's name says the least
        return llvm.FeatureMap()


@cache
def architecture() -> str:
    """x86_64, aarch64, arm64..."""
    return str(llvm.get_process_triple().partition("-")[0])


@cache
def vector_length() -> int:
    """Floats in the widest vector: 16 (AVX-512), 8 (AVX2), 4 (NEON and everything else)."""
    wanted = os.environ.get(VECTOR_VARIABLE, "")
    if wanted in ("4", "8", "16"):
        return int(wanted)
    features = _features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx2") and features.get("fma") else 4


@cache
def vector_registers() -> int:
    """Vector registers that a kernel may fill: 32, or 16 where only AVX2 or SSE is there."""
    features = _features()
    has_many = features.get("avx512f") or is_arm()
    wide = 16 if features.get("avx512f") else 8 if features.get("avx2") else 4
    registers = 32 if has_many else 16
    # a vector longer than the processor's takes several registers
    return max(registers * wide // max(vector_length(), wide), 8)


def has_fused() -> bool:
    """Whether the processor multiplies and adds at once; without it, LLVM calls a function."""
    return bool(_features().get("fma")) or is_arm()


def is_arm() -> bool:
    return architecture() in ("aarch64", "arm64")


def identity() -> str:
    """All that machine code depends on, of this processor."""
    name, features = cpu()
    return f"{llvm.get_process_triple()} {name} {features} {vector_length()} {vector_registers()}"
