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
    with pytest.raises(PictureError, match=r"no\.png: cannot be read: No such file"):
        file_digests([tmp_path / "no.png"])
