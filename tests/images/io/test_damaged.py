"""Files mutated in every way give a picture or a PictureError, and nothing else."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import BmpImagePlugin, Image, TiffImagePlugin

from darknet_py.errors import PictureError
from darknet_py.images.io import decode as decode_module
from darknet_py.images.io.decode import decode
from darknet_py.images.io.image import to_float
from tests.images.pictures import encode, files, picture

NAMES = sorted(files())

edits = st.lists(
    st.tuples(
        st.sampled_from(["set", "cut", "insert", "end"]),
        st.integers(0, 4000),
        st.one_of(
            st.binary(min_size=1, max_size=8),
            st.sampled_from([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\0\x10\0\0"]),
        ),
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a mutated size is refused, rather than 134 million pixels decoded."""
    monkeypatch.setattr(decode_module, "MAX_PIXELS", 2**16)


def mutate(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    edited = bytearray(data)
    for how, where, what in changes:
        at = where % max(len(edited), 1)
        if how == "set":
            edited[at : at + len(what)] = what
        elif how == "cut":
            del edited[at : at + len(what)]
        elif how == "insert":
            edited[at:at] = what
        else:
            del edited[max(at, 1) :]
    return bytes(edited)


def mend_png(data: bytes) -> bytes:
    """With checksums that are right, so that what lies behind them is read."""
    mended, at = bytearray(data), 8
    while at + 12 <= len(mended):
        (size,) = struct.unpack_from(">I", mended, at)
        end = at + 8 + size
        if end + 4 > len(mended):
            break
        struct.pack_into(">I", mended, end, zlib.crc32(mended[at + 4 : end]))
        at = end + 4
    return bytes(mended)


def check(data: bytes) -> None:
    message = ""
    try:
        image = to_float(decode(BytesIO(data)))
    except PictureError as error:
        message = str(error)
    if message:
        assert len(message.splitlines()) == 1
        return
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert image.dtype == np.float32
    assert image.flags.c_contiguous
    assert image.min() >= 0
    assert image.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_files_themselves_are_good(name: str) -> None:
    image = decode(BytesIO(files()[name]))
    assert image.size
    assert image.max() > 0


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(NAMES), edits)
def test_mutated_files(name: str, changes: list[tuple[str, int, bytes]]) -> None:
    data = mutate(files()[name], changes)
    check(mend_png(data) if name.endswith("png") else data)


tiff_names = [name for name in NAMES if name.endswith("tif")]
numbers = st.sampled_from([0, 1, 2, 3, 5, 8, 12, 16, 32, 100, 2**16, 2**31, 2**32 - 1])


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(tiff_names), st.integers(0, 40), st.integers(0, 2), st.integers(0, 20), numbers
)
def test_tiffs_with_mutated_tags(name: str, entry: int, part: int, kind: int, value: int) -> None:
    data = bytearray(files()[name])
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    at = directory + 2 + 12 * (entry % count)
    if part == 0:
        struct.pack_into("<H", data, at + 2, kind)
    else:
        struct.pack_into("<I", data, at + 4 * part, value)
    check(bytes(data))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_half_a_file_is_never_a_picture(name: str, share: float) -> None:
    data = files()[name]
    if name.startswith(("animated", "mpo")) or name.endswith("gif"):
        data = encode(picture(), name.rpartition(".")[2].replace("jpg", "jpeg"))
    with pytest.raises(PictureError):
        decode(BytesIO(data[: int(len(data) * share)]))


@pytest.mark.parametrize(
    "kind",
    [
        *(EOFError, KeyError, OSError, OverflowError, SyntaxError, TypeError, ValueError),
        *(struct.error, zlib.error),
    ],
)
def test_whatever_pillow_raises_is_the_pictures_fault(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which of them a file brings about differs from one Pillow to the next.
    def load(_: Image.Image) -> None:
        raise kind("why\nand how")

    monkeypatch.setattr(BmpImagePlugin.BmpImageFile, "load", load)
    with pytest.raises(
        PictureError, match=r"^is damaged or cut short \(.*why\\+nand how.*\): copy"
    ):
        decode(BytesIO(files()["L.bmp"]))


def test_a_mistake_of_our_own_is_not_the_pictures_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: Image.Image) -> None:
        raise AttributeError

    monkeypatch.setattr(BmpImagePlugin.BmpImageFile, "load", load)
    with pytest.raises(AttributeError):
        decode(BytesIO(files()["L.bmp"]))


@given(st.binary(max_size=600))
def test_any_bytes(data: bytes) -> None:
    check(data)


@pytest.mark.parametrize(("kind", "value"), [(2, "words"), (3, 7), (12, 1.5)])
def test_a_note_of_the_wrong_type(kind: int, value: object) -> None:
    # Pillow looks for an orientation in it and stumbles with a TypeError.
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags.tagtype[700] = kind
    tags[700] = value
    check(encode(Image.new("RGB", (4, 6)), "TIFF", tiffinfo=tags))
