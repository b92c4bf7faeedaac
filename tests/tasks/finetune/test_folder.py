from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from darknet_py.errors import DarknetError, TrainingError
from darknet_py.images import Dataset
from darknet_py.tasks.finetune.folder import (
    Folder,
    check_inputs,
    check_new,
    read_folder,
    seed_of,
)
from darknet_py.tasks.finetune.stages import Stage
from darknet_py.tasks.split import split_of

INPUTS = {"cfg": "1", "seed": 3, "keys": [("mixup", 0.2)]}
STAGE = Stage("head", 4, 10, 8, 0.003, 1.0, "adam", 1e-4)
SPLIT = split_of(Dataset(("a", "b"), [Path("/p/a/1.png"), Path("/p/b/1.png")], [(0,), (1,)]), None)
TEXTS = {"net.names": "a\nb\n", "net_head.cfg": "[net]\n"}


def new(path: Path) -> Folder:
    return Folder(path, "net", dict(INPUTS), SPLIT, [STAGE])


def begun(path: Path) -> Folder:
    folder = new(path)
    folder.begin(TEXTS, lambda start: start.write_text("weights"), keep_result=False)
    return folder


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = begun(tmp_path / "a" / "b")
    folder.finish("head", {"top1": 0.5, "loss": 1.25})
    folder.finish("all", None)
    again = read_folder(tmp_path / "a" / "b", "net")
    assert again is not None
    assert again.done == {"head": {"top1": 0.5, "loss": 1.25}, "all": None}
    assert (again.stages, again.split, again.begun) == ([STAGE], SPLIT, True)
    assert again.differs(INPUTS) == []
    assert again.differs(INPUTS | {"cfg": "2"}) == ["cfg"]
    assert seed_of(tmp_path / "a" / "b", 7) == 3


def test_nothing_began(tmp_path: Path) -> None:
    assert read_folder(tmp_path, "net") is None
    assert seed_of(tmp_path, 7) == 7
    check_new(tmp_path, "net", None, TEXTS)


def test_what_began_is_not_written_over(tmp_path: Path) -> None:
    begun(tmp_path)
    with pytest.raises(
        TrainingError, match="holds a fine-tuning: go on with it by --resume, begin"
    ):
        check_new(tmp_path, "net", read_folder(tmp_path, "net"), TEXTS)


@pytest.mark.parametrize("before", [False, True])
def test_killed_while_it_is_set_up(tmp_path: Path, before: bool) -> None:
    """It has not begun, and nothing that it left stands in the way of another."""

    class KilledError(Exception):
        pass

    def killed(_: Path) -> None:
        raise KilledError

    if before:
        begun(tmp_path).finish("head", None)
    with pytest.raises(KilledError):
        new(tmp_path).begin(TEXTS, killed, keep_result=False)
    there = read_folder(tmp_path, "net")
    assert there is not None
    assert not there.begun
    assert there.done == {}
    check_new(tmp_path, "net", there, {"net.names": "other\n"})
    begun(tmp_path)
    assert (tmp_path / "net_start.weights").read_text() == "weights"


def test_files_of_the_users_own_stay(tmp_path: Path) -> None:
    (tmp_path / "net.names").write_text("mine\n")
    with pytest.raises(TrainingError, match=r"net\.names: is there already"):
        check_new(tmp_path, "net", None, TEXTS)
    check_new(tmp_path, "net", None, {"net.names": "mine\n"})
    (tmp_path / "net.weights").write_text("mine")
    with pytest.raises(TrainingError, match=r"net\.weights: is there already"):
        check_new(tmp_path, "net", None, {})


@pytest.mark.parametrize("name", ["net.cfg", "net.weights", "net.data"])
def test_what_it_is_made_from_is_never_replaced(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrainingError, match="would be replaced by the result: choose another -o"):
        check_inputs(tmp_path, "net", [tmp_path / "x" / ".." / name])
    check_inputs(tmp_path / "out", "net", [tmp_path / name])


