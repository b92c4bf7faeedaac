from __future__ import annotations

import json
import tracemalloc
import zlib
from typing import Any

import pytest

from darknet_py.errors import StateError
from darknet_py.tasks.split import Side, Split, unpack_split

SPLIT = Split(
    ("cat", "\u732b"),
    "/a",
    Side(("x/1.png", "caf\udce9.png"), ((0,), (0, 1)), (9, -1)),
    Side(("y.png",), ((),), (2**40,)),
)
DOCUMENT = json.loads(zlib.decompress(SPLIT.packed))


def test_there_and_back() -> None:
    assert unpack_split(SPLIT.packed) == SPLIT


@pytest.mark.parametrize(
    "change",
    [
        {"names": "ab"},
        {"names": ["a", 1]},
        {"root": None},
        {"more": 1},
        {"train": {"paths": ["a"], "labels": [], "sizes": [1]}},
        {"train": {"paths": ["a"], "labels": [[2]], "sizes": [1]}},
        {"train": {"paths": ["a"], "labels": [[-1]], "sizes": [1]}},
        {"train": {"paths": ["a"], "labels": [[True]], "sizes": [1]}},
        {"train": {"paths": ["a"], "labels": [0], "sizes": [1]}},
        {"train": {"paths": [["a"]], "labels": [[0]], "sizes": [1]}},
        {"train": {"paths": ["a"], "labels": [[0]]}},
        {"train": {"paths": ["a"], "labels": [[0]], "sizes": []}},
        {"train": {"paths": ["a"], "labels": [[0]], "sizes": ["1"]}},
        {"train": {"paths": ["a"], "labels": [[0]], "sizes": [-2]}},
        {"valid": []},
        {"valid": {"paths": []}},
    ],
    ids=str,
)
def test_what_is_no_split(change: dict[str, Any]) -> None:
    data = json.dumps({**DOCUMENT, **change}).encode()
    with pytest.raises(ValueError, match=r"^is no split: "):
        unpack_split(zlib.compress(data))


@pytest.mark.parametrize("cut", [slice(0), slice(-1), slice(1, None), slice(20)])
def test_what_is_packed_otherwise(cut: slice) -> None:
    with pytest.raises(ValueError, match=r"^is no split: "):
        unpack_split(SPLIT.packed[cut])
    with pytest.raises(ValueError, match=r"^is no split: "):
        unpack_split(SPLIT.packed + b"x")


@pytest.mark.parametrize("unit", [b" ", b"[],"])
def test_what_unpacks_to_far_more_takes_no_memory(
    unit: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("darknet_py.tasks.split._MOST_BYTES", 10**6)
    monkeypatch.setattr("darknet_py.tasks.split._MOST_ITEMS", 10**5)
    for size in (9 * 10**5, 10**8):
        packed = zlib.compress(unit * (size // len(unit)), 1)
        tracemalloc.start()
        try:
            with pytest.raises(ValueError, match=r"^is no split: "):
                unpack_split(packed)
            assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
        finally:
            tracemalloc.stop()


def test_a_list_that_packs_too_well_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darknet_py.tasks.split._LITTLE", 1000)
    side = Side(("x" * 100,) * 5000, ((0,),) * 5000, (1,) * 5000)
    split = Split(("a",), "/", side, Side((), (), ()))
    assert len(split.packed) > 500_000
    assert unpack_split(split.packed) == split


def test_what_could_not_be_unpacked_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("darknet_py.tasks.split._MOST_BYTES", 100)
    with pytest.raises(StateError, match=r"cannot be kept: their list has .* at most 100$"):
        _ = Split(("a",), "/", Side(("x" * 100,), ((0,),), (1,)), Side((), (), ())).packed
