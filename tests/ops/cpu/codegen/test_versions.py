from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import llvmlite
import numpy as np
import pytest

from darknet_py.ops import cache
from darknet_py.ops.cpu.codegen import host, versions

OPS = Path(cache.__file__).parent


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All is looked up again, and forgotten after; what is kept is kept in a folder of its own."""

    def clear() -> None:
        for known in (versions._machine, versions._read, versions.source_key, cache.folder):
            known.cache_clear()

    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "cache"))
    clear()
    yield
    clear()


@pytest.mark.parametrize(
    "change",
    ["llvmlite", "numba", "numpy", "Python", "vector length", "processor", "setting", "bytes"],
)
def test_the_folder_changes_with(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = versions.folder()
    versions._machine.cache_clear()
    assert versions.folder() == before is not None
    versions._machine.cache_clear()
    if change == "llvmlite":
        monkeypatch.setattr(llvmlite, "__version__", "99.0")
    elif change == "numba":
        monkeypatch.setattr(versions, "_numba_version", lambda: "99.0")
    elif change == "numpy":
        monkeypatch.setattr(np, "__version__", "99.0")
    elif change == "Python":
        monkeypatch.setattr(sys, "version", "99.0")
    elif change == "vector length":
        monkeypatch.setattr(host, "vector_length", lambda: 32)
    elif change == "processor":
        monkeypatch.setattr(host, "cpu", lambda: ("other", "+feature"))
    elif change == "setting":
        monkeypatch.setenv("NUMBA_OPT", "1")
    elif change == "bytes":
        monkeypatch.setenv("NUMBA_DEBUG_CACHE", os.fsdecode(b"\xff"))
    assert versions.folder() not in (before, None)


def test_the_version_of_numba_without_loading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = importlib.import_module("numba")
    assert numba.__version__ in versions._numba_version()
    monkeypatch.setattr(versions, "find_spec", lambda _: None)
    assert versions._numba_version() == numba.__version__


def imported(source: Path) -> set[str]:
    """The files that a key comes of, as seen from ops."""
    versions.source_key(str(source))
    seen: set[Path] = set()
    waiting = [source]
    while waiting:
        path = waiting.pop()
        if path not in seen and path not in versions._APART:
            seen.add(path)
            waiting += versions._read(path)[1]
    return {path.relative_to(OPS).as_posix() for path in seen}


def test_a_key_comes_of_all_that_a_file_imports() -> None:
    found = imported(OPS / "cpu" / "operations" / "softmax.py")
    native = {f"cpu/native/{name}.py" for name in ("kernel", "loader", "compiler", "emit", "host")}
    assert native <= found
    assert "cpu/kernels/winograd.py" not in found
    assert not {"cache.py", "notices.py", "__init__.py"} & found
    winograd = imported(OPS / "cpu" / "operations" / "winograd.py")
    tiles = {f"cpu/kernels/winograd_{name}.py" for name in ("product", "tiles")}
    assert tiles <= winograd  # the second by way of another


@pytest.mark.parametrize("folder", ["cpu", "cpu/kernels", "cpu/native"])
def test_all_that_is_imported_is_found(folder: str) -> None:
    """As Python itself reads the imports."""
    for path in (OPS / folder).glob("*.py"):
        if path.name == "__init__.py":
            continue
        found = versions._read(path)[1]
        name = ".".join(["darknet_py.ops", *folder.split("/"), path.stem])
        for module in modules_of(name):
            origin = Path(str(module.__file__))
            assert origin in found or path in versions._APART, (path, origin)


def modules_of(name: str) -> Iterator[ModuleType]:
    """The modules of ours that a module's text imports."""
    from tests.test_imports import imports

    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    for each in imports(name, Path(spec.origin).read_text()):
        if not each.name.startswith("darknet_py."):
            continue
        parent = each.name.rpartition(".")[0]
        try:
            yield importlib.import_module(each.name)
        except ModuleNotFoundError:
            yield importlib.import_module(parent)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in the place of ours."""
    root = tmp_path / "darknet_py"
    texts = {
        "__init__.py": "import os",
        "alone.py": "import numpy as np",
        "a.py": "from darknet_py.b import (\n    one,\n    two,\n)\n",
        "b.py": "def f():\n    from darknet_py.more import c as d\n",
        "more/__init__.py": "",
        "more/c.py": "import darknet_py.more.e as e\nimport darknet_py.a\n",
        "more/e.py": "",
        "more/other.py": "from darknet_py.more import name\nfrom darknet_py import none_such",
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(versions, "_ROOT", root)
    monkeypatch.setattr(versions, "_APART", set())
    return root


@pytest.mark.parametrize(
    ("changed", "by"),
    [
        ("a.py", {"a.py", "b.py", "more/c.py", "more/e.py"}),
        ("more/e.py", {"more/e.py"}),
        ("alone.py", {"alone.py"}),
        ("more/other.py", {"more/other.py", "more/__init__.py", "__init__.py"}),
    ],
)
def test_a_key_changes_with_what_is_imported_alone(
    changed: str, by: set[str], sources: Path
) -> None:
    def key() -> str:
        versions._read.cache_clear()
        versions.source_key.cache_clear()
        return versions.source_key(str(sources / changed))

    before = key()
    for path in sorted(sources.rglob("*.py")):
        text = path.read_text()
        path.write_text(text + "\n# more")
        assert (key() != before) == (path.relative_to(sources).as_posix() in by), path
        path.write_text(text)
        assert key() == before


def test_what_is_typed_in_has_no_key() -> None:
    with pytest.raises(OSError, match="No such file"):
        versions.source_key("<stdin>")
