from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from darknet_py.ops.cpu.codegen import host

CACHED = (
    host.cpu,
    host.architecture,
    host.vector_length,
    host.vector_registers,
    host._features,
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything is asked again, and forgotten after."""
    for function in CACHED:
        function.cache_clear()
    yield
    monkeypatch.undo()
    for function in CACHED:
        function.cache_clear()


class Features(dict[str, bool]):
    def flatten(self) -> str:
        return ",".join(f"+{name}" for name in self)


def pretend(monkeypatch: pytest.MonkeyPatch, triple: str, *features: str) -> None:
    """LLVM speaks of another processor."""
    llvm = SimpleNamespace(
        get_host_cpu_features=lambda: Features.fromkeys(features, True),
        get_host_cpu_name=lambda: "other",
        get_process_triple=lambda: triple,
    )
    monkeypatch.setattr(host, "llvm", llvm)
    monkeypatch.delenv(host.VECTOR_VARIABLE, raising=False)


AVX512 = ("avx", "avx2", "fma", "avx512f")
X86, ARM, MAC = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "arm64-apple-darwin22"


@pytest.mark.parametrize(
    ("triple", "features", "length", "registers"),
    [
        (X86, AVX512, 16, 32),
        (X86, AVX512[:3], 8, 16),
        (X86, ("avx", "avx2"), 4, 16),
        (X86, (), 4, 16),
        (ARM, ("neon",), 4, 32),
        (ARM, (), 4, 32),
        (MAC, (), 4, 32),
    ],
)
def test_processors(
    triple: str,
    features: tuple[str, ...],
    length: int,
    registers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pretend(monkeypatch, triple, *features)
    assert host.vector_length() == length
    assert host.vector_registers() == registers
    assert host.architecture() == triple.split("-")[0]
    assert host.has_fused() == ("fma" in features or triple != X86)


@pytest.mark.parametrize(("wanted", "registers"), [(4, 32), (8, 32), (16, 32)])
def test_the_variable_says_how_long(
    wanted: int, registers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, X86, *AVX512)
    monkeypatch.setenv(host.VECTOR_VARIABLE, str(wanted))
    assert (host.vector_length(), host.vector_registers()) == (wanted, registers)


@pytest.mark.parametrize(("wanted", "registers"), [(4, 16), (8, 16), (16, 8)])
def test_a_long_vector_takes_several_registers(
    wanted: int, registers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, X86, *AVX512[:3])
    monkeypatch.setenv(host.VECTOR_VARIABLE, str(wanted))
    assert (host.vector_length(), host.vector_registers()) == (wanted, registers)


@pytest.mark.parametrize("wanted", ["", "5", "32", "many"])
def test_what_is_no_length(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, X86, *AVX512)
    monkeypatch.setenv(host.VECTOR_VARIABLE, wanted)
    assert host.vector_length() == 16


def test_the_identity_tells_processors_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    identities = set()
    for triple, *features in ([X86, *AVX512], [X86, *AVX512[:3]], [X86], [ARM], [MAC]):
        pretend(monkeypatch, triple, *features)
        for function in CACHED:
            function.cache_clear()
        identities.add(host.identity())
    pretend(monkeypatch, X86, *AVX512)
    monkeypatch.setenv(host.VECTOR_VARIABLE, "8")
    for function in CACHED:
        function.cache_clear()
    identities.add(host.identity())
    assert len(identities) == 6


def test_llvm_may_not_know_the_features(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("failed to get host cpu features")

    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", fail)
    monkeypatch.delenv(host.VECTOR_VARIABLE, raising=False)
    assert host.cpu()[1] == ""
    assert host.vector_length() == 4
