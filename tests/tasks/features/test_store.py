from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import DarknetError
from darknet_py.tasks.features.store import FeatureStore

ROOT = Path(__file__).parents[3]
SHAPE = (2, 5)


def digest(number: int) -> bytes:
    return number.to_bytes(16, "little")


def row(number: int) -> np.ndarray:
    return np.random.default_rng(number).random(SHAPE, np.float32)


def fill(folder: Path, numbers: range) -> None:
    with FeatureStore(folder, SHAPE) as store:
        store.add([digest(n) for n in numbers], np.stack([row(n) for n in numbers]))


def check(folder: Path, numbers: range) -> None:
    with FeatureStore(folder, SHAPE) as store:
        digests = [digest(n) for n in numbers]
        assert store.missing(digests) == []
        found = store.array()[store.rows_of(digests)]
        np.testing.assert_array_equal(found, [row(n) for n in numbers])


def test_what_is_added_is_there_and_stays(tmp_path: Path) -> None:
    fill(tmp_path / "a" / "b", range(3))
    fill(tmp_path / "a" / "b", range(3, 8))
    check(tmp_path / "a" / "b", range(7, -1, -1))


def test_what_is_missing(tmp_path: Path) -> None:
    fill(tmp_path, range(2))
    with FeatureStore(tmp_path, SHAPE) as store:
        wanted = [digest(n) for n in (5, 0, 6, 5, 1)]
        assert store.missing(wanted) == [0, 2]


@pytest.mark.parametrize("cut", [("features", 1), ("pictures", 1), ("pictures", 19)])
def test_a_torn_end_is_cut_off(tmp_path: Path, cut: tuple[str, int]) -> None:
    fill(tmp_path, range(4))
    path = tmp_path / cut[0]
    os.truncate(path, path.stat().st_size - cut[1])
    with FeatureStore(tmp_path, SHAPE) as store:
        assert store.missing([digest(n) for n in range(4)]) == [3]
    check(tmp_path, range(3))
    fill(tmp_path, range(3, 6))
    check(tmp_path, range(6))


@pytest.mark.parametrize(
    ("name", "place"),
    [("features", 2 * 40 + 7), ("pictures", 2 * 20 + 3), ("pictures", 2 * 20 + 17)],
)
def test_damaged_rows_are_no_rows(tmp_path: Path, name: str, place: int) -> None:
    """A value, a picture's digest, a checksum."""
    fill(tmp_path, range(4))
    content = bytearray((tmp_path / name).read_bytes())
    content[place] ^= 1
    (tmp_path / name).write_bytes(content)
    with FeatureStore(tmp_path, SHAPE) as store:
        assert store.missing([digest(n) for n in range(4)]) == [2, 3]
    check(tmp_path, range(2))


def test_a_picture_that_is_there_twice_moves_no_row(tmp_path: Path) -> None:
    fill(tmp_path, range(3))
    for name, size in (("features", 40), ("pictures", 20)):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[:size] + content)
    with FeatureStore(tmp_path, SHAPE) as store:
        assert store.missing([digest(n) for n in range(3)]) == []
    check(tmp_path, range(3))


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    """What is there after is right, in its own place; nothing is there of a picture that is not."""
    fill(tmp_path, range(3))
    for name in ("features", "pictures"):
        whole = (tmp_path / name).read_bytes()
        for place in range(0, 8 * len(whole), 13):
            others = {other: (tmp_path / other).read_bytes() for other in ("features", "pictures")}
            flipped = bytearray(whole)
            flipped[place // 8] ^= 1 << place % 8
            (tmp_path / name).write_bytes(flipped)
            with FeatureStore(tmp_path, SHAPE) as store:
                missing = store.missing([digest(n) for n in range(3)])
                assert missing == list(range(place // 8 * 3 // len(whole), 3))
            if missing[0]:
                check(tmp_path, range(missing[0]))
            for other, content in others.items():
                (tmp_path / other).write_bytes(content)


@pytest.mark.parametrize("room", [10, 50, 8000])
def test_no_room(room: int, tmp_path: Path) -> None:
    """As on a full disk. What was added before is there."""
    code = (
        "import resource, sys, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from tests.tasks.features.test_store import *\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), -1))\n"
        "with pytest.raises(DarknetError, match='cannot be kept: File too large'):\n"
        "    with FeatureStore(pathlib.Path(sys.argv[2]), SHAPE) as store:\n"
        "        for n in range(10**3):\n"
        "            store.add([digest(n)], row(n)[None])\n"
    )
    subprocess.run([sys.executable, "-c", code, str(ROOT), str(tmp_path), str(room)], check=True)
    if room > 40:
        check(tmp_path, range(room // 40))
    fill(tmp_path, range(room // 40, room // 40 + 3))
    check(tmp_path, range(room // 40 + 3))


@pytest.mark.parametrize("name", ["features", "pictures"])
@pytest.mark.parametrize("odd", ["folder", "pipe", "device"])
def test_what_is_no_file(odd: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if odd == "folder":
        path.mkdir()
    elif odd == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(DarknetError, match="features cannot be kept"):
        FeatureStore(tmp_path, SHAPE)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        FeatureStore(tmp_path, SHAPE),
        pytest.raises(DarknetError, match="another process writes features there"),
    ):
        FeatureStore(tmp_path, SHAPE)
    fill(tmp_path, range(1))


def test_a_killed_process_loses_nothing_that_it_added(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from tests.tasks.features.test_store import *\n"
        "store = FeatureStore(pathlib.Path(sys.argv[2]), SHAPE)\n"
        "for n in range(10**6):\n"
        "    store.add([digest(n)], row(n)[None])\n"
        "    print(n, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(ROOT), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 20:
                process.send_signal(signal.SIGKILL)
                break
    check(tmp_path, range(21))


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DarknetError, match="features cannot be kept"):
        FeatureStore(tmp_path / "file", SHAPE)
