"""Words of a PNG, where a stranger wrote them."""

from __future__ import annotations

import errno
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from darknet_py.errors import PictureError
from darknet_py.images import load_info
from darknet_py.images.io import image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, content: bytes = b"", check: int | None = None) -> bytes:
    check = zlib.crc32(kind + content) if check is None else check
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


END = chunk(b"IEND")
SEED = chunk(b"tEXt", b"Seed\x007")


def png(tmp_path: Path, *chunks: bytes) -> Path:
    path = tmp_path / "x.png"
    path.write_bytes(SIGNATURE + b"".join(chunks))
    return path


def fault_of(path: Path) -> str:
    with pytest.raises(PictureError) as caught:
        load_info(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_all_kinds_that_are_read(tmp_path: Path) -> None:
    """Before the pixels and after them, in Latin-1 and in UTF-8, as others write them too."""
    latin = chunk(b"tEXt", b"Comment\0caf\xe9")
    utf = chunk(b"iTXt", "Title\0\0\0de\0Titel\0Träume 猫".encode())
    path = png(tmp_path, SEED, chunk(b"IDAT", b"none of our business"), latin, utf, END)
    assert load_info(path) == {"Seed": "7", "Comment": "café", "Title": "Träume 猫"}


def test_what_is_compressed_is_passed_over(tmp_path: Path) -> None:
    """A bomb is nothing: a hundred megabytes of text in 100 kB."""
    bomb = zlib.compress(b"x" * 100_000_000)
    path = png(
        tmp_path,
        chunk(b"zTXt", b"Command\0\0" + bomb),
        chunk(b"iTXt", b"Seed\0\1\0\0\0" + zlib.compress(b"7")),
        END,
    )
    assert load_info(path) == {}


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([SEED, SEED, END], "keeps two texts under one keyword"),
        ([chunk(b"tEXt", b"a\0" + b"x" * (1 << 17)), END], "keeps more than 128 KiB of words"),
        ([chunk(b"tEXt", b"%d\0" % k + b"x" * 9_000) for k in range(20)], "keeps more than 128"),
        ([chunk(b"tEXt", b"Seed\x007", check=1), END], "is damaged or cut short (its words)"),
        ([SEED], "is damaged or cut short (its end is missing)"),
        ([SEED, struct.pack(">I", 2**32 - 1) + b"IDAT"], "is damaged or cut short (a part is"),
        ([SEED, chunk(b"IDAT")[:-2]], "is damaged or cut short (a part is not whole)"),
        ([chunk(b"abcd")] * 300_000, "has more than 262,144 parts"),
    ],
)
def test_words_that_are_refused(chunks: list[bytes], message: str, tmp_path: Path) -> None:
    assert fault_of(png(tmp_path, *chunks)).startswith(message)


def test_what_pillow_writes(tmp_path: Path) -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("Latin", "é")
    words.add_itxt("Other", "猫", "de", "Anderes")
    words.add_text("Zipped", "x" * 1000, zip=True)
    Image.new("RGB", (3, 2)).save(tmp_path / "x.png", pnginfo=words)
    assert load_info(tmp_path / "x.png") == {"Latin": "é", "Other": "猫"}


def test_a_disk_that_cannot_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_words(file: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(image, "read_words", read_words)
    path = png(tmp_path, SEED, END)
    with pytest.raises(PictureError) as caught:
        load_info(path)
    assert str(caught.value) == f"{path}: cannot be read: Input/output error"
