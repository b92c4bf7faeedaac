from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.errors import CfgError
from darknet_py.images.bases import find_base, parent_of


def test_the_first_base_where_the_first_relative_path_is(tmp_path: Path) -> None:
    for folder in ("b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.png").touch()
    bases = [tmp_path / folder for folder in "abc"]
    entries = ["/elsewhere/0.png", "1.png", "2.png"]
    assert find_base(tmp_path / "list", entries, bases, "here") == tmp_path / "b"


def test_absolute_paths_need_no_base(tmp_path: Path) -> None:
    assert find_base(tmp_path / "list", ["/a/0.png"], [], "here") == Path()


def test_no_base_has_it(tmp_path: Path) -> None:
    with pytest.raises(CfgError) as caught:
        find_base(Path("list"), ["1.png"], [tmp_path], "the folder of the list")
    assert str(caught.value) == (
        "list: 1.png: no such picture, neither from the working directory nor from the folder of "
        "the list"
    )


def test_the_parent_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parent_of(Path()) == tmp_path.parent
