"""None"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.cfg.data_file import read_data
from darknet_py.errors import CfgError
from darknet_py.images import LABELS, Dataset, read_data_file, read_data_part
from darknet_py.images.dataset.listed import Labels

WORDS = ["cat", "dog", "hot_dog", "rain", "n01608432", "3"]


def matches(path: str, how: str = "exact") -> list[str]:
    return [WORDS[index] for index in Labels(WORDS, how).matches(path, path)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        # the folder
        ("pets/cat/1.jpg", ["cat"]),
        ("cat/dog/1.jpg", ["dog"]),
        ("pets/hot_dog/1.jpg", ["hot_dog"]),
        ("mnist/train/3/12.png", ["3"]),
        ("train/1.jpg", []),
        ("pets/Cat/1.jpg", []),
        ("pets/cats/1.jpg", []),
        # the end of the name
        ("0_cat.png", ["cat"]),
        ("a/b/0_cat.png", ["cat"]),
        ("0_cat.tar.png", ["cat"]),
        ("0_hot_dog.png", ["dog", "hot_dog"]),
        ("cat.png", []),
        ("0cat.png", []),
        ("0_cats.png", []),
        ("0_Cat.png", []),
        # the initialization, or a part between
        ("cat_0.png", ["cat"]),
        ("2012_cat_7.png", ["cat"]),
        ("n01608432_ILSVRC2012_val_00000073.JPEG", ["n01608432"]),
        ("bobcat_0.png", []),
        ("rain_0/train_1.png", []),
        # once is enough, twice the same is one
        ("n01608432/n01608432_10026.JPEG", ["n01608432"]),
        ("cat/0_dog.png", ["cat", "dog"]),
    ],
)
def test_exactly(path: str, expected: list[str]) -> None:
    assert matches(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("pets/cat/1.jpg", ["cat"]),
        ("bobcat.png", ["cat"]),
        ("train/0.jpg", ["rain"]),
        ("train/0_hot_dog.jpg", ["dog", "hot_dog", "rain"]),
        ("Cat.png", []),
    ],
)
def test_as_the_c_program_does(path: str, expected: list[str]) -> None:
    assert matches(path, "substring") == expected


def test_the_folder_is_where_the_picture_is_and_a_substring_in_what_is_written() -> None:
    assert Labels(WORDS).matches("1.jpg", "pets/cat/1.jpg") == [0]
    assert Labels(WORDS, "substring").matches("1.jpg", "pets/cat/1.jpg") == []


def test_the_folder_one_is_in(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.path.join(tmp_path, "cat")
    os.mkdir(folder)
    monkeypatch.chdir(folder)
    assert matches("1.jpg") == ["cat"]
    assert matches("../dog/1.jpg") == ["dog"]


@given(st.text("ab_.", min_size=1, max_size=6).filter(lambda name: name not in (".", "..")))
def test_every_part_of_a_name(name: str) -> None:
    labels = ["a", "b", "ab", "a_b", "a.b", "b_", "aa"]
    expected = {
        label
        for label in labels
        if f"_{label}." in name or f"_{label}_" in name or name.startswith(f"{label}_")
    }
    found = {labels[index] for index in Labels(labels).matches(name, f"folder/{name}")}
    assert found == expected


def test_another_way_is_a_mistake() -> None:
    assert LABELS == ("exact", "substring")
    with pytest.raises(ValueError, match="labels 'fuzzy' is none of exact, substring"):
        Labels(WORDS, "fuzzy")


DATA = "classes=2\ntrain=train.list\nvalid=valid.list\nlabels=pets.labels\nnames=pets.names\n"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A folder with pets.data, lists, labels, names, and (empty) pictures."""
    write(tmp_path / "pets.data", DATA)
    write(tmp_path / "pets.labels", "n1\nn2\n")
    write(tmp_path / "pets.names", "house cat\ndog\n")
    write(tmp_path / "train.list", "a/n1/0.png\na/1_n2.png\n\na/n1_2.png\n")
    write(tmp_path / "valid.list", "a/n2/3.png\n")
    for name in ("n1/0.png", "1_n2.png", "n1_2.png", "n2/3.png"):
        write(tmp_path / "a" / name, "")
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def read(folder: Path, labels: str = "exact") -> tuple[Dataset | None, Dataset | None]:
    return read_data_file(read_data(folder / "pets.data"), labels)


