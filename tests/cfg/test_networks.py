"""The networks in cfg/: what the C program counts in its own cfgs of these names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from darknet_py.cfg.sections import read_sections
from darknet_py.network.builder import Plan, build, table
from darknet_py.network.weights import weights_bytes
from tests.support.golden import GOLDEN

CFG = Path(__file__).parents[2] / "cfg"
NETWORKS = sorted(path.name for path in CFG.glob("*.cfg"))
COUNTED = json.loads((GOLDEN / "cfgs.json").read_text())

TINY_TABLE = """\
    0 conv     16  3 x 3 / 1   224 x 224 x   3   ->   224 x 224 x  16
    1 max          2 x 2 / 2   224 x 224 x  16   ->   112 x 112 x  16
    2 conv     32  3 x 3 / 1   112 x 112 x  16   ->   112 x 112 x  32
    3 max          2 x 2 / 2   112 x 112 x  32   ->    56 x  56 x  32
    4 conv     16  1 x 1 / 1    56 x  56 x  32   ->    56 x  56 x  16
    5 conv    128  3 x 3 / 1    56 x  56 x  16   ->    56 x  56 x 128
    6 conv     16  1 x 1 / 1    56 x  56 x 128   ->    56 x  56 x  16
    7 conv    128  3 x 3 / 1    56 x  56 x  16   ->    56 x  56 x 128
    8 max          2 x 2 / 2    56 x  56 x 128   ->    28 x  28 x 128
    9 conv     32  1 x 1 / 1    28 x  28 x 128   ->    28 x  28 x  32
   10 conv    256  3 x 3 / 1    28 x  28 x  32   ->    28 x  28 x 256
   11 conv     32  1 x 1 / 1    28 x  28 x 256   ->    28 x  28 x  32
   12 conv    256  3 x 3 / 1    28 x  28 x  32   ->    28 x  28 x 256
   13 max          2 x 2 / 2    28 x  28 x 256   ->    14 x  14 x 256
   14 conv     64  1 x 1 / 1    14 x  14 x 256   ->    14 x  14 x  64
   15 conv    512  3 x 3 / 1    14 x  14 x  64   ->    14 x  14 x 512
   16 conv     64  1 x 1 / 1    14 x  14 x 512   ->    14 x  14 x  64
   17 conv    512  3 x 3 / 1    14 x  14 x  64   ->    14 x  14 x 512
   18 conv    128  1 x 1 / 1    14 x  14 x 512   ->    14 x  14 x 128
   19 conv   1000  1 x 1 / 1    14 x  14 x 128   ->    14 x  14 x1000
   20 avg                       14 x  14 x1000   ->  1000
   21 softmax                                        1000
   22 cost                                           1000
"""
"""As on Tiny Darknet's page."""


def plan(name: str) -> Plan:
    return build(read_sections(CFG / name), name)


def test_all_are_counted() -> None:
    ours = {"cifar_res.cfg", "cifar_small.cfg", "mnist.cfg"}  # the C program has no such cfgs
    assert set(NETWORKS) - COUNTED.keys() == ours
    assert len(COUNTED) >= 22


@pytest.mark.parametrize("name", NETWORKS)
def test_it_builds_without_warnings(name: str) -> None:
    assert plan(name).warnings == []


@pytest.mark.parametrize("name", COUNTED)
def test_it_is_the_c_programs(name: str) -> None:
    layers = plan(name).layers
    floats = sum(p.size for layer in layers for p in layer.parameters())
    found = {
        # The page's table of tiny ends with a [cost], which the C program's own cfg lacks.
        "layers": len(layers) - (name == "tiny.cfg"),
        "floats": floats,
        "operations": sum(layer.operations() for layer in layers),
    }
    assert found == COUNTED[name]
    assert weights_bytes(layers) == 20 + 4 * floats


def test_cifar_small_has_the_size_of_the_published_weights() -> None:
    assert weights_bytes(plan("cifar_small.cfg").layers) == 238_780


def test_the_network_that_comes_with_the_program_is_small() -> None:
    layers = plan("cifar_res.cfg").layers
    assert weights_bytes(layers) <= 2_000_000
    assert sum(layer.operations() for layer in layers) < 2 * 80e6


def test_tiny_darknets_table_is_that_of_its_page() -> None:
    assert "\n".join(table(plan("tiny.cfg").layers)[1:]) + "\n" == TINY_TABLE
