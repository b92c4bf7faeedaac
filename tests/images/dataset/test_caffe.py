"""None"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.errors import CfgError
from darknet_py.images import Dataset, find_lists, read_lists
from darknet_py.images.dataset.caffe import _parse, find_places, parent_of


def test_the_first_base_where_the_first_relative_path_is(tmp_path: Path) -> None:
    for folder in ("b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").touch()
    bases = [tmp_path / folder for folder in "abc"]
    entries = ["/elsewhere/0.png", "1.png", "2.png"]
    place = find_places(tmp_path / "list", entries, bases, "here")
    assert [place(entry) for entry in entries] == [
        Path("/elsewhere/0.png"),
        tmp_path / "b/1.png",
        tmp_path / "b/2.png",
    ]


def test_absolute_paths_need_no_base(tmp_path: Path) -> None:
    assert find_places(tmp_path / "list", ["/a/0.png"], [], "here")("/a/0.png") == Path("/a/0.png")


def test_paths_of_windows_where_they_are_found_here(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.png").touch()
    place = find_places(tmp_path / "list", ["b\\1.png"], [tmp_path], "here")
    assert place("b\\2.png") == tmp_path / "b" / "2.png"
    with pytest.raises(CfgError, match="here: it is a path of another machine"):
        find_places(tmp_path / "list", ["C:\\b\\1.png"], [tmp_path], "here")


def test_a_backslash_in_a_name_stays_where_there_is_such_a_file(tmp_path: Path) -> None:
    (tmp_path / "b\\1.png").touch()
    assert find_places(tmp_path / "l", ["b\\1.png"], [tmp_path], "h")("b\\1.png").exists()


def test_no_base_has_it(tmp_path: Path) -> None:
    with pytest.raises(CfgError) as caught:
        find_places(Path("list"), ["1.png"], [tmp_path], "the folder of the list")
    assert str(caught.value) == (
        "list: 1.png: no such picture, neither from the working directory nor from the folder of "
        "the list"
    )


def test_the_parent_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parent_of(Path()) == tmp_path.parent


TRAIN = "cat/1.png 0\ncat/2 a.png 0\ndog/1.png 1\n"


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A folder with train.txt, val.txt and (empty) pictures of two classes."""
    for name in ("cat/1.png", "cat/2 a.png", "dog/1.png", "dog/2.png"):
        write(tmp_path / name)
    write(tmp_path / "train.txt", TRAIN)
    write(tmp_path / "val.txt", "dog/2.png 1\n")
    return tmp_path


def read(path: Path, share: float = 0.1, seed: int = 0) -> tuple[Dataset | None, Dataset | None]:
    return read_lists(*find_lists(path), share, seed)


def read_train(path: Path, share: float = 0) -> Dataset:
    train, _ = read(path, share)
    assert train is not None
    return train


def fault(folder: Path, text: str, name: str = "train.txt") -> str:
    """What is said of a list with this text; names stay as they are."""
    write(folder / name, text)
    with pytest.raises(CfgError) as caught:
        read(folder / name)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message.replace(f"{folder}{os.sep}", "")


def test_pictures_numbers_and_names(pets: Path) -> None:
    names = ("cat", "dog")
    train, valid = read(pets)
    paths = [pets / "cat/1.png", pets / "cat/2 a.png", pets / "dog/1.png"]
    assert train == Dataset(names, paths, [(0,), (0,), (1,)])
    assert valid == Dataset(names, [pets / "dog/2.png"], [(1,)])


def test_the_path_of_a_list_is_the_same(pets: Path) -> None:
    assert read(pets / "train.txt") == read(pets)


@pytest.mark.parametrize("word", ["val", "valid", "validation", "test"])
def test_what_lists_a_path_stands_for(tmp_path: Path, word: str) -> None:
    train, valid = write(tmp_path / "set_train.txt"), write(tmp_path / f"set_{word}.txt")
    assert find_lists(train) == (train, valid)
    assert find_lists(valid) == (None, valid)
    for name in ("all.txt", "trainer.txt", "intervals.txt"):
        assert find_lists(write(tmp_path / name)) == (tmp_path / name, None)
    assert find_lists(tmp_path) == (None, None)
    assert find_lists(write(tmp_path / "train.data")) == (None, None)
    assert find_lists(tmp_path / "missing.txt") == (None, None)


