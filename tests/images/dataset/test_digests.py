from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

import pytest

from darknet_py.errors import PictureError
from darknet_py.images import file_digest, file_digests


def test_it_is_of_what_the_file_holds(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    held = [b"one", b"two" * (1 << 20), b"one"]
    for path, content in zip(paths, held, strict=True):
        path.write_bytes(content)
    expected = [blake2b(content, digest_size=16).digest() for content in held]
    assert file_digests(paths, workers=3) == expected
    assert expected[0] == expected[2] == file_digest(paths[0])


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    said = rf"{tmp_path}/no.png: no such file: check the name"
    with pytest.raises(PictureError) as caught:
        file_digest(tmp_path / "no.png")
    assert str(caught.value) == said
    (tmp_path / "a").touch()
    good, bad = file_digests([tmp_path / "a", tmp_path / "no.png"])
    assert (good, str(bad)) == (file_digest(tmp_path / "a"), said)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match="is not a regular file"):
        file_digest(tmp_path / "pipe.png")
