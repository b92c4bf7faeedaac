from __future__ import annotations

import os
from pathlib import Path

import pytest

from darknet_py.errors import CfgError
from darknet_py.tasks.names import read_names


def test_names_are_found_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "a.names").write_text("cat\ndog\nbird\n")
    assert read_names("a.names", 2, tmp_path) == ["cat", "dog"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_that_a_file_names_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with pytest.raises(CfgError, match=r"^pipe: is no regular file$"):
        read_names("pipe", 2, tmp_path)


def test_a_folder_in_its_place_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names").mkdir()
    with pytest.raises(CfgError, match=r"^names: is a folder, not a file$"):
        read_names("names", 2, tmp_path)
