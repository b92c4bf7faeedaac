"""The design's rule, "imports point down only", held by reading every source of darknet_py."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1] / "darknet_py"
US = "darknet_py"

# Each place and those below it, into which it may reach. The package itself, whose __init__
# offers the names of all, stands above them.
BOTTOM = {"atomic", "errors", "interrupt", "options", "resources", "text", "untrusted"}
BELOW = {
    "errors": {"text"},
    "atomic": {"errors"},
    "resources": {"errors"},
    "options": {"errors"},
    "text": set[str](),
    "untrusted": set[str](),
    "cfg": BOTTOM,
    "ops": BOTTOM,
    "layers": BOTTOM | {"cfg", "ops"},
    "network": BOTTOM | {"cfg", "ops", "layers"},
    "images": BOTTOM | {"cfg", "ops", "layers"},
    "tasks": BOTTOM | {"cfg", "ops", "layers", "network", "images"},
    "cli": BOTTOM | {"cfg", "ops", "layers", "network", "images", "tasks", US},
    "darknet": BOTTOM | {"cfg", "images", "network", "tasks"},
    "interrupt": set[str](),
    "__main__": {"cli", "interrupt", "text", US},
}

# The packages of others, and the only place that may import each.
OTHERS = {
    "click": "cli",
    "cudnn": "ops.gpu",
    "cupy": "ops.gpu",
    "cupyx": "ops.gpu",
    "filelock": "tasks",
    "llvmlite": "ops.cpu",
    "matplotlib": "images.draw",
    "numba": "ops.cpu",
    "numpy": "",
    "PIL": "images",
    "pooch": "tasks",
    "requests": "tasks",
    "tensorboard": "tasks",
    "threadpoolctl": "ops.cpu",
    "tqdm": "cli",
}


CPU, GPU = f"{US}.ops.cpu", f"{US}.ops.gpu"
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class Import(NamedTuple):
    line: int
    name: str
    """Dotted, down to the name that is imported: darknet_py.errors.CfgError."""
    lazy: bool
    """Whether it waits for a function to be called."""


def imports(module: str, source: str) -> Iterator[Import]:
    """All of a source, at the top or in functions; of import_module those of a literal name."""

    def walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            for name in _imported(module, child):
                yield Import(getattr(child, "lineno", 0), name, lazy)
            yield from walk(child, lazy or isinstance(child, FUNCTIONS))

    return walk(ast.parse(source), lazy=False)


def _imported(module: str, node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        # ".x" in darknet_py.ops.dense is darknet_py.ops.x
        start = module.split(".")[: -node.level] if node.level else []
        source = ".".join([*start, *filter(None, [node.module])])
        return [f"{source}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        first = node.args[0]
        return [str(first.value)] if isinstance(first, ast.Constant) else []
    return []


def within(name: str, place: str) -> bool:
    """Whether a dotted name is a place, or something in it."""
    return f"{name}.".startswith(f"{place}.")


def faults(module: str, source: str) -> list[str]:
    """What a module must not import. A package's module is called `package.__init__`."""
    if module == f"{US}.__init__":
        return []
    if place_of(module) not in BELOW:
        return [f"{module} has no place in the design"]
    return [
        f"{module}, line {found.line}: imports {found.name}: {fault}"
        for found in imports(module, source)
        for fault in _faults_of(module, found)
    ]


