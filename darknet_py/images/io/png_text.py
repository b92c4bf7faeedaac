"""The words in a PNG: its text chunks, read without the picture."""

from __future__ import annotations

import os
import struct
import zlib
from typing import IO

from darknet_py.errors import PictureError

MAX_WORDS = 1 << 17
"""Bytes of all words together: no recipe has more, and who knows who wrote the file."""
_MAX_CHUNKS = 1 << 18
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CUT = "is damaged or cut short"


def read_words(file: IO[bytes]) -> dict[str, str]:
    """Texts by keyword, in the file's order. What is compressed, as `save_image` writes none, is
    passed over: a few bytes could become any number.

    Raises PictureError, without a path: for what is no PNG, is cut short or damaged, has more words
    than MAX_WORDS, or two texts under one keyword, of which nobody can tell which is meant.
    """
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        raise PictureError("is no PNG, which alone keeps words: name one")
    end = os.fstat(file.fileno()).st_size
    words: dict[str, str] = {}
    size = 0
    for _ in range(_MAX_CHUNKS):
        head = file.read(8)
        if len(head) < 8:
            raise PictureError(f"{_CUT} (its end is missing): copy or save it again")
        length, kind = struct.unpack(">I4s", head)
        if file.tell() + length + 4 > end:
            raise PictureError(f"{_CUT} (a part is not whole): copy or save it again")
        if kind == b"IEND":
            return words
        if kind not in (b"tEXt", b"iTXt"):
            file.seek(length + 4, os.SEEK_CUR)
            continue
        size += length
        if size > MAX_WORDS:
            raise PictureError(f"keeps more than {MAX_WORDS >> 10} KiB of words: not a dream's")
        content, check = file.read(length), file.read(4)
        if check != struct.pack(">I", zlib.crc32(kind + content)):
            raise PictureError(f"{_CUT} (its words): copy or save it again")
        word = _word(kind, content)
        if word is None:
            continue
        if word[0] in words:
            raise PictureError("keeps two texts under one keyword: nobody can tell which is meant")
        words[word[0]] = word[1]
    raise PictureError(f"has more than {_MAX_CHUNKS:,} parts: save it again")


def _word(kind: bytes, content: bytes) -> tuple[str, str] | None:
    keyword, _, text = content.partition(b"\0")
    if kind == b"tEXt":
        return keyword.decode("latin-1"), text.decode("latin-1")
    compressed, _, rest = text[:1], text[1:2], text[2:]
    if compressed != b"\0":
        return None
    *_, text = rest.split(b"\0", 2)  # behind a language and a translation of the keyword
    return keyword.decode("latin-1"), text.decode("utf-8", "replace")
