from __future__ import annotations

import os
from pathlib import Path

import pytest

from darknet_py import resources
from darknet_py.resources import find_resource


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory, a dataset's folder, an installed package and a checkout, all empty."""
    for folder in ("here", "set/cfg", "package/_share/data", "package/_share/cfg", "data"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "package")
    monkeypatch.setattr(resources, "_SHARE", tmp_path / "package/_share")
    return tmp_path


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def test_nowhere(places: Path) -> None:
    assert find_resource("data/x.list") is None
    assert find_resource("data/x.list", places / "set/cfg") is None


def test_order_of_places(places: Path) -> None:
    beside = places / "set/cfg"
    put(places / "pyproject.toml")
    wanted = [
        places / "here/data/x.list",
        places / "set/cfg/data/x.list",
        places / "set/data/x.list",
        places / "package/_share/data/x.list",
        places / "data/x.list",
    ]
    for path in wanted:
        put(path)
    for path in wanted:
        found = find_resource("data/x.list", beside)
        assert found is not None
        assert found.samefile(path)
        path.unlink()
    assert find_resource("data/x.list", beside) is None


def test_parent_of_the_working_directory(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = put(places / "set/data/x.list")
    monkeypatch.chdir(places / "set/cfg")
    assert find_resource("data/x.list", Path("x.data").parent) == wanted


def test_as_given_stays_as_given(places: Path) -> None:
    put(places / "here/a b.cfg")
    assert find_resource("a b.cfg") == Path("a b.cfg")
    absolute = put(places / "elsewhere.cfg")
    assert find_resource(str(absolute)) == absolute


def test_absolute_name_is_looked_for_nowhere_else(places: Path) -> None:
    put(places / "package/_share/data/x.list")
    assert find_resource("/data/x.list", places / "package/_share") is None


def test_what_lies_beside_an_installed_package_is_not_ours(places: Path) -> None:
    put(places / "data/x.list")  # say, in site-packages
    assert find_resource("data/x.list") is None


def test_folders_are_passed_over(places: Path) -> None:
    (places / "here/data").mkdir()
    assert find_resource("data") is None
    assert find_resource("") is None
    (places / "here/tiny.cfg").mkdir()
    put(places / "package/_share/tiny.cfg")
    assert find_resource("tiny.cfg") == places / "package/_share/tiny.cfg"


def test_pipe_is_found(places: Path) -> None:
    os.mkfifo(places / "here/pipe")
    assert find_resource("pipe") == Path("pipe")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "x/" * 3000 + "x"])
def test_impossible_names(places: Path, name: str) -> None:
    assert find_resource(name, places) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may search every folder")
def test_forbidden_folder(places: Path) -> None:
    shut = put(places / "here/shut/x.list").parent
    shut.chmod(0)
    try:
        assert find_resource("shut/x.list") is None
    finally:
        shut.chmod(0o700)


@pytest.mark.parametrize("name", ["cfg/imagenet1k.data", "data/imagenet.shortnames.list"])
def test_shipped_files_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found = find_resource(name)
    assert found is not None
    assert found.is_absolute()


def test_folders_only_where_they_are_asked_for(places: Path) -> None:
    put(places / "package/_share/data/samples/a.png")
    assert find_resource("data/samples") is None
    found = find_resource("data/samples", folders=True)
    assert found == places / "package/_share/data/samples"
    (places / "here/data/samples").mkdir(parents=True)
    assert find_resource("data/samples", folders=True) == Path("data/samples")
    assert find_resource("data/a.png", folders=True) is None
    for name in ("", "package", "cfg", "tests", "data/../cfg", "../package"):
        assert find_resource(name, folders=True) in (None, Path(name))
    assert find_resource("", folders=True) is None
    assert find_resource("cfg", folders=True) is None
