from __future__ import annotations

import os
import stat
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from darknet_py.ops import cache, notices
from tests.support.processes import run_python, start_python

KEY, OTHER = cache.make_key(b"key"), cache.make_key(b"other")


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """What is noted. No folder is known yet; the temporary one is empty."""
    umask = os.umask(0o022)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.delenv(cache.CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache.folder.cache_clear()
    noted: list[str] = []
    notices.when_noting(noted.append)
    yield noted
    os.umask(umask)
    notices.when_noting(warnings.warn)
    cache.folder.cache_clear()


def in_temporary(tmp_path: Path) -> Path:
    return tmp_path / "temporary" / f"darknet-{os.getuid()}"


def age(path: Path, days: float) -> None:
    then = time.time() - days * 24 * 3600
    os.utime(path, (then, then))


def found(key: str = KEY) -> Path:
    """Its folder, looked for again."""
    cache.folder.cache_clear()
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


def test_every_flipped_bit_is_found() -> None:
    folder = found()
    cache.store(folder, "kernel", b"code")
    content = (folder / "kernel").read_bytes()
    for place in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        (folder / "kernel").write_bytes(flipped)
        assert cache.load(folder, "kernel") is None


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"s")


def another(path: Path) -> None:
    """Whole, but under another name."""
    cache.store(path.parent, "other", b"other code")
    os.replace(path.parent / "other", path)


def of_another_version(path: Path) -> None:
    cache.store(found(OTHER), path.name, b"other code")
    os.replace(found(OTHER) / path.name, path)


def huge(path: Path) -> None:
    """A hole of a terabyte."""
    os.truncate(path, 1 << 40)


def unreadable(path: Path) -> None:
    path.chmod(0)
    if os.getuid() == 0:  # who may read it all the same
        path.write_bytes(b"")


def folder_there(path: Path) -> None:
    path.unlink()
    (path / "in it").mkdir(parents=True)


def pipe_there(path: Path) -> None:
    """Who opens one waits for a writer."""
    path.unlink()
    os.mkfifo(path)


def link_there(path: Path) -> None:
    """To what is whole, but where others may exchange it."""
    elsewhere = path.parents[2] / "elsewhere"
    elsewhere.mkdir(mode=0o777)
    elsewhere.chmod(0o777)
    os.replace(path, elsewhere / path.name)
    path.symlink_to(elsewhere / path.name)


def link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


DAMAGE = [
    *(cut, emptied, longer, another, of_another_version, huge),
    *(unreadable, folder_there, pipe_there, link_there, link_to_nothing),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_none_and_replaced(damage: Callable[[Path], None]) -> None:
    folder = found()
    cache.store(folder, "kernel", b"code")
    damage(folder / "kernel")
    assert cache.load(folder, "kernel") is None
    cache.store(folder, "kernel", b"code")
    assert cache.load(folder, "kernel") == b"code"
    assert [path.name for path in folder.iterdir()] == ["kernel"]


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
    (folder / "kernel").unlink()
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


def test_a_file_in_a_folders_place(tmp_path: Path) -> None:
    here = tmp_path / "cache" / "darknet" / KEY
    here.parent.mkdir(parents=True)
    here.write_bytes(b"?")
    assert found() == here
    assert here.is_dir()


def test_places_that_there_are_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another user's home of whom there is none; a name too long; beside a folder that is gone."""
    for place in ("~nobody-of-this-name/cache", "/" + 300 * "x"):
        monkeypatch.setenv(cache.CACHE_VARIABLE, place)
        cache.folder.cache_clear()
        assert cache.folder(KEY) is None
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setenv(cache.CACHE_VARIABLE, "relative")
    cache.folder.cache_clear()
    assert cache.folder(KEY) is None


def test_folders_are_made_for_this_user_alone(tmp_path: Path) -> None:
    """Whatever the umask: one that others may write to would not be used."""
    before = os.umask(0)
    try:
        folder = found()
        cache.store(folder, "kernel", b"code")
    finally:
        os.umask(before)
    for each in (folder, folder.parent, folder.parents[1]):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700
    assert folder.parents[2] == tmp_path
    assert stat.S_IMODE((folder / "kernel").stat().st_mode) == 0o600


@pytest.mark.parametrize("up", [0, 1, 2])
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write(
    mode: int, up: int, tmp_path: Path, said: list[str]
) -> None:
    """Or move, as they may write to one above."""
    folder = found()
    refused = [folder, *folder.parents][up]
    refused.chmod(mode)
    assert found() == in_temporary(tmp_path) / KEY
    assert found(OTHER) == in_temporary(tmp_path) / OTHER or up == 0
    (line,) = said  # once
    assert line.startswith("no kernels are kept in ")
    assert f"others can write to {refused}: forbid it (chmod go-w)" in line
    refused.chmod(0o700)
    assert found() == folder


def test_what_others_may_write_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(shared / "mine"))
    cache.folder.cache_clear()
    assert cache.folder(KEY) is None
    assert list(shared.iterdir()) == []
    assert len(said) == 1