def test_val_before_test(pets: Path) -> None:
    write(pets / "test.txt", "dog/1.png 1\n")
    assert find_lists(pets) == (pets / "train.txt", pets / "val.txt")


def test_a_list_to_validate_with_alone(pets: Path) -> None:
    write(pets / "labels.txt", "cat\ndog\n")
    train, valid = read(pets / "val.txt")
    assert train is None
    assert valid == Dataset(("cat", "dog"), [pets / "dog/2.png"], [(1,)])


def test_lists_of_any_hand(pets: Path) -> None:
    (pets / "train.txt").write_bytes(
        b"\xef\xbb\xbf# all of them\r\n  cat/1.png\t0 \r\n\r\ncat/2 a.png   +0 # old\r\n"
        b"dog/1.png 01"
    )
    train = read_train(pets)
    assert train.paths == [pets / "cat/1.png", pets / "cat/2 a.png", pets / "dog/1.png"]
    assert train.labels == [(0,), (0,), (1,)]


@given(
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1),
    st.sampled_from([" ", "\t", "   "]),
    st.integers(0, 10**9 - 1),
)
def test_a_path_and_a_number(path: str, blank: str, number: int) -> None:
    text = f"{path} b.png{blank}{number}"
    assert _parse(Path("train.txt"), 1, text) == (f"{path} b.png", number)


@given(st.text(min_size=1).map(str.strip).filter(bool))
def test_a_line_is_read_or_refused_by_its_number(text: str) -> None:
    try:
        written, number = _parse(Path("train.txt"), 3, text)
    except CfgError as error:
        message = str(error)
    else:
        message = "train.txt:3: read"
        assert text.startswith(written)
        assert number >= 0
    assert re.fullmatch(r"train\.txt:3: [^\n]+", message)


def test_paths_are_relative_to_the_parent_too(pets: Path) -> None:
    write(pets / "lists" / "train.txt", TRAIN)
    assert read_train(pets / "lists").paths == read_train(pets).paths


def test_or_to_the_folder_called_as_the_list(pets: Path) -> None:
    write(pets / "val" / "deep" / "3.png")
    write(pets / "val.txt", "deep/3.png 1\n")
    _, valid = read(pets)
    assert valid is not None
    assert valid.paths == [pets / "val/deep/3.png"]


def test_or_to_the_working_directory(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pets)
    write(pets / "a" / "b" / "c" / "train.txt", TRAIN)
    assert read_train(Path("a/b/c")).paths[0] == Path("cat/1.png")


def test_absolute_paths(pets: Path) -> None:
    write(pets / "far" / "off" / "train.txt", f"{pets}/cat/1.png 0\n{pets}/dog/1.png 1\n")
    assert read_train(pets / "far" / "off").paths == [pets / "cat/1.png", pets / "dog/1.png"]


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("names.txt", "house cat\ndog\nhorse\n", ("house cat", "dog", "horse")),
        ("labels.txt", "one\ntwo\n", ("one", "two")),
        (
            "synset_words.txt",
            "n02123045 tabby, tabby cat\nn02110341 dalmatian\n",
            ("tabby, tabby cat", "dalmatian"),
        ),
    ],
)
def test_names_beside_the_list(pets: Path, file: str, text: str, names: tuple[str, ...]) -> None:
    write(pets / file, text)
    assert read_train(pets).names == names


def test_a_class_that_only_a_names_file_knows_is_no_gap(pets: Path) -> None:
    write(pets / "names.txt", "cat\nbird\ndog\n")
    write(pets / "train.txt", "cat/1.png 0\ndog/1.png 2\n")
    write(pets / "val.txt", "dog/2.png 2\n")
    assert read_train(pets).counts() == [1, 0, 1]


