"""None"""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

import pytest

from darknet_py.errors import PictureError
from darknet_py.images import Dataset, file_digest, file_digests, overlap
from darknet_py.images.dataset import overlaps
from tests.images.sets import make_picture


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


def dataset(*paths: Path) -> Dataset:
    return Dataset(("any",), list(paths), [(0,)] * len(paths))


def test_sets_that_share_nothing(tmp_path: Path) -> None:
    train = dataset(*(make_picture(tmp_path / f"{i}.bmp", seed=i) for i in range(3)))
    valid = dataset(*(make_picture(tmp_path / f"{i}.bmp", seed=i) for i in range(3, 6)))
    # of one size, but not alike
    assert overlap(train, valid) == []
    assert overlap(train, valid, content=True) == []


def test_one_file_under_several_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = (make_picture(tmp_path / name, seed=ord(name[0])) for name in ("a.png", "b.png"))
    (tmp_path / "link.png").symlink_to(a)
    os.link(a, tmp_path / "hard.png")
    monkeypatch.chdir(tmp_path)
    names = [Path("a.png"), tmp_path / "link.png", tmp_path / "hard.png"]
    assert overlap(dataset(b, a), dataset(*names)) == [(a, name) for name in names]
    assert overlap(dataset(b, a), dataset(*names), content=True) == [(a, name) for name in names]


def test_a_copy_counts_where_contents_are_compared(tmp_path: Path) -> None:
    a = make_picture(tmp_path / "train" / "a.png", seed=1)
    other = make_picture(tmp_path / "train" / "other.bmp", seed=2)
    copy = tmp_path / "copy.png"
    copy.write_bytes(a.read_bytes())
    train, valid = dataset(a, other), dataset(other, copy)
    assert overlap(train, valid) == [(other, other)]
    assert overlap(train, valid, content=True) == [(other, other), (a, copy)]


def test_each_copy_is_named(tmp_path: Path) -> None:
    a, b, c = (make_picture(tmp_path / f"{name}.png") for name in "abc")
    assert overlap(dataset(a), dataset(b, c), content=True) == [(a, b), (a, c)]


def test_files_that_are_missing_are_left_out(tmp_path: Path) -> None:
    a = make_picture(tmp_path / "a.png")
    missing = (tmp_path / "no.png", Path("a\0b.png"))
    assert overlap(dataset(*missing, a), dataset(*missing, a), content=True) == [(a, a)]


def test_only_files_of_one_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a = make_picture(tmp_path / "a.bmp", 5, 5)
    b = make_picture(tmp_path / "b.bmp", 6, 6)

    def refuse(path: Path) -> bytes:
        raise AssertionError(path)

    monkeypatch.setattr(overlaps, "file_digest", refuse)
    assert overlap(dataset(a), dataset(b), content=True) == []


def test_a_file_that_may_not_be_read_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (make_picture(tmp_path / f"{name}.bmp") for name in "ab")

    def refuse(path: Path) -> bytes:
        raise PictureError("may not be read")

    monkeypatch.setattr(overlaps, "file_digest", refuse)
    assert overlap(dataset(a), dataset(b), content=True) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_are_not_waited_for(tmp_path: Path) -> None:
    """They are of one size, 0, as empty files are."""
    for name in ("a.png", "b.png"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "c.png").touch()
    train, valid = dataset(tmp_path / "a.png"), dataset(tmp_path / "b.png", tmp_path / "c.png")
    assert overlap(train, valid, content=True) == []
