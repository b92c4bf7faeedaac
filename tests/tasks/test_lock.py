from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from darknet_py.errors import TrainingError
from darknet_py.tasks.lock import only_process_in


@pytest.mark.parametrize(
    ("holder", "who"),
    [
        (json.dumps({"pid": os.getpid(), "host": socket.gethostname()}), "this process"),
        (json.dumps({"pid": 12, "host": socket.gethostname()}), "process 12"),
        (json.dumps({"pid": 12, "host": "far-away.org"}), "process 12 of far-away.org"),
        (json.dumps({"pid": 12, "host": "\x1b[31m\n"}), "another process"),
        (json.dumps({"pid": "12", "host": "here"}), "another process"),
        ("[" * 900, "another process"),
        ("[" * 10**6, "another process"),
        ("", "another process"),
    ],
    ids=range(8),
)
def test_who_holds_a_folder(tmp_path: Path, holder: str, who: str) -> None:
    """As far as what it left there is what it leaves."""
    with only_process_in(tmp_path):
        (tmp_path / ".darknet.holder").write_text(holder)
        with pytest.raises(TrainingError) as caught, only_process_in(tmp_path):
            pass
    assert str(caught.value) == (
        f"{tmp_path}: {who} is training there: wait for it, or choose another folder"
    )


@pytest.mark.parametrize("make", [Path.symlink_to, lambda path, _: os.mkfifo(path)])
def test_nothing_is_written_through_what_lies_where_the_holder_is_noted(
    tmp_path: Path, make: Callable[[Path, Path], None]
) -> None:
    """A link to another file, or a pipe, in a folder that a stranger has made."""
    other = tmp_path / "other"
    other.write_text("of somebody else")
    folder = tmp_path / "b"
    folder.mkdir()
    make(folder / ".darknet.holder", other)
    with only_process_in(folder), pytest.raises(TrainingError) as caught, only_process_in(folder):
        pass
    assert "this process is training there" in str(caught.value)
    assert other.read_text() == "of somebody else"
    assert not list(folder.iterdir())
