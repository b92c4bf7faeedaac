"""None"""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from darknet_py.errors import PictureError
from darknet_py.images import load_image, load_info, save_image
from darknet_py.images.io.decode import decode
from darknet_py.images.io.image import load_pixels
from tests.images.pictures import encode, files, noise, picture

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

    monkeypatch.setattr("darknet_py.images.io.image._read_words", read_words)
    path = png(tmp_path, SEED, END)
    with pytest.raises(PictureError) as caught:
        load_info(path)
    assert str(caught.value) == f"{path}: cannot be read: Input/output error"


def fault(path: Path | str) -> str:
    """What is said after the path."""
    with pytest.raises(PictureError) as caught:
        load_image(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{path}: ")


def test_a_picture_is_read_whether_named_by_text_or_path(tmp_path: Path) -> None:
    path = tmp_path / "with space [1].png"
    path.write_bytes(encode(picture(), "PNG"))
    expected = (np.asarray(picture()) / 255.0).astype(np.float32)
    for image in (load_image(path), load_image(str(path))):
        assert image.dtype == np.float32
        assert image.flags.c_contiguous
        assert np.array_equal(image, expected)


def test_the_smallest_picture(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    Image.new("RGB", (1, 1), (255, 0, 51)).save(path)
    assert load_image(path).tolist() == [[[1, 0, np.float32(0.2)]]]


def test_the_content_counts_not_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "really-a-bmp.jpg"
    path.write_bytes(files()["L.bmp"])
    assert load_image(path).shape == (26, 34, 3)


def test_no_such_file(tmp_path: Path) -> None:
    assert fault(tmp_path / "missing.jpg") == "no such file: check the name"


def test_a_file_within_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(files()["L.png"])
    assert fault(tmp_path / "a.png" / "b.png") == "no such file: check the name"


def test_a_folder(tmp_path: Path) -> None:
    assert fault(tmp_path) == "is a folder, not a picture: name a file in it"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert fault(path) == "is not a regular file: save it as one first"


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "secret.png"
    path.write_bytes(files()["L.png"])
    # Where root runs the tests, a file without permissions can still be read.
    monkeypatch.setattr("builtins.open", refuse)
    assert fault(path) == "may not be read: check its permissions"


def test_a_link_in_circles(tmp_path: Path) -> None:
    path = tmp_path / "loop.png"
    path.symlink_to(path)
    assert fault(path).startswith("cannot be read: ")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    assert fault(tmp_path / ("x" * 300)) == "cannot be read: File name too long"


def test_names_that_would_break_the_line() -> None:
    with pytest.raises(PictureError, match=r"^a\\nb\.jpg: no such file"):
        load_image("a\nb.jpg")
    with pytest.raises(PictureError, match=r"^a\\x00b\.jpg: is not a name that a file can have$"):
        load_image("a\0b.jpg")


@pytest.mark.parametrize("data", [b"", b"some words\n", b"<html>", files()["jpg"][:300]])
def test_a_file_that_is_no_picture(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.jpg"
    path.write_bytes(data)
    assert fault(path).startswith("is ")


def test_a_failed_read_leaves_no_file_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bad.jpg"
    path.write_bytes(b"some words\n")
    opened: list[IO[bytes]] = []

    def keep(file: IO[bytes]) -> Any:
        opened.append(file)
        return decode(file)

    monkeypatch.setattr("darknet_py.images.io.image.decode", keep)
    fault(path)
    assert [file.closed for file in opened] == [True]


def test_threads_may_load_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(files()["progressive.jpg"])
    expected = load_image(path)
    same: list[bool] = []

    def load() -> None:
        same.extend(np.array_equal(load_image(path), expected) for _ in range(20))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 80


def save_fault(image: Any, path: Path | str, **info: object) -> str:
    with pytest.raises(PictureError) as caught:
        save_image(image, path, **info)
    message = str(caught.value)
    assert message.startswith(f"{path}: cannot be written: ")
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"{path}: cannot be written: ")


def test_what_is_saved_as_png_is_loaded_again(tmp_path: Path) -> None:
    image = (np.arange(5 * 17 * 3) % 256 / 255.0).astype(np.float32).reshape(5, 17, 3)
    save_image(image, tmp_path / "a.PNG")
    assert np.array_equal(load_image(tmp_path / "a.PNG"), image)


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG"])
def test_what_is_saved_as_jpeg_is_nearly_loaded_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    ramp = np.linspace(0, 1, 32, dtype=np.float32)
    image = np.stack([np.tile(ramp, (32, 1))] * 3, axis=2)
    save_image(image, path)
    assert path.read_bytes().startswith(b"\xff\xd8")
    np.testing.assert_allclose(load_image(path), image, atol=0.02)
    with Image.open(path) as saved:
        assert isinstance(saved, JpegImageFile)
        assert max(saved.quantization[0]) <= 12  # 121 / 10: quality 95.


def test_values_are_rounded_and_clipped(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    values = np.array([-3, -0.001, 0.49 / 255, 0.51 / 255, 254.6 / 255, 1.5, np.inf])
    save_image(np.repeat(values[None, :, None], 3, axis=2), path)
    with Image.open(path) as saved:
        assert np.asarray(saved)[0, :, 0].tolist() == [0, 0, 0, 1, 255, 255, 255]


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_one_channel_is_saved_as_grey(tmp_path: Path, name: str) -> None:
    save_image(np.full((8, 9, 1), 0.5, np.float32), tmp_path / name)
    with Image.open(tmp_path / name) as saved:
        assert saved.mode == "L"
        assert saved.size == (9, 8)


def test_words_are_kept_with_a_png(tmp_path: Path) -> None:
    save_image(noise(4, 4), tmp_path / "a.png", layer=10, title="Träume 猫")
    with Image.open(tmp_path / "a.png") as saved:
        assert saved.info == {"layer": "10", "title": "Träume 猫"}


def test_words_are_kept_with_a_jpeg(tmp_path: Path) -> None:
    save_image(noise(4, 4), tmp_path / "a.jpg", layer=10, title="Träume 猫")
    with Image.open(tmp_path / "a.jpg") as saved:
        assert saved.info["comment"].decode() == "layer: 10\ntitle: Träume 猫"
    save_image(noise(4, 4), tmp_path / "a.jpg", words="x" * 70000)
    assert load_image(tmp_path / "a.jpg").shape == (4, 4, 3)


def test_no_words_no_comment(tmp_path: Path) -> None:
    save_image(noise(4, 4), tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as saved:
        assert "comment" not in saved.info


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    advice = "end the name in .png, .jpg, .jpeg"
    assert save_fault(noise(4, 4), tmp_path / "a.xyz") == advice
    assert save_fault(noise(4, 4), tmp_path / "png") == advice
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert save_fault(noise(4, 4), tmp_path / "no" / "a.png") == "No such file or directory"


def test_a_place_that_is_taken_by_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    assert save_fault(noise(4, 4), tmp_path / "a.png") == "Is a directory"
    assert os.listdir(tmp_path) == ["a.png"]


def test_values_that_are_not_numbers(tmp_path: Path) -> None:
    image = noise(4, 4)
    image[1, 2, 0] = np.nan
    assert save_fault(image, tmp_path / "a.png") == "some of its values are not numbers"


def test_a_side_too_long_for_jpeg(tmp_path: Path) -> None:
    image = np.zeros((1, 65501, 1), np.float32)
    message = "a JPEG's side has at most 65500 pixels: use .png"
    assert save_fault(image, tmp_path / "a.jpg") == message
    save_image(image, tmp_path / "a.png")
    save_image(image[:, 1:], tmp_path / "a.jpg")


def test_a_null_byte(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"a\\x00b\.png: cannot be written: is not a name"):
        save_image(noise(4, 4), tmp_path / "a\0b.png")


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (4, 4, 4), (0, 4, 3), (1, 3, 4, 4)])
def test_an_array_of_another_shape_is_a_mistake(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="is not"):
        save_image(np.zeros(shape, np.float32), tmp_path / "a.png")


def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    save_image(noise(4, 4), path)
    before = path.read_bytes()

    def full(self: Image.Image, file: Any, *_: Any, **__: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    assert save_fault(noise(5, 5), path) == "No space left on device"
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.png"]


def test_the_file_is_never_seen_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    seen: list[bool] = []
    save = Image.Image.save

    def watch(self: Image.Image, *args: Any, **options: Any) -> None:
        save(self, *args, **options)
        seen.append(path.exists())

    monkeypatch.setattr(Image.Image, "save", watch)
    save_image(noise(4, 4), path)
    assert seen == [False]
    assert os.listdir(tmp_path) == ["a.png"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "far" / "a.png")
    save_image(noise(4, 4), tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert load_image(tmp_path / "far" / "a.png").shape == (4, 4, 3)


def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        save_image(noise(4, 4), tmp_path / "a.png")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o644


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    save_image(noise(4, 4), tmp_path / ("x" * 251 + ".png"))
    assert [len(name) for name in os.listdir(tmp_path)] == [255]


# Words


def test_words_come_back(tmp_path: Path) -> None:
    words = {"Command": "darknet nightmare 'a b.cfg' x.jpg 3", "Umlaut": "äöü ✓", "Seed": "7"}
    path = tmp_path / "dream.png"
    save_image(np.zeros((4, 5, 3)), path, **words)
    assert load_info(path) == words


def test_words_of_what_has_none(tmp_path: Path) -> None:
    path = tmp_path / "plain.png"
    Image.new("RGB", (3, 2)).save(path)
    assert load_info(path) == {}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jpg", b"\xff\xd8\xff\xe0nothing", "is no PNG, which alone keeps words: name one"),
        ("x.png", b"", "is no PNG, which alone keeps words: name one"),
        ("x.png", None, "no such file: check the name"),
    ],
)
def test_words_of_no_png(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PictureError) as caught:
        load_info(path)
    assert str(caught.value) == f"{path}: {message}"


def test_words_of_half_a_png(tmp_path: Path) -> None:
    path = tmp_path / "half.png"
    save_image(np.random.default_rng(0).random((40, 50, 3)), path, Seed=7)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(PictureError, match=r"half\.png: is damaged or cut short"):
        load_info(path)


def png_of_size(path: Path, w: int, h: int) -> Path:
    """A PNG that claims to be so large, whatever is in it."""
    file = io.BytesIO()
    Image.new("L", (1, 1)).save(file, "PNG")
    data = bytearray(file.getvalue())
    data[16:24] = struct.pack(">II", w, h)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("read", [load_image, load_pixels])
def test_a_picture_beyond_the_limit_is_refused_unread(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = png_of_size(tmp_path / "large.png", 2**27 + 1, 1)
    with pytest.raises(PictureError, match=r"^\S+large.png: 134217729x1 has more than"):
        read(path)


@pytest.mark.parametrize("read", [load_image, load_pixels])
def test_a_lack_of_memory_is_said_of_the_picture(
    tmp_path: Path, read: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    path = tmp_path / "a.png"
    Image.new("RGB", (2, 2)).save(path)
    monkeypatch.setattr(PngImageFile, "load", fail)
    with pytest.raises(PictureError, match=r"^\S+a.png: needs more memory than there is"):
        read(path)


def test_a_lack_of_memory_for_floats_is_said_of_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    path = tmp_path / "a.png"
    Image.new("RGB", (2, 2)).save(path)
    monkeypatch.setattr("darknet_py.images.io.image.to_float", fail)
    with pytest.raises(PictureError, match=r"^\S+a.png: needs more memory than there is"):
        load_image(path)