def fault(folder: Path, labels: str = "exact") -> str:
    with pytest.raises(CfgError) as caught:
        read(folder, labels)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message.replace(f"{folder}{os.sep}", "")


def test_pictures_labels_and_names(pets: Path) -> None:
    names = ("house cat", "dog")
    paths = [pets / "a" / name for name in ("n1/0.png", "1_n2.png", "n1_2.png")]
    train, valid = read(pets)
    assert train == Dataset(names, paths, [(0,), (1,), (0,)])
    assert valid == Dataset(names, [pets / "a/n2/3.png"], [(1,)])


def test_names_are_the_labels_unless_given(pets: Path) -> None:
    write(pets / "pets.data", DATA.replace("names=pets.names\n", ""))
    train, _ = read(pets)
    assert train is not None
    assert train.names == ("n1", "n2")


def test_more_names_than_classes_are_cut(pets: Path) -> None:
    write(pets / "pets.names", "house cat\ndog\nhorse\n")
    train, _ = read(pets)
    assert train is not None
    assert train.names == ("house cat", "dog")


def test_a_list_that_the_data_file_does_not_name(pets: Path) -> None:
    write(pets / "pets.data", DATA.replace("valid=valid.list\n", ""))
    train, valid = read(pets)
    assert train is not None
    assert valid is None
    write(pets / "pets.data", DATA.replace("train=train.list\n", ""))
    train, valid = read(pets)
    assert train is None
    assert valid is not None


def test_one_part_alone_needs_no_other(pets: Path) -> None:
    (pets / "train.list").unlink()
    valid = read_data_part(read_data(pets / "pets.data"), "valid")
    assert valid is not None
    assert len(valid) == 1


def test_a_class_without_pictures_is_no_error(pets: Path) -> None:
    write(pets / "train.list", "a/n1/0.png\n")
    train, _ = read(pets)
    assert train is not None
    assert train.counts() == [1, 0]


def test_lists_of_any_hand(pets: Path) -> None:
    (pets / "train.list").write_bytes(b"\xef\xbb\xbf  a/n1/0.png \r\n# all\r\na/n1 #2/1_n2.png\r\n")
    train, _ = read(pets)
    assert train is not None
    assert train.paths == [pets / "a/n1/0.png", pets / "a/n1 #2/1_n2.png"]


def test_paths_are_relative_to_the_list(pets: Path) -> None:
    (pets / "train.list").rename(pets / "a" / "train.list")
    write(pets / "a" / "train.list", "n1/0.png\n1_n2.png\n")
    write(pets / "pets.data", DATA.replace("train=", "train=a/"))
    train, _ = read(pets)
    assert train is not None
    assert train.paths == [pets / "a/n1/0.png", pets / "a/1_n2.png"]


def test_or_to_the_folder_of_the_data_file(pets: Path) -> None:
    write(pets / "lists" / "train.list", "a/n1/0.png\n")
    write(pets / "pets.data", DATA.replace("train=", "train=lists/"))
    train, _ = read(pets)
    assert train is not None
    assert train.paths == [pets / "a/n1/0.png"]


