from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from darknet_py.atomic import atomic_file, make_folder, write_text
from darknet_py.errors import DarknetError
from tests.support.processes import run_python


def test_the_file_appears_whole_with_the_umasks_permissions(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250)
    with atomic_file(path) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fails() -> None:
        with atomic_file(path) as file:
            file.write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_no_folder_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "no" / "file"):
        pass


def test_leftovers_of_the_dead_go_and_what_somebody_writes_stays(tmp_path: Path) -> None:
    gone = subprocess.run(
        [sys.executable, "-c", f"{KILLED.format(str(tmp_path / 'a'))}"], check=False
    )
    assert gone.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    with atomic_file(tmp_path / "b") as file:
        file.write(b"whole")
        assert not left.exists()
        # nor does another process take what this one writes
        run_python(f"{OTHER.format(str(tmp_path), str(tmp_path / 'c'))}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]
    assert (tmp_path / "b").read_bytes() == b"whole"


def test_what_a_cleaner_takes_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, taken = fcntl.flock, list[Path]()

    def late(handle: int, how: int) -> None:
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].unlink()
        lock(handle, how)

    monkeypatch.setattr("darknet_py.atomic.fcntl.flock", late)
    with atomic_file(tmp_path / "a") as file:
        file.write(b"whole")
    assert len(taken) == 1
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"whole")]


def test_where_there_are_no_locks_nothing_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOSYS, "no locks")

    monkeypatch.setattr("darknet_py.atomic.fcntl.flock", none)
    (tmp_path / ".darknet-x.part").touch()
    with atomic_file(tmp_path / "a") as file:
        file.write(b"whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".darknet-x.part", "a"]


OTHER = """
from pathlib import Path
from darknet_py.atomic import remove_leftovers, write_text
remove_leftovers(Path({!r}))
write_text({!r}, "other")
"""


KILLED = """
import os, signal
from darknet_py.atomic import atomic_file
with atomic_file({!r}) as file:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_text_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"
    with pytest.raises(DarknetError, match="cannot be written: No such file or directory"):
        write_text(tmp_path / "none/a.txt", "")


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "a/b"
    assert make_folder(folder) == make_folder(str(folder)) == folder
    assert folder.is_dir()
    (folder / "file").touch()
    with pytest.raises(DarknetError, match="file: cannot be a folder for pictures: "):
        make_folder(folder / "file")


def test_a_link_is_written_through_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    real, link, pipe = tmp_path / "real", tmp_path / "link", tmp_path / "pipe"
    real.write_text("old")
    link.symlink_to(real)
    write_text(link, "new")
    assert (link.is_symlink(), real.read_text()) == (True, "new")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "all of it")
    assert os.read(reader, 100) == b"all of it"
    os.close(reader)
    assert pipe.is_fifo()


def test_bytes_of_names_stay(tmp_path: Path) -> None:
    write_text(tmp_path / "list", "caf\udce9 é\n")
    assert (tmp_path / "list").read_bytes() == b"caf\xe9 \xc3\xa9\n"
