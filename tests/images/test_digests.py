from __future__ import annotations

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
    said = rf"{tmp_path}/no.png: cannot be read: No such file or directory"
    with pytest.raises(PictureError) as caught:
        file_digest(tmp_path / "no.png")
    assert str(caught.value) == said
    (tmp_path / "a").touch()
    good, bad = file_digests([tmp_path / "a", tmp_path / "no.png"])
    assert (good, str(bad)) == (file_digest(tmp_path / "a"), said)