def test_or_to_its_parent_as_where_cfg_and_data_are_neighbours(
    pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("train.list", "valid.list"):
        write(pets / "lists" / name, (pets / name).read_text())
        (pets / name).unlink()
    in_lists = DATA.replace("=train", "=lists/train").replace("=valid", "=lists/valid")
    write(pets / "cfg" / "pets.data", in_lists)
    monkeypatch.chdir(pets / "cfg")
    train, _ = read_data_file(read_data("pets.data"))
    assert train is not None
    assert train.paths[0].resolve() == (pets / "a/n1/0.png").resolve()


def test_first_of_all_to_the_working_directory(
    pets: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    write(elsewhere / "a/n1/0.png", "")
    monkeypatch.chdir(elsewhere)
    train, _ = read(pets)
    assert train is not None
    # the first relative path decides for all
    assert train.paths == [Path(f"a/{name}") for name in ("n1/0.png", "1_n2.png", "n1_2.png")]


def test_absolute_paths(pets: Path) -> None:
    write(pets / "train.list", f"{pets}/a/n1/0.png\n/nowhere/0_n2.png\na/n1_2.png\n")
    train, _ = read(pets)
    assert train is not None
    assert train.paths == [pets / "a/n1/0.png", Path("/nowhere/0_n2.png"), pets / "a/n1_2.png"]
    write(pets / "train.list", "/nowhere/0_n2.png\n")
    train, _ = read(pets)
    assert train is not None
    assert train.paths == [Path("/nowhere/0_n2.png")]


def test_the_c_programs_way_of_matching(pets: Path) -> None:
    write(pets / "train.list", "a/bn1b.png\na/n1/0.png\n")
    write(pets / "a" / "bn1b.png", "")
    assert fault(pets).startswith("train.list:1: a/bn1b.png: no label matches")
    train, _ = read(pets, "substring")
    assert train is not None
    assert train.labels == [(0,), (0,)]


def test_two_labels_or_none_name_the_picture_and_its_line(pets: Path) -> None:
    write(pets / "train.list", "a/n1/0.png\n\na/n1/0_n2.png\n")
    assert fault(pets) == (
        "train.list:3: a/n1/0_n2.png: the labels 'n1' and 'n2' match: expected one (rename it)"
    )
    assert fault(pets, "substring") == (
        "train.list:3: a/n1/0_n2.png: the labels 'n1' and 'n2' match: expected one (--labels exact)"
    )
    write(pets / "train.list", "a/n1/0.png\na/x.png\n")
    assert fault(pets) == (
        "train.list:2: a/x.png: no label matches: expected its folder, or a _label. or label_ "
        "part of its name, to be one of labels="
    )
    assert fault(pets, "substring") == (
        "train.list:2: a/x.png: no label matches: expected its path to hold one of labels="
    )


def test_rain_in_train_is_an_ambiguity_of_substrings_only(pets: Path) -> None:
    write(pets / "pets.labels", "rain\nn2\n")
    write(pets / "train.list", "train/n2/0.png\n")
    write(pets / "train/n2/0.png", "")
    assert "the labels 'rain' and 'n2' match" in fault(pets, "substring")
    train, _ = read(pets)
    assert train is not None
    assert train.labels == [(1,)]


def test_of_many_labels_a_few_are_named(pets: Path) -> None:
    write(pets / "pets.data", DATA.replace("classes=2", "classes=6"))
    write(pets / "pets.labels", "a\nn\n1\n0\np\ng\n")
    write(pets / "pets.names", "a\nn\n1\n0\np\ng\n")
    assert "the labels 'a' and 'n' and '1' and 3 more match" in fault(pets, "substring")


def test_labels_must_be_enough_and_of_more_the_first_count(pets: Path) -> None:
    write(pets / "pets.data", DATA.replace("classes=2", "classes=3"))
    assert fault(pets) == "pets.data: classes=3, and pets.labels holds 2 labels"
    write(pets / "pets.data", DATA)
    write(pets / "pets.labels", "n1\nn2\nn3\n")
    train, _ = read(pets)
    assert train is not None
    assert train.labels == [(0,), (1,), (0,)]


@pytest.mark.parametrize("labels", ["exact", "substring"])
def test_a_blank_line_of_the_labels_is_a_class_that_matches_nothing(
    pets: Path, labels: str
) -> None:
    write(pets / "pets.data", DATA.replace("classes=2", "classes=4"))
    write(pets / "pets.labels", "\nn1\n\nn2\n")
    write(pets / "pets.names", "# none\nhouse cat\n\ndog\n")
    train, _ = read(pets, labels)
    assert train is not None
    assert train.labels == [(1,), (3,), (1,)]
    assert train.names == ("# none", "house cat", "", "dog")


def test_files_named_as_on_windows(pets: Path) -> None:
    write(pets / "pets.data", DATA.replace("=train.list", "=lists\\train.list"))
    write(pets / "lists" / "train.list", "a\\n1\\0.png\r\na\\1_n2.png\r\n")
    train, _ = read(pets)
    assert train is not None
    assert train.paths == [pets / "a/n1/0.png", pets / "a/1_n2.png"]
    assert train.labels == [(0,), (1,)]


def test_names_must_be_enough(pets: Path) -> None:
    write(pets / "pets.names", "house cat\n")
    assert fault(pets) == "pets.data: classes=2, and pets.names holds 1 names"


def test_a_label_that_is_there_twice(pets: Path) -> None:
    write(pets / "pets.labels", "n1\nn1\n")
    assert fault(pets) == "pets.labels: the label 'n1' is there twice"


def test_without_labels_lists_hold_numbers(pets: Path) -> None:
    write(pets / "pets.data", DATA.replace("labels=pets.labels\n", ""))
    assert "expected a path and the number of its class" in fault(pets)
    write(pets / "train.list", "a/n1/0.png 1\na/1_n2.png 0\n")
    write(pets / "valid.list", "a/n2/3.png 1\n")
    train, valid = read(pets)
    paths = [pets / "a" / name for name in ("n1/0.png", "1_n2.png")]
    assert train == Dataset(("house cat", "dog"), paths, [(1,), (0,)])
    assert valid == Dataset(("house cat", "dog"), [pets / "a/n2/3.png"], [(1,)])
    write(pets / "valid.list", "a/n2/3.png 2\n")
    assert fault(pets) == ("valid.list:1: class 2 has no name: names= holds 2, for 0 to 1")


def test_without_labels_and_names_there_is_nothing_to_look_for(pets: Path) -> None:
    write(pets / "pets.data", "classes=2\ntrain=train.list\n")
    assert fault(pets).startswith("pets.data: has no labels=: name a file with one label a line")


@pytest.mark.parametrize("key", ["train", "valid", "labels", "names"])
def test_a_file_that_is_missing_is_named_with_its_key(pets: Path, key: str) -> None:
    lines = [f"{key}=gone.txt" if line.startswith(key) else line for line in DATA.splitlines()]
    write(pets / "pets.data", "\n".join(lines))
    message = fault(pets)
    assert message.startswith(f"pets.data: {key}=gone.txt: no such file")
    assert ("lists are yours to make" in message) == (key in ("train", "valid"))


def test_a_list_without_pictures(pets: Path) -> None:
    write(pets / "train.list", "# none yet\n")
    assert fault(pets) == "train.list: names no pictures: expected one path a line"


def test_a_list_whose_pictures_are_nowhere(pets: Path) -> None:
    write(pets / "train.list", "b/n1/0.png\n")
    assert fault(pets) == (
        "train.list: b/n1/0.png: no such picture, neither from the working directory nor from "
        "the folders of this list and of the .data file"
    )


def test_a_picture_that_is_missing_further_on_is_for_scan(pets: Path) -> None:
    write(pets / "train.list", "a/n1/0.png\na/n1/gone.png\n")
    train, _ = read(pets)
    assert train is not None
    assert train.paths[1] == pets / "a/n1/gone.png"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("key", ["train", "labels", "names"])
def test_a_pipe_is_not_waited_for(pets: Path, key: str) -> None:
    os.mkfifo(pets / "pipe")
    text = DATA.replace({"train": "train.list"}.get(key, f"pets.{key}"), "pipe")
    write(pets / "pets.data", text)
    with pytest.raises(CfgError, match=rf"^\S+pets.data: {key}=pipe: is no regular file$"):
        read_data_file(read_data(pets / "pets.data"))
