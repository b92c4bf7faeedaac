from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.errors import DarknetError
from darknet_py.tasks.data import open_data
from tests.images.sets import make_folder


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Folders of two classes."""
    return make_folder(tmp_path / "pets", {"cat": 4, "dog": 4})


def test_a_folder_of_folders(pets: Path) -> None:
    data = open_data(pets, share=0.25)
    assert data.names == ("cat", "dog")
    assert (data.training().counts(), data.validation().counts()) == ([3, 3], [1, 1])
    assert (data.backup, data.top) == (Path("backup"), 1)


def test_a_folder_with_caffes_lists_is_read_by_them(pets: Path) -> None:
    (pets / "train.txt").write_text("cat/000.png 1\ndog/000.png 0\n")
    (pets / "val.txt").write_text("dog/001.png 0\n")
    for path in (pets, pets / "train.txt"):
        data = open_data(path, backup="elsewhere")
        assert data.names == ("dog", "cat")
        assert (data.training().counts(), data.validation().counts()) == ([1, 1], [1, 0])
        assert (data.path, data.backup, data.top) == (path, Path("elsewhere"), 1)


def test_a_list_to_validate_with_is_not_trained_on(pets: Path) -> None:
    (pets / "val.txt").write_text("cat/001.png 0\ndog/001.png 1\n")
    data = open_data(pets / "val.txt")
    assert len(data.validation()) == 2
    with pytest.raises(DarknetError, match=r"val.txt: has no pictures to train on: expected"):
        data.training()


def test_a_list_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DarknetError, match=r"train.txt: no such file"):
        open_data(tmp_path / "train.txt")
