"""A small data set and how to train on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.images import Dataset
from darknet_py.tasks.data import open_data
from darknet_py.tasks.run import Options
from tests.support.shapes import draw_shapes


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shapes(tmp_path_factory.mktemp("data") / "shapes", 40)


@pytest.fixture
def sets(shapes: Path) -> tuple[Dataset, Dataset]:
    data = open_data(shapes, share=0.2)
    return data.training(), data.validation()


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(backup=tmp_path / "backup", name="shapes", top=2, save_every=7)
