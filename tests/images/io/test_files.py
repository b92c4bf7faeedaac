from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darknet_py.errors import DarknetError
from darknet_py.images import find_pictures, read_folder, read_list


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("b.jpg", "a.PNG", "c d.jpeg", "e.tif", ".hidden.jpg", "notes.txt", "jpg"):
        (tmp_path / name).touch()
    (tmp_path / "sub.jpg").mkdir()
    (tmp_path / "sub.jpg" / "f.png").touch()
    return tmp_path


def names(*arguments: str | Path) -> list[str]:
    return [str(path) for path in find_pictures(arguments)]


def fault(argument: str | Path) -> str:
    with pytest.raises(DarknetError) as caught:
        find_pictures([argument])
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_files_are_kept_in_order_even_if_missing_or_of_any_suffix(folder: Path) -> None:
    assert names("notes.txt", "no.jpg", "b.jpg", "a.PNG", "b.jpg") == [
        *("notes.txt", "no.jpg", "b.jpg", "a.PNG", "b.jpg")
    ]
    assert find_pictures([folder / "b.jpg"]) == [folder / "b.jpg"]
    assert find_pictures([]) == []


def test_a_folder_gives_its_pictures_sorted(folder: Path) -> None:
    for name in (".cache", "__MACOSX", "@eaDir", "b"):
        (folder / "sub.jpg" / name).mkdir()
        (folder / "sub.jpg" / name / "g.png").touch()
    inside = [os.path.join("sub.jpg", "b", "g.png"), os.path.join("sub.jpg", "f.png")]
    expected = ["a.PNG", "b.jpg", "c d.jpeg", "e.tif", *inside]
    assert names(".") == expected
    assert names(folder) == [str(folder / name) for name in expected]
    assert names("b.jpg", "sub.jpg", "a.PNG") == ["b.jpg", *inside, "a.PNG"]


def test_links_to_folders_are_followed_once(folder: Path, tmp_path_factory: Any) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "h.png").touch()
    (folder / "sub.jpg" / "b").mkdir()
    (folder / "sub.jpg" / "b" / "up").symlink_to(folder)
    (folder / "sub.jpg" / "b" / "there").symlink_to(elsewhere)
    found = names("sub.jpg")
    assert os.path.join("sub.jpg", "b", "there", "h.png") in found
    assert len({os.path.realpath(name) for name in found}) == len(found)


def test_what_names_nothing_is_told_and_the_others_go_on(folder: Path) -> None:
    (folder / "empty").mkdir()
    told: list[DarknetError] = []
    found = find_pictures(["x[1].png", "a.PNG", "empty", "", "b.jpg"], told.append)
    assert found == [Path("a.PNG"), Path("b.jpg")]
    assert [str(each).split(":")[0] for each in told] == [
        *("x[1].png", "empty", "an empty name names no picture")
    ]


def test_a_folder_without_pictures_is_named(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "empty" / "notes.txt").touch()
    assert fault("empty").startswith("empty: no pictures in this folder, nor in those in it (")


def test_a_folder_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> Any:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert fault("sub.jpg") == "sub.jpg: cannot be read: Permission denied"


def test_patterns_give_the_files_that_they_match_sorted(folder: Path) -> None:
    assert names("*.jp*g") == ["b.jpg", "c d.jpeg"]
    assert names("?.jpg") == ["b.jpg"]
    assert names("[ab].*") == ["a.PNG", "b.jpg"]
    assert names("*") == ["a.PNG", "b.jpg", "c d.jpeg", "e.tif", "jpg", "notes.txt"]
    assert names(".h*") == [".hidden.jpg"]
    (folder / "sub.jpg" / "deep").mkdir()
    (folder / "sub.jpg" / "deep" / "g.png").touch()
    deep = [os.path.join("sub.jpg", "deep", "g.png"), os.path.join("sub.jpg", "f.png")]
    assert names("**/*.png") == deep
    assert names(str(folder / "*.tif")) == [str(folder / "e.tif")]


def test_a_pattern_that_matches_nothing_is_named(folder: Path) -> None:
    assert fault("*.webp") == "*.webp: no such file, and none matches it as a pattern"
    assert fault("sub*").startswith("sub*: no such file")


def test_a_file_whose_name_is_a_pattern_wins(folder: Path) -> None:
    (folder / "[ab].jpg").touch()
    (folder / "[be].jpg").symlink_to("nowhere")
    assert names("[ab].jpg") == ["[ab].jpg"]
    assert names("[be].jpg") == ["[be].jpg"]


def test_a_folder_whose_name_is_a_pattern_wins(folder: Path) -> None:
    (folder / "x [1]").mkdir()
    (folder / "x [1]" / "a.jpg").touch()
    assert names("x [1]") == [os.path.join("x [1]", "a.jpg")]


def test_an_empty_argument_is_not_the_folder_one_is_in(folder: Path) -> None:
    assert fault("") == "an empty name names no picture"


def test_names_that_would_break_the_line(folder: Path) -> None:
    assert fault("*\n").startswith("*\\n: no such file")


def test_lists_of_any_hand() -> None:
    lines = [
        "\ufeffa.jpg\r\n",
        "# a comment\n",
        "\n",
        "  \r\n",
        "with space.jpg\n",
        "   # indented\n",
        "\tindented.jpg  \n",
        "b#1.jpg\r",
        "./#2.jpg",
    ]
    expected = ["a.jpg", "with space.jpg", "indented.jpg", "b#1.jpg", "./#2.jpg"]
    assert read_list(lines) == expected
    assert read_list(iter(lines)) == expected
    assert read_list([]) == []


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"], exclude_characters="#\ufeff"))))
def test_names_come_back_from_a_list(written: list[str]) -> None:
    assert read_list(f"{name}\r\n" for name in written) == [name for name in written if name]


def test_folders_in_folders_more_than_functions_may_call_themselves(tmp_path: Path) -> None:
    here = os.getcwd()
    try:
        os.chdir(tmp_path)
        for name in ["cat", *"d" * 1100]:
            os.mkdir(name)
            os.chdir(name)
        Path("a.png").touch()
        os.chdir(here)
        (found,) = find_pictures([tmp_path])
        assert found.name == "a.png"
        (tmp_path / "dog").mkdir()
        (tmp_path / "dog" / "b.png").touch()
        train, valid = read_folder(tmp_path)
        assert (train.counts(), valid) == ([1, 1], None)
        if sys.version_info < (3, 12):
            with pytest.raises(DarknetError, match="folders lie in folders too often"):
                find_pictures([f"{tmp_path}/**/*.png"])
    finally:
        os.chdir(here)
        subprocess.run(["rm", "-rf", tmp_path / "cat"], check=True)  # pytest does not go so deep
