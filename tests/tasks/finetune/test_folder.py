from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.errors import DarknetError, TrainingError
from darknet_py.images import Dataset
from darknet_py.tasks.data import Data, open_data
from darknet_py.tasks.finetune.folder import open_folder, write_data
from tests.support.shapes import SHAPES, draw_shapes

INPUTS = {"cfg": "1", "views": 3, "keys": [("mixup", 0.2)]}


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "a" / "b", "net", INPUTS, resume=False)
    folder.finish("head", {"top1": 0.5, "loss": 1.25})
    folder.finish("all", None)
    again = open_folder(tmp_path / "a" / "b", "net", INPUTS, resume=True)
    assert again.done == {"head": {"top1": 0.5, "loss": 1.25}, "all": None}


def test_what_began_is_not_written_over(tmp_path: Path) -> None:
    open_folder(tmp_path, "net", INPUTS, resume=False)
    with pytest.raises(TrainingError, match="holds a fine-tuning: go on with it by --resume"):
        open_folder(tmp_path, "net", INPUTS, resume=False)


def test_nothing_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no fine-tuning began there: leave out --resume"):
        open_folder(tmp_path, "net", INPUTS, resume=True)


def test_another_fine_tuning(tmp_path: Path) -> None:
    open_folder(tmp_path, "net", INPUTS, resume=False)
    with pytest.raises(
        TrainingError, match="another fine-tuning began there: it had another views"
    ):
        open_folder(tmp_path, "net", INPUTS | {"views": 4}, resume=True)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"inputs": {}}'])
def test_a_damaged_record(tmp_path: Path, content: str) -> None:
    (tmp_path / "finetune.json").write_text(content)
    with pytest.raises(TrainingError, match=r"finetune\.json: is no record of a fine-tuning"):
        open_folder(tmp_path, "net", INPUTS, resume=True)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DarknetError, match="cannot be a folder for results"):
        open_folder(tmp_path / "file", "net", INPUTS, resume=False)


def test_the_data_file_says_what_was_trained_on(tmp_path: Path) -> None:
    data = open_data(draw_shapes(tmp_path / "shapes", 6), share=0.34)
    folder = open_folder(tmp_path / "out", "net", INPUTS, resume=False)
    write_data(folder, data)
    again = open_data(tmp_path / "out" / "net.data")
    assert again.names == SHAPES
    assert (again.training(), again.validation()) == (data.training(), data.validation())


def test_labels_need_not_be_in_the_paths(tmp_path: Path) -> None:
    draw_shapes(tmp_path / "shapes", 1)
    paths = [tmp_path / "shapes" / "circle" / "0.png", tmp_path / "shapes" / "cross" / "0.png"]
    train = Dataset(("two words", "b"), paths, [(1,), (0,)])
    folder = open_folder(tmp_path / "out", "net", INPUTS, resume=False)
    write_data(folder, Data(tmp_path, train.names, train, None, tmp_path, 1))
    again = open_data(tmp_path / "out" / "net.data")
    assert again.training() == train
    assert again.valid is None


def test_a_name_that_cannot_stand_in_a_list(tmp_path: Path) -> None:
    train = Dataset(("a",), [tmp_path / "a\n1.png"], [(0,)])
    folder = open_folder(tmp_path / "out", "net", INPUTS, resume=False)
    with pytest.raises(TrainingError, match="a name that cannot stand in a list: rename it"):
        write_data(folder, Data(tmp_path, train.names, train, None, tmp_path, 1))
