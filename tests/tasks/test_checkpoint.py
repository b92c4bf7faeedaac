from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.errors import StateError, TrainingError
from darknet_py.images import Dataset
from darknet_py.network.state import save_state
from darknet_py.tasks.checkpoint import how_it_began, resume
from darknet_py.tasks.class_weights import weigh
from darknet_py.tasks.events import Event, Saved, SaveFailed, Trained
from darknet_py.tasks.run import Options, Progress
from darknet_py.tasks.split import split_of
from darknet_py.tasks.train import train
from tests.support.shapes import CFG, new_net, of_kind


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_a_run_goes_on_bit_for_bit(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options, optimizer: str
) -> None:
    cfg = CFG.replace("optimizer=adam", f"optimizer={optimizer}").replace("0.01", "0.001")
    whole = new_net(tmp_path, cfg)
    list(train(whole, *sets, options))
    expected = (options.backup / "shapes.weights").read_bytes()
    shutil.rmtree(options.backup)
    # left anywhere, as a killed run is: what counts is the last state on the disk
    for batches in (5, 20, 33):
        net = new_net(tmp_path, cfg)
        state = options.backup / "shapes.state"
        progress = resume(net, state) if state.exists() else None
        for event in train(net, *sets, replace(options, workers=1 + batches % 3), progress):
            if isinstance(event, Trained) and event.batch == batches:
                break
    net = new_net(tmp_path, cfg)
    list(train(net, *sets, options, resume(net, options.backup / "shapes.state")))
    assert (options.backup / "shapes.weights").read_bytes() == expected


UNEVEN = CFG.replace("angle=5\n", "angle=5\nmixup=0.3\ncutmix=1\n").replace(
    "[softmax]\n", "[softmax]\nsmooth=0.1\n"
)
"""All that has to go together with class weights, balance and an average."""


@pytest.mark.parametrize(
    "how",
    [
        {"ema": 0.9},
        {"balance": True},
        {"class_weights": (0.5, 1.0, 2.0)},
        {"ema": 0.8, "balance": True, "class_weights": (0.5, 1.0, 2.0)},
    ],
    ids=" ".join,
)
def test_what_helps_uneven_sets_goes_on_bit_for_bit(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options, how: dict[str, Any]
) -> None:
    options = replace(options, batches=16, valid_every=8)
    asked = replace(options, **how)
    plain = new_net(tmp_path, UNEVEN)
    list(train(plain, *sets, options))
    without = (options.backup / "shapes.weights").read_bytes()
    shutil.rmtree(options.backup)
    list(train(new_net(tmp_path, UNEVEN), *sets, asked))
    expected = {p.name: p.read_bytes() for p in options.backup.glob("*.weights")}
    assert expected["shapes.weights"] != without
    shutil.rmtree(options.backup)
    for event in train(new_net(tmp_path, UNEVEN), *sets, asked):
        if isinstance(event, Trained) and event.batch == 9:
            break
    net = new_net(tmp_path, UNEVEN)
    # what is not asked for again is what the run began with
    list(train(net, *sets, options, resume(net, options.backup / "shapes.state", options)))
    assert {p.name: p.read_bytes() for p in options.backup.glob("*.weights")} == expected


@pytest.mark.parametrize(
    ("began", "asked", "named"),
    [
        ({"ema": 0.9}, {"ema": 0.99}, "--ema"),
        ({}, {"ema": 0.9}, "--ema"),
        ({}, {"balance": True}, "--balance"),
        ({"class_weights": (1.0, 1, 1)}, {"class_weights": (1.0, 1, 2)}, "--class-weights"),
    ],
)
def test_a_state_does_not_go_on_as_another_training(
    tmp_path: Path,
    sets: tuple[Dataset, Dataset],
    options: Options,
    began: dict[str, Any],
    asked: dict[str, Any],
    named: str,
) -> None:
    options = replace(options, batches=1)
    list(train(new_net(tmp_path), *sets, replace(options, **began)))
    state = options.backup / "shapes.state"
    resume(new_net(tmp_path), state, replace(options, **began))
    with pytest.raises(StateError, match=f"was begun with another {named} than this"):
        resume(new_net(tmp_path), state, replace(options, **asked))