def test_a_folder_in_which_others_move_only_what_is_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """/tmp: a folder there is safe, but not the folder itself."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(shared / "mine"))
    assert found() == shared / "mine" / KEY
    (tmp_path / "link").symlink_to(shared)
    for itself in (shared, tmp_path / "link"):
        monkeypatch.setenv(cache.CACHE_VARIABLE, str(itself))
        cache.folder.cache_clear()
        assert cache.folder(KEY) is None
    assert len(said) == 2


def test_a_link_whose_way_others_may_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """cache -> shared/link -> mine: the first and the last are safe, the second is not."""
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "link").symlink_to("../mine")
    (tmp_path / "cache").symlink_to("shared/link")
    assert found().resolve() == tmp_path / "mine" / "darknet" / KEY
    (tmp_path / "shared").chmod(0o777)
    assert found() == in_temporary(tmp_path) / KEY
    assert f"others can write to {tmp_path}/shared" in said[0]


def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "cache").symlink_to("cache")
    assert found() == in_temporary(tmp_path) / KEY


@pytest.mark.parametrize("up", [0, 1, 2, 3])
def test_a_folder_of_someone_else(
    up: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """Or below one of someone else's, who may exchange it."""
    root = tmp_path / "theirs" / "a" / "b"
    monkeypatch.setenv(cache.CACHE_VARIABLE, str(root))
    theirs = [found(), *root.parents[:2], root][up]
    real, owner = os.lstat, theirs.stat().st_uid + 12345

    def lstat(path: str | Path, **_: object) -> os.stat_result:
        result = real(path)
        return os.stat_result((*result[:4], owner, *result[5:])) if path == theirs else result

    monkeypatch.setattr(Path, "lstat", lstat)
    cache.folder.cache_clear()
    assert cache.folder(KEY) is None
    assert [f"{theirs} belongs to another user" in line for line in said] == [True]


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
    folder = found()
    cache.store(folder, "kernel", b"code")
    for path in (folder, folder / "kernel"):
        age(path, 29)
    assert time.time() - found().stat().st_mtime < 60
    assert cache.load(folder, "kernel") == b"code"
    assert time.time() - (folder / "kernel").stat().st_mtime < 60


WRITER = """
import os, signal, sys
from pathlib import Path
from darknet_py.ops import cache

os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
cache.store(Path(sys.argv[1]), "kernel", b"code")
"""


def test_what_killed_writers_left_is_removed() -> None:
    folder = found()
    writer = start_python(WRITER, str(folder))
    writer.communicate(timeout=60)
    assert writer.returncode < 0
    (left,) = folder.iterdir()
    alive = folder / f".{os.getppid()}-writes.part"
    unused, other = folder / "unused", folder / "other"
    forgotten = folder / f".{os.getpid()}-forgotten.part"
    for path in (alive, unused, other, forgotten):
        path.touch()
    age(unused, 40)
    age(forgotten, 1)
    cache.store(folder, "kernel", b"code")
    assert not left.exists()
    assert set(folder.iterdir()) == {alive, other, folder / "kernel"}


FULL = """
import resource, sys
from pathlib import Path
from darknet_py.ops import cache

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), -1))
folder = cache.folder("a" * cache.KEY_LENGTH)
cache.store(folder, "kernel", bytes(1000))
print(folder is not None, cache.load(folder, "kernel"))
"""


@pytest.mark.parametrize(("room", "found"), [(0, "False None"), (100, "True None")])
def test_no_room(room: int, found: str, tmp_path: Path) -> None:
    """As on a full disk; the signal of this limit ends no process of Python's."""
    out = run_python(FULL, str(room), **{cache.CACHE_VARIABLE: str(tmp_path / "cache")})
    assert out.strip() == found
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


MANY = """
import sys
from pathlib import Path
from darknet_py.ops import cache

folder, mine = Path(sys.argv[1]), sys.argv[2].encode() * 100_000
for _ in range(200):
    cache.store(folder, "kernel", mine)
    found = cache.load(folder, "kernel")
    assert found is not None and len(found) == 100_000 and len(set(found)) == 1
"""


def test_two_writers_at_once() -> None:
    folder = found()
    both = [start_python(MANY, str(folder), letter) for letter in "ab"]
    for process in both:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error
    assert [path.name for path in folder.iterdir()] == ["kernel"]


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "may"),
    [
        (0o755, 1000, 1000, False),
        (0o775, 1000, 1000, False),  # the user's own group
        (0o777, 1000, 1000, True),
        (0o775, 1000, 100, True),
        (0o775, 1001, 1001, True),
        (0o775, 0, 0, True),
    ],
)
def test_whose_group_may_write(
    mode: int, uid: int, gid: int, may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    found = os.stat_result((0o40000 | mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))
    assert cache._others_may_write(found) == may