def place_of(name: str) -> str:
    """layers, of darknet_py.layers.maxpool; darknet_py, of a name in its __init__."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in BELOW else US


def _faults_of(module: str, found: Import) -> Iterator[str]:
    if not within(found.name, US):
        package = found.name.split(".")[0]
        if package in OTHERS:
            home = ".".join(filter(None, [US, OTHERS[package]]))
            if not within(module, home):
                yield f"{package} belongs into {home}"
        elif package not in sys.stdlib_module_names:
            yield "no dependency"
        return
    here, there = place_of(module), place_of(found.name)
    if there not in BELOW[here] | {here}:
        yield f"{there} is not below {here}"
    if here == there == "layers" and not _may_know_layer(module, found.name):
        yield "a layer knows layers.base and layers.parts alone"
    if there == "ops":
        yield from _faults_of_devices(module, found)


def _may_know_layer(module: str, name: str) -> bool:
    base, parts = f"{US}.layers.base", f"{US}.layers.parts"
    if module == f"{US}.layers.__init__" or within(name, f"{US}.layers.parameter"):
        return True
    return module != base and (within(name, base) or within(name, parts))


def _faults_of_devices(module: str, found: Import) -> Iterator[str]:
    """Layers compute where they are told, so that nobody asks for a device by name.

    But for_device, and that only when it is called; and pictures are read on the CPU.
    """
    for device in (CPU, GPU):
        at_home = within(module, device) or (place_of(module), device) == ("images", CPU)
        if within(found.name, device) and not at_home:
            if module != f"{US}.ops.__init__":
                yield f"{device} is what for_device gives"
            elif not found.lazy:
                yield f"{device} must wait until it is asked for"


def modules() -> Iterator[tuple[str, str]]:
    """The name and the source of every module."""
    for path in sorted(ROOT.rglob("*.py")):
        relative = path.relative_to(ROOT.parent).with_suffix("")
        yield ".".join(relative.parts), path.read_text(encoding="utf-8")


def test_imports_point_down() -> None:
    found = [fault for name, source in modules() for fault in faults(name, source)]
    assert not found, "\n".join(found)


def test_all_places_are_there() -> None:
    """A rule for a place that nobody has any more would hold nothing."""
    places = {name.split(".")[1] for name, _ in modules()} - {"__init__"}
    assert places == set(BELOW)


GOOD = [
    ("errors", "from pathlib import Path"),
    ("resources", "from darknet_py.errors import DarknetError"),
    ("cfg.sections", "from darknet_py.errors import CfgError"),
    ("cfg.sections", "from darknet_py.cfg.text import read_text"),
    ("ops.dense", "import numpy as np\nimport numpy.typing as npt"),
    ("ops.dense", "from darknet_py.ops.normalize import channel_sum"),
    ("ops.__init__", "def f():\n    importlib.import_module('darknet_py.ops.gpu')"),
    ("ops.cpu.codegen.jit", "import numba"),
    ("ops.cpu.maxpool", "from darknet_py.ops.cpu import conv"),
    ("ops.gpu.convolution", "import cupy as cp\nfrom cupyx import empty_pinned"),
    ("ops.gpu.__init__", "from darknet_py.ops.shared import *"),
    ("layers.__init__", "from darknet_py.layers import maxpool"),
    ("layers.maxpool", "from darknet_py.layers.base import Layer"),
    ("layers.maxpool", "from darknet_py.layers import base"),
    ("layers.connected", "from darknet_py.layers.parts.dense import Dense"),
    ("layers.parts.dense", "from darknet_py.layers.parts.batch_normalize import BatchNormalize"),
    ("layers.local", "from darknet_py.ops.sizes import conv_out"),
    ("network.network", "from darknet_py import ops as devices"),
    ("network.network", "from darknet_py.resources import find_resource"),
    ("images.io.decode", "from PIL import Image"),
    ("images.augment", "from darknet_py.ops.cpu.pictures import augment"),
    ("images.draw.canvas", "def f():\n    from matplotlib.figure import Figure"),
    ("tasks.train", "from darknet_py import images, network"),
    ("cli.__init__", "import click\nfrom darknet_py import __version__"),
    ("cli.train", "def f():\n    from darknet_py.tasks.train import train"),
    ("__main__", "from darknet_py.cli import main"),
    ("__init__", "from darknet_py.tasks.classify import classify"),
]

BAD = [
    ("errors", "from darknet_py.resources import find_resource"),
    ("resources", "from darknet_py.cfg.text import read_text"),
    ("cfg.sections", "from darknet_py.ops.sizes import conv_out"),
    ("cfg.sections", "from ..layers import LAYERS"),
    ("ops.dense", "from darknet_py.cfg.sections import Section"),
    ("ops.dense", "import numba"),
    ("ops.dense", "import cupy"),
    ("ops.dense", "from darknet_py.ops.cpu.conv import conv2d"),
    ("ops.dense", "from .cpu import conv"),
    ("ops.cpu.conv", "from darknet_py.ops.gpu.convolution import conv2d"),
    ("ops.gpu.convolution", "from darknet_py.ops.cpu import conv"),
    ("ops.gpu.convolution", "from numba import njit"),
    ("ops.__init__", "import darknet_py.ops.gpu"),
    ("ops.__init__", "importlib.import_module('darknet_py.ops.gpu')"),
    ("layers.maxpool", "import cupy.cuda"),
    ("layers.maxpool", "def f():\n    from cupyx import jit"),
    ("layers.maxpool", "from darknet_py.layers.avgpool import Avgpool"),
    ("layers.maxpool", "from darknet_py.layers import avgpool"),
    ("layers.maxpool", "from darknet_py.layers import LAYERS"),
    ("layers.maxpool", "import darknet_py.layers"),
    ("layers.maxpool", "from . import avgpool"),
    ("layers.maxpool", "from darknet_py.ops.cpu.maxpool import maxpool"),
    ("layers.maxpool", "from darknet_py import cli"),
    ("layers.maxpool", "from darknet_py.network import Network"),
    ("layers.parts.dense", "from darknet_py.layers.connected import Connected"),
    ("layers.base", "from darknet_py.layers.parts.dense import Dense"),
    ("network.builder", "from darknet_py.images import load_image"),
    ("network.builder", "if TYPE_CHECKING:\n    from darknet_py import tasks"),
    ("network.builder", "from PIL import Image"),
    ("images.io.decode", "from darknet_py import network"),
    ("images.io.decode", "import click"),
    ("images.transform.fit", "import matplotlib"),
    ("tasks.chart", "from matplotlib import pyplot"),
    ("images.io.decode", "from darknet_py.ops.gpu.convolution import conv2d"),
    ("tasks.train", "from darknet_py.cli.options import find_file"),
    ("tasks.train", "import click"),
    ("tasks.train", "from PIL.Image import open"),
    ("tasks.train", "from darknet_py import load_network"),
    ("tasks.train", "class A:\n    def f(self):\n        import_module('darknet_py.cli')"),
    ("cli.train", "import requests"),
    ("__main__", "from darknet_py.network import Network"),
    ("helpers", "import os"),
]


@pytest.mark.parametrize(("module", "source"), GOOD)
def test_what_is_allowed(module: str, source: str) -> None:
    assert faults(f"{US}.{module}", source) == []


@pytest.mark.parametrize(("module", "source"), BAD)
def test_what_is_not_allowed(module: str, source: str) -> None:
    assert len(faults(f"{US}.{module}", source)) == 1


HEAVY = {
    "PIL",
    "PIL.ImageFont",
    "click",
    "cupy",
    "llvmlite",
    "matplotlib",
    "numba",
    "numpy",
    "threadpoolctl",
}


@pytest.mark.parametrize(
    ("module", "may_load"),
    [
        (US, set()),
        (f"{US}.errors", set()),
        (f"{US}.cli", {"click"}),
        (f"{US}.cfg.sections", set()),
        (f"{US}.images", {"PIL", "numpy"}),
        (f"{US}.images.draw.chart", {"PIL", "numpy"}),
        (f"{US}.images.draw.confusion", {"PIL", "numpy"}),
        (f"{US}.images.draw.sheet", {"PIL", "PIL.ImageFont", "numpy"}),
        (f"{US}.ops", set()),
        (f"{US}.ops.notices", set()),
        (f"{US}.ops.cpu", {"numpy"}),
        (f"{US}.ops.cpu.runtime.engine", {"llvmlite", "numpy"}),
        (f"{US}.network", {"numpy"}),
        (f"{US}.tasks.classify", {"PIL", "numpy"}),
    ],
)
def test_what_an_import_loads(module: str, may_load: set[str]) -> None:
    """What is slow to load waits until it is needed."""
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    ).stdout.split()
    assert US in loaded
    assert HEAVY & set(loaded) <= may_load


def test_no_two_files_import_each_other() -> None:
    """Not even by way of others, nor in functions, nor for annotations alone."""
    sources = {_module(path): path for path in sorted(ROOT.rglob("*.py"))}
    graph = {
        module: {
            found
            for each in imports(module, path.read_text())
            if (found := _file_of(each.name, sources))
        }
        - {module}
        for module, path in sources.items()
    }
    assert _circles(graph) == []


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "e"}, "e": {"d"}, "f": {"a"}}
    assert sorted(_circles(graph)) == [["a", "b", "c"], ["d", "e"]]


def _module(path: Path) -> str:
    dotted = ".".join([US, *path.relative_to(ROOT).with_suffix("").parts])
    return dotted.removesuffix(".__init__")


def _file_of(name: str, sources: dict[str, Path]) -> str | None:
    """The module of ours that an imported name is, or stands in."""
    parent = name.rpartition(".")[0]
    return name if name in sources else parent if parent in sources else None


def _circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Modules that reach themselves, those that reach each other together."""
    reached: dict[str, set[str]] = {}
    for start in graph:
        seen, waiting = set[str](), [*graph[start]]
        while waiting:
            if (here := waiting.pop()) not in seen:
                seen.add(here)
                waiting += graph[here]
        reached[start] = seen
    mutual = {
        tuple(sorted(other for other in seen if start in reached[other]))
        for start, seen in reached.items()
        if start in seen
    }
    return [list(circle) for circle in mutual]