def test_a_run_goes_on_from_any_epoch(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    options = replace(options, keep=3)
    list(train(new_net(tmp_path), *sets, options))
    expected = (options.backup / "shapes.weights").read_bytes()
    net = new_net(tmp_path)
    progress = resume(net, options.backup / "shapes_3.state")
    assert net.seen // len(sets[0]) == 3
    list(train(net, *sets, options, progress))
    assert (options.backup / "shapes.weights").read_bytes() == expected


def test_weights_are_no_state_and_another_cfgs_state_is_refused(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    list(train(new_net(tmp_path), *sets, replace(options, batches=3)))
    with pytest.raises(StateError, match=r"shapes\.weights: is no training state"):
        resume(new_net(tmp_path), options.backup / "shapes.weights")
    other = new_net(tmp_path, CFG.replace("filters=8", "filters=9"))
    with pytest.raises(StateError, match=r"is a state of another network than .*shapes\.cfg"):
        resume(other, options.backup / "shapes.state")
    with pytest.raises(StateError, match="nothing to resume"):
        resume(new_net(tmp_path), options.backup / "none.state")
    state = (options.backup / "shapes.state").read_bytes()
    (options.backup / "cut.state").write_bytes(state[: len(state) // 2])
    with pytest.raises(StateError, match="is damaged"):
        resume(new_net(tmp_path), options.backup / "cut.state")


def test_rates_may_change_between_runs(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    list(train(new_net(tmp_path), *sets, replace(options, batches=3)))
    longer = new_net(tmp_path, CFG.replace("max_batches=100", "max_batches=190"))
    assert isinstance(resume(longer, options.backup / "shapes.state"), Progress)


def test_a_vanished_folder_is_made_again(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    for event in train(new_net(tmp_path), *sets, options):
        if isinstance(event, Trained) and event.batch == 20:
            shutil.rmtree(options.backup)
    assert (options.backup / "shapes.weights").is_file()


def test_a_full_disk_loses_no_earlier_checkpoint_and_training_goes_on(
    tmp_path: Path,
    sets: tuple[Dataset, Dataset],
    options: Options,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    events: list[Event] = []
    before = b""
    for event in train(new_net(tmp_path), *sets, options):
        events.append(event)
        if isinstance(event, Trained) and event.batch == 20:
            before = (options.backup / "shapes.backup").read_bytes()
            monkeypatch.setattr("darknet_py.atomic.os.fsync", full)
        if isinstance(event, Trained) and event.batch == 40:
            assert (options.backup / "shapes.backup").read_bytes() == before
            assert [p for p in options.backup.iterdir() if p.name.startswith(".")] == []
            monkeypatch.undo()
    failed = of_kind(events, SaveFailed)
    assert failed
    assert "No space left on device" in str(failed[0].error)  # type: ignore[union-attr]
    assert (options.backup / "shapes.weights").is_file()


def test_a_disk_that_is_full_at_the_end_is_an_error(
    tmp_path: Path,
    sets: tuple[Dataset, Dataset],
    options: Options,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("darknet_py.atomic.os.fsync", full)
    with pytest.raises(TrainingError, match="No space left on device"):
        list(train(new_net(tmp_path), *sets, replace(options, batches=2)))


def test_checkpoints_come_by_the_clock_too(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    often = replace(options, save_every=10**6, save_seconds=0, batches=5)
    events = list(train(new_net(tmp_path), *sets, often))
    assert sum(e.path.suffix == ".backup" for e in events if isinstance(e, Saved)) == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"since_best": "3"}, "since_best is '3': expected a whole number"),
        ({"average": "nan"}, "average is 'nan': expected a number"),
        ({"best": 1.5}, "best is 1.5: expected a number, 0 to 1"),
        ({"seed": -1}, "seed is -1"),
        ({"class_weights": [1, -1, 1]}, "class_weights is -1"),
        ({"run": "../x"}, "run is '../x'"),
        ({"balance": 1}, "balance is 1: expected true or false"),
        ({"more": 1}, "notes is"),
    ],
)
def test_notes_that_cannot_be_change_nothing(
    tmp_path: Path,
    sets: tuple[Dataset, Dataset],
    options: Options,
    change: dict[str, Any],
    said: str,
) -> None:
    net, path = new_net(tmp_path), tmp_path / "a.state"
    net.seen = 24
    split = split_of(*sets).packed
    save_state(path, net, {**Progress().notes(), **change}, {"split": split})
    other = new_net(tmp_path)
    for read in (lambda: resume(other, path), lambda: how_it_began(path)):
        with pytest.raises(StateError, match=re.escape(f"is no state of a training: {said}")):
            read()
    assert other.seen == 0


def test_weights_of_other_classes_than_the_runs(
    tmp_path: Path, sets: tuple[Dataset, Dataset]
) -> None:
    net, path = new_net(tmp_path), tmp_path / "a.state"
    for count in (2, 4):
        notes = Progress(class_weights=[1.0] * count).notes()
        save_state(path, net, notes, {"split": split_of(*sets).packed})
        with pytest.raises(StateError, match="has weights of other classes than its own"):
            how_it_began(path)
        with pytest.raises(TrainingError, match=f"{count} weights of classes, and 3 classes"):
            weigh(np.eye(3, dtype=np.float32), [1.0] * count)
