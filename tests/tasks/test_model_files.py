from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.errors import TrainingError
from darknet_py.images import Dataset
from darknet_py.tasks.data import Data, open_data
from darknet_py.tasks.model_files import model_texts
from tests.support.shapes import SHAPES, draw_shapes


def _written(folder: Path, data: Data) -> Path:
    """The .data file of a network called net, with all that it names beside it."""
    folder.mkdir()
    for name, text in model_texts("net", data).items():
        (folder / name).write_text(text)
    return folder / "net.data"


def test_the_data_file_says_what_was_trained_on(tmp_path: Path) -> None:
    data = open_data(draw_shapes(tmp_path / "shapes", 6), share=0.34)
    again = open_data(_written(tmp_path / "out", data))
    assert again.names == SHAPES
    assert (again.training(), again.validation()) == (data.training(), data.validation())


def test_labels_need_not_be_in_the_paths(tmp_path: Path) -> None:
    draw_shapes(tmp_path / "shapes", 1)
    paths = [tmp_path / "shapes" / "circle" / "0.png", tmp_path / "shapes" / "cross" / "0.png"]
    train = Dataset(("two words", "b"), paths, [(1,), (0,)])
    again = open_data(
        _written(tmp_path / "out", Data(tmp_path, train.names, train, None, tmp_path, 1))
    )
    assert again.training() == train
    assert again.valid is None


def test_a_name_that_cannot_stand_in_a_list(tmp_path: Path) -> None:
    train = Dataset(("a",), [tmp_path / "a\n1.png"], [(0,)])
    with pytest.raises(TrainingError, match="a name that cannot stand in a list: rename it"):
        model_texts("net", Data(tmp_path, train.names, train, None, tmp_path, 1))


@pytest.mark.parametrize("name", ["n\nclasses=5", "n #1", " n", "n\r", "caf\udce9"])
def test_a_name_that_cannot_stand_in_a_data_file(name: str, tmp_path: Path) -> None:
    train = Dataset(("a",), [tmp_path / "a.png"], [(0,)])
    data = Data(tmp_path, train.names, train, None, tmp_path, 1)
    with pytest.raises(TrainingError, match="cannot keep this name: rename it"):
        model_texts(name, data)


def test_a_name_that_is_too_long_for_its_files(tmp_path: Path) -> None:
    train = Dataset(("a",), [tmp_path / "a.png"], [(0,)])
    data = Data(tmp_path, train.names, train, None, tmp_path, 1)
    model_texts("é" * 116, data)
    with pytest.raises(TrainingError, match="too long a name for all files of a training"):
        model_texts("é" * 117, data)


@pytest.mark.parametrize("name", ["n#1", "#n", "n ", "a=b", ";n", "n\x1b\u2028", "café"])
def test_names_that_can(name: str, tmp_path: Path) -> None:
    train = Dataset(("a", "b"), [tmp_path / "a.png", tmp_path / "b.png"], [(0,), (1,)])
    data = Data(tmp_path, train.names, train, None, tmp_path, 1)
    for file, text in model_texts(name, data).items():
        (tmp_path / file).write_text(text)
    again = open_data(tmp_path / f"{name}.data")
    assert again.names == train.names
    assert len(again.training()) == 2