def test_numbers_are_names_where_folders_say_nothing(pets: Path) -> None:
    write(pets / "train.txt", "cat/1.png 0\ndog/1.png 0\ndog/2.png 1\n")
    assert read_train(pets).names == ("0", "1")


def test_or_where_two_folders_have_one_name(pets: Path) -> None:
    write(pets / "more" / "cat" / "1.png")
    write(pets / "train.txt", "cat/1.png 0\nmore/cat/1.png 1\n")
    assert read_train(pets).names == ("0", "1")


def test_or_where_a_class_is_not_trained_on(pets: Path) -> None:
    write(pets / "train.txt", "cat/1.png 0\n")
    assert read_train(pets).names == ("0", "1")


def test_a_share_is_set_aside_where_nothing_else_is(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for index in range(10):
            write(tmp_path / name / f"{index}.png")
    lines = [f"{name}/{index}.png {'ab'.index(name)}" for name in "ab" for index in range(10)]
    write(tmp_path / "train.txt", "\n".join(lines))
    train, valid = read(tmp_path, 0.3, seed=4)
    assert train is not None
    assert valid is not None
    assert (train.counts(), valid.counts()) == ([7, 7], [3, 3])
    assert not set(train.paths) & set(valid.paths)
    assert read(tmp_path, 0.3, seed=4) == (train, valid)
    assert read(tmp_path, 0.3, seed=5) != (train, valid)
    assert read(tmp_path, 0)[1] is None


def test_lines_that_are_none(pets: Path) -> None:
    expected = "expected a path and the number of its class, as in cat/1.jpg 0"
    assert fault(pets, "cat/1.png 0\n\ncat/2.png\n") == f"train.txt:3: 'cat/2.png': {expected}"
    assert fault(pets, "cat/1.png 1.5") == f"train.txt:1: 'cat/1.png 1.5': {expected}"
    assert fault(pets, "cat/1.png cat") == f"train.txt:1: 'cat/1.png cat': {expected}"
    assert fault(pets, "cat/1.png ٣") == f"train.txt:1: 'cat/1.png ٣': {expected}"
    assert fault(pets, "7") == f"train.txt:1: '7': {expected}"


def test_numbers_that_are_none_of_a_class(pets: Path) -> None:
    assert fault(pets, "cat/1.png 0\ndog/1.png -1") == (
        "train.txt:2: class -1 is negative: classes are counted from 0"
    )
    assert fault(pets, f"cat/1.png {'9' * 5000}") == (
        f"train.txt:1: class {'9' * 20}... is no number of a class"
    )


def test_a_gap(pets: Path) -> None:
    (pets / "val.txt").unlink()
    expected = "expected numbers from 0 without gaps, or names.txt beside the list with a name a"
    assert fault(pets, "cat/1.png 0\ndog/1.png 999999999") == (
        f"train.txt:2: class 999999999, and no picture has class 1: {expected} line"
    )
    assert fault(pets, "cat/1.png 1\ndog/1.png 2").startswith(
        "train.txt:1: class 1, and no picture has class 0: "
    )


def test_a_number_without_a_name(pets: Path) -> None:
    write(pets / "names.txt", "cat\n")
    assert fault(pets, TRAIN) == ("train.txt:3: class 1 has no name: names.txt holds 1, for 0 to 0")


def test_a_picture_that_is_listed_twice(pets: Path) -> None:
    assert fault(pets, f"{TRAIN}cat/1.png 1") == (
        "train.txt:4: cat/1.png is listed twice: line 1 has it"
    )


def test_lists_without_pictures(pets: Path) -> None:
    assert fault(pets, "\n# none\n") == (
        "train.txt: names no pictures: expected a path and a number a line"
    )
    assert fault(pets, "bird/1.png 0") == (
        "train.txt: bird/1.png: no such picture, neither from the working directory nor from the "
        "list's folder, train/ in it, or its parent"
    )
