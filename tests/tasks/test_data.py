from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.errors import DarknetError
from darknet_py.tasks.data import check_apart, open_data, results_folder
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


@pytest.mark.parametrize("inside", [".", "cat", "new/deep"])
def test_results_do_not_lie_among_the_pictures(pets: Path, inside: str) -> None:
    data = open_data(pets)
    with pytest.raises(DarknetError, match=r"lies in .*pets, among the pictures: choose another"):
        check_apart(pets / inside, data, "--backup")
    check_apart(pets.parent / "backup", data, "--backup")
    check_apart(pets.parent / "pets2", data, "--backup")


def test_nor_among_those_that_links_lead_to(pets: Path, tmp_path: Path) -> None:
    """Folders of classes may be links, and so may that of the results."""
    linked = tmp_path / "linked"
    linked.mkdir()
    for name in ("cat", "dog"):
        (linked / name).symlink_to(pets / name)
    (tmp_path / "results").symlink_to(pets / "cat")
    data = open_data(linked)
    for folder in (pets / "cat", pets / "dog" / "runs", tmp_path / "results"):
        with pytest.raises(DarknetError, match="among the pictures"):
            check_apart(folder, data, "-o")
    check_apart(pets / "owl", data, "-o")


def test_the_data_file_of_a_run_means_its_folder(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it is used from; beside no state it is a data file as any other."""
    monkeypatch.chdir(pets)
    run = pets / "run"
    run.mkdir()
    file = run / "n.data"
    file.write_text(f"classes=2\ntrain={pets}/all.list\n")
    assert results_folder(file) == Path("backup")
    (run / "n.state").touch()
    assert results_folder(file) == run
    assert results_folder(file, "c") == Path("c")
    file.write_text("classes=2\nbackup=mine\n")
    assert results_folder(file) == Path("mine")
