from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.errors import CfgError
from darknet_py.images.dataset.places import find_places, parent_of


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
