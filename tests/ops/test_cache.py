from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from darknet_py.ops import cache

KEY, OTHER = cache.make_key(b"key"), cache.make_key(b"other")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No folder is known yet; the temporary one is empty."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.delenv(cache.CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache.folder.cache_clear()
    yield
    cache.folder.cache_clear()


def in_temporary(tmp_path: Path) -> Path:
    return tmp_path / "temporary" / f"darknet-{os.getuid()}"


def age(path: Path, days: float) -> None:
    then = time.time() - days * 24 * 3600
    os.utime(path, (then, then))


def found(key: str = KEY) -> Path:
    folder = cache.folder(key)
    assert folder is not None
    return folder


def test_keys() -> None:
    keys = [(), (b"",), (b"", b""), (b"ab",), (b"a", b"b"), (b"a", b"b", b""), (b"b", b"a")]
    assert len({cache.make_key(*parts) for parts in keys}) == len(keys)
    assert cache.make_key(b"a", b"b") == cache.make_key(b"a", b"b")
    assert len(KEY) == cache.KEY_LENGTH


def test_what_was_stored_is_found() -> None:
    folder = found()
    assert cache.load(folder, "kernel") is None
    cache.store(folder, "kernel", b"code")
    assert cache.load(folder, "kernel") == b"code"
    cache.store(folder, "kernel", b"better code")
    assert cache.load(folder, "kernel") == b"better code"
    assert cache.load(found(OTHER), "kernel") is None
    assert [path.name for path in folder.iterdir()] == ["kernel"]


def test_without_a_folder_nothing_is_kept() -> None:
    cache.store(None, "kernel", b"code")
    assert cache.load(None, "kernel") is None


@pytest.mark.parametrize("damage", ["cut", "changed", "longer", "empty"])
def test_a_damaged_file_is_none(damage: str) -> None:
    folder = found()
    cache.store(folder, "kernel", b"code")
    content = (folder / "kernel").read_bytes()
    damaged = {
        "cut": content[:-1],
        "changed": content[:-1] + b"E",
        "longer": content + b"s",
        "empty": b"",
    }
    (folder / "kernel").write_bytes(damaged[damage])
    assert cache.load(folder, "kernel") is None
    cache.store(folder, "kernel", b"code")
    assert cache.load(folder, "kernel") == b"code"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_half_written(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is no error; nor does anything stay after Ctrl-C."""

    def fail(*_: object) -> None:
        raise error

    folder = found()
    monkeypatch.setattr(os, "replace", fail)
    if isinstance(error, OSError):
        cache.store(folder, "kernel", b"code")
    else:
        with pytest.raises(KeyboardInterrupt):
            cache.store(folder, "kernel", b"code")
    assert list(folder.iterdir()) == []


def test_a_folder_that_was_cleared_away() -> None:
    folder = found()
    folder.rmdir()
    cache.store(folder, "kernel", b"code")
    assert cache.load(folder, "kernel") == b"code"
    cache._remove(str(folder / "kernel"))
    folder.rmdir()
    folder.parent.rmdir()
    cache.store(folder, "kernel", b"code")
    assert cache.load(folder, "kernel") is None


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found() == tmp_path / "cache" / "darknet" / KEY
    assert found().stat().st_mode & 0o777 == 0o700
    cache.folder.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # not allowed there
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys.platform", "linux")
    assert found() == tmp_path / "home" / ".cache" / "darknet" / KEY
    cache.folder.cache_clear()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("sys.platform", "darwin")
    assert found() == tmp_path / "home" / "Library" / "Caches" / "darknet" / KEY


def test_the_variable_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(cache.CACHE_VARIABLE, "here/and there")
    folder = found()
    assert folder == tmp_path / "here" / "and there" / KEY
    monkeypatch.chdir("/")
    cache.store(folder, "kernel", b"code")
    assert cache.load(folder, "kernel") == b"code"


def test_a_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a file, as root may write into any folder
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    assert found() == in_temporary(tmp_path) / KEY


def test_a_file_system_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders may be there; what is in them may be read."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    folder = found()
    cache.folder.cache_clear()
    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    assert cache.folder(KEY) is None
    cache.store(folder, "kernel", b"code")
    cache.folder.cache_clear()
    assert found() == folder


def test_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    assert cache.folder(KEY) is None
    cache.folder.cache_clear()
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(tmp_path / "file"))
    assert cache.folder(KEY) is None


def test_no_home_and_no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    def no_folder() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(Path, "expanduser", no_home)
    monkeypatch.setattr(tempfile, "gettempdir", no_folder)
    assert cache.folder(KEY) is None


@pytest.mark.parametrize("which", ["root", "here"])
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write(mode: int, which: str, tmp_path: Path) -> None:
    refused = found() if which == "here" else found().parent
    refused.chmod(mode)
    cache.folder.cache_clear()
    assert found() == in_temporary(tmp_path) / KEY


def test_a_folder_of_someone_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 12345)
    (tmp_path / "cache" / "darknet").mkdir(parents=True, mode=0o700)
    if mine == 0:  # root's folders are as good as one's own
        os.chown(tmp_path / "cache" / "darknet", 54321, -1)
    assert cache.folder(KEY) is None or mine == 0
    assert list((tmp_path / "cache" / "darknet").iterdir()) == []


def test_a_file_of_someone_else() -> None:
    folder = found()
    cache.store(folder, "kernel", b"code")
    (folder / "kernel").chmod(0o666)
    assert cache.load(folder, "kernel") is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a link away")
def test_a_link_that_someone_else_made(tmp_path: Path) -> None:
    """In the temporary folder anybody may put a link to a folder of mine in the way."""
    mine = tmp_path / "mine"
    (mine / OTHER).mkdir(parents=True)
    age(mine / OTHER, 40)
    mine.chmod(0o700)
    link = in_temporary(tmp_path)
    link.symlink_to(mine)
    os.lchown(link, 54321, -1)
    (tmp_path / "file").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        assert cache.folder(KEY) is None
    assert [path.name for path in mine.iterdir()] == [OTHER]


def test_a_link_of_my_own(tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir(mode=0o700)
    (tmp_path / "cache").symlink_to(tmp_path / "large disk")
    assert found().resolve() == tmp_path / "large disk" / "darknet" / KEY


def test_old_versions_are_cleared_away_and_nothing_else(tmp_path: Path) -> None:
    root = tmp_path / "cache" / "darknet"
    recent = cache.make_key(b"recent")
    for name in (OTHER, recent, "photos", OTHER + "0", OTHER.upper()):
        (root / name).mkdir(parents=True)
        (root / name / "file").touch()
        age(root / name, 40 if name != recent else 20)
    (root / cache.make_key(b"file")).touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    age(elsewhere, 40)
    (root / cache.make_key(b"link")).symlink_to(elsewhere)
    before = {path.name for path in root.iterdir()}
    root.chmod(0o700)
    found()
    assert {path.name for path in root.iterdir()} == before - {OTHER} | {KEY}
    assert elsewhere.exists()


def test_what_is_in_use_is_not_old() -> None:
    age(found(), 29)
    cache.folder.cache_clear()
    assert time.time() - found().stat().st_mtime < 60
