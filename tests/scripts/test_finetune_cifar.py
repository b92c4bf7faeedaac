from __future__ import annotations

import importlib.machinery
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.network import Network
from darknet_py.ops import for_device
from tests.support.shapes import SHAPES, draw_shapes

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = str(ROOT / "scripts" / "finetune_cifar")
    loader = importlib.machinery.SourceFileLoader("finetune_cifar", path)
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_pictures_are_drawn_by_the_seed(script: ModuleType, tmp_path: Path) -> None:
    source = draw_shapes(tmp_path / "shapes", 9)

    def chosen(name: str, count: int, seed: int) -> set[str]:
        folder = script.choose(source, tmp_path / name, count, seed)
        assert {path.name for path in folder.iterdir()} == set(SHAPES)
        found = {path.relative_to(folder).as_posix() for path in folder.glob("*/*.png")}
        assert len(found) == 3 * count
        return found

    few, more, other = chosen("a", 3, 0), chosen("b", 5, 0), chosen("c", 3, 1)
    assert few < more
    assert few != other
    assert chosen("a", 3, 0) == few


@pytest.mark.parametrize(("count", "batches"), [(20, 1250), (100, 937), (1000, 1875)])
def test_the_cfg_for_training_from_nothing(script: ModuleType, count: int, batches: int) -> None:
    sections = parse_sections(script.scratch_cfg(count, 0.05), "scratch.cfg")
    net = Network(sections, "scratch.cfg", for_device("cpu"), strict=True)
    assert (net.outputs, net.in_shape) == (10, (128, 128, 3))
    assert (net.settings.schedule.policy, net.settings.max_batches) == ("onecycle", batches)
    assert net.settings.augmentation.max_crop == 183
