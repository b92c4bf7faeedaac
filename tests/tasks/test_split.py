from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from darknet_py.images import Dataset
from darknet_py.tasks.split import split_of, unpack_split

TRAIN = Dataset(("a", "b"), [Path("/p/a/1.png"), Path("/p/b/1.png")], [(0,), (1,)])
SIDE: dict[str, Any] = {"paths": ["a/1.png"], "labels": [[0]], "sizes": [9]}
GOOD = {"names": ["a", "b"], "root": "/p", "train": SIDE, "valid": SIDE}


def packed(document: object) -> bytes:
    return zlib.compress(json.dumps(document).encode())


def test_a_split_is_packed_and_unpacked() -> None:
    split = split_of(TRAIN, TRAIN)
    assert unpack_split(split.packed) == split
    assert split.train.sizes == (-1, -1)
    assert unpack_split(packed(GOOD)).valid.labels == ((0,),)


@pytest.mark.parametrize(
    "change",
    [
        {"names": [1, 2]},
        {"names": 7},
        {"root": None},
        {"train": {**SIDE, "labels": [[2]]}},
        {"train": {**SIDE, "labels": [[-1]]}},
        {"train": {**SIDE, "labels": [["a"]]}},
        {"train": {**SIDE, "labels": [[True]]}},
        {"train": {**SIDE, "labels": [0]}},
        {"valid": {**SIDE, "labels": []}},
        {"valid": {**SIDE, "sizes": ["9"]}},
        {"valid": {**SIDE, "sizes": None}},
        {"valid": {**SIDE, "paths": [{}]}},
        {"valid": []},
    ],
    ids=str,
)
def test_what_is_no_split_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is no split"):
        unpack_split(packed(GOOD | change))


def test_nor_is_what_is_cut_short_nested_or_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = packed(GOOD)
    for content in (b"", b"x", whole[:-3], packed([]), zlib.compress(b"[" * 100_000)):
        with pytest.raises(ValueError):  # noqa: PT011 - json's own will do
            unpack_split(content)
    monkeypatch.setattr("darknet_py.tasks.split._LARGEST", 20)
    with pytest.raises(ValueError):  # noqa: PT011
        unpack_split(whole)