@pytest.mark.parametrize("keep", [True, False])
def test_begun_anew(tmp_path: Path, keep: bool) -> None:
    folder = begun(tmp_path)
    folder.finish("head", None)
    folder.stage("head").mkdir()
    kept = [tmp_path / "net.weights", tmp_path / "net.cfg"]
    gone = [
        *(tmp_path / "head" / name for name in ("net.state", "net_best.weights", "metrics.csv")),
        *(tmp_path / name for name in ("net_head.weights", "net_last.cfg")),
    ]
    for path in (*kept, *gone):
        path.write_text("old")
    new(tmp_path).begin(TEXTS, lambda start: start.write_text("weights"), keep_result=keep)
    assert [path.exists() for path in kept] == [keep, keep]
    assert not any(path.exists() for path in gone)
    again = read_folder(tmp_path, "net")
    assert again is not None
    assert again.done == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"inputs": {}}', '{"pictures": "x"}', "[" * 100_000, '"\udcff"']
)
def test_a_damaged_record(tmp_path: Path, content: str) -> None:
    (tmp_path / "finetune.json").write_text(content, errors="surrogateescape")
    with pytest.raises(TrainingError, match=r"finetune\.json: is no record of a fine-tuning"):
        read_folder(tmp_path, "net")
    assert seed_of(tmp_path, 7) == 7


def test_a_record_in_which_a_bit_is_changed(tmp_path: Path) -> None:
    """It is read as it was written, or refused."""
    begun(tmp_path)
    record = tmp_path / "finetune.json"
    written = record.read_bytes()
    expected = read_folder(tmp_path, "net")
    for place in range(len(written)):
        data = bytearray(written)
        data[place] ^= 1 << place % 7
        record.write_bytes(data)
        with suppress(TrainingError):
            assert read_folder(tmp_path, "net") == expected  # a blank that is another blank


HOSTILE: list[dict[str, Any]] = [
    {"stages": []},
    {"stages": [asdict(STAGE) | {"name": "../../x"}]},
    {"stages": [asdict(STAGE) | {"batch": "8"}]},
    {"stages": [asdict(STAGE) | {"rate": 10**400}]},
    {"stages": [{"name": "head"}]},
    {"done": []},
    {"done": {"../x": None}},
    {"done": {"head": {"top1": "1", "loss": 2}}},
    {"begun": 1},
    {"inputs": {}},
    {"inputs": {"seed": "3"}},
    {"inputs": {"seed": 3, "views": "many"}},
    {"pictures": 3},
    {"pictures": "eJw="},
    {"more": 1},
]


@pytest.mark.parametrize("change", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_record(tmp_path: Path, change: dict[str, Any]) -> None:
    """With a digest that is right."""
    begun(tmp_path)
    record = tmp_path / "finetune.json"
    found = json.loads(record.read_text())
    del found["digest"]
    found |= change
    text = json.dumps(found, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    record.write_text(json.dumps(found | {"digest": digest}))
    with pytest.raises(TrainingError, match=r"finetune\.json: is no record of a fine-tuning"):
        read_folder(tmp_path, "net")


@pytest.mark.parametrize(("was", "now"), [("0.75", "0.95"), ('"batch": 8', '"batch": 9')])
def test_a_figure_that_is_damaged_is_not_believed(tmp_path: Path, was: str, now: str) -> None:
    begun(tmp_path).finish("head", {"top1": 0.75, "loss": 1.0})
    record = tmp_path / "finetune.json"
    assert read_folder(tmp_path, "net")
    assert was in record.read_text()
    record.write_text(record.read_text().replace(was, now))
    with pytest.raises(
        TrainingError, match="is not what its digest says: begin anew by --overwrite"
    ):
        read_folder(tmp_path, "net")


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DarknetError, match="cannot be a folder for results"):
        begun(tmp_path / "file")
