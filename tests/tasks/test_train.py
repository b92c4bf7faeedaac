from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.errors import DarknetError, PictureError, StateError, TrainingError
from darknet_py.images import Dataset
from darknet_py.network import Network
from darknet_py.tasks.check import check, training_memory
from darknet_py.tasks.data import open_data
from darknet_py.tasks.events import Event, Finished, Saved, SaveFailed, Trained, Validated
from darknet_py.tasks.metrics import MetricsFile, read_metrics
from darknet_py.tasks.train import Options, Progress, resume, train
from darknet_py.tasks.valid import evaluate
from tests.support.shapes import CFG, draw_shapes


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shapes(tmp_path_factory.mktemp("data") / "shapes", 40)


@pytest.fixture
def sets(shapes: Path) -> tuple[Dataset, Dataset]:
    data = open_data(shapes, share=0.2)
    return data.training(), data.validation()


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(backup=tmp_path / "backup", name="shapes", top=2, save_every=7)


def new_net(tmp_path: Path, cfg: str = CFG) -> Network:
    path = tmp_path / "shapes.cfg"
    path.write_text(cfg)
    net = Network.from_cfg(path, "cpu")
    net.initialise(1)
    return net


def of_kind(events: list[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]


def test_it_learns(tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options) -> None:
    events = list(train(new_net(tmp_path), *sets, options))
    last = of_kind(events, Validated)[-1]
    assert isinstance(last, Validated)
    assert last.evaluation.top1 > 0.9
    assert last.evaluation.confusion.sum() == len(sets[1])
    batches = of_kind(events, Trained)
    assert [b.batch for b in batches if isinstance(b, Trained)] == list(range(1, 101))
    assert events[-1] == Finished("done")


def test_what_it_writes(tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options) -> None:
    net = new_net(tmp_path)
    saved = [e.path.name for e in train(net, *sets, options) if isinstance(e, Saved)]
    assert saved[0] == "shapes.backup"
    assert saved[-1] == "shapes.weights"
    assert {"shapes_1.weights", "shapes_7.weights", "shapes_best.weights"} <= set(saved)
    assert (options.backup / "shapes.state").is_file()
    assert (options.backup / "shapes_7.state").is_file()
    again = new_net(tmp_path)
    again.load_weights(options.backup / "shapes.weights")
    assert again.seen == 100 * 12
    for one, other in zip(again.parameters(), net.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)
    assert not [p for p in options.backup.iterdir() if p.name.startswith(".")]


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


def test_the_average_is_validated_and_is_the_outcome(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    net = new_net(tmp_path)
    asked = replace(options, ema=0.95, batches=14, valid_every=14)
    events = list(train(net, *sets, asked))
    (validated,) = of_kind(events, Validated)
    assert isinstance(validated, Validated)
    with net.averaged():
        averages = [parameter.value.copy() for parameter in net.parameters()]
        expected = evaluate(net, sets[1], 2)
    assert validated.evaluation.loss == expected.loss
    assert evaluate(net, sets[1], 2).loss != expected.loss
    for name, is_average in (("best", True), ("", True), ("1", False)):
        other = new_net(tmp_path)
        other.load_weights(options.backup / f"shapes{'_' * bool(name)}{name}.weights")
        equal = [
            np.array_equal(one.value, average)
            for one, average in zip(other.parameters(), averages, strict=True)
        ]
        assert all(equal) if is_average else not all(equal)


def test_class_weights_make_the_loss(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    """Of classes that count nothing, nothing is learned."""
    asked = replace(options, class_weights=(0.0, 0.0, 3.0), batches=60)
    events = list(train(new_net(tmp_path), *sets, asked))
    last = of_kind(events, Validated)[-1]
    assert isinstance(last, Validated)
    assert last.evaluation.confusion[:, 2].sum() == len(sets[1])


def test_a_run_goes_on_from_any_epoch(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    list(train(new_net(tmp_path), *sets, options))
    expected = (options.backup / "shapes.weights").read_bytes()
    net = new_net(tmp_path)
    progress = resume(net, options.backup / "shapes_3.state")
    assert net.seen // len(sets[0]) == 3
    list(train(net, *sets, options, progress))
    assert (options.backup / "shapes.weights").read_bytes() == expected


def test_what_a_killed_run_left_half_written_goes(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    options.backup.mkdir()
    (options.backup / ".darknet-abc.part").write_bytes(b"half")
    (options.backup / "mine.part").write_bytes(b"mine")
    list(train(new_net(tmp_path), *sets, replace(options, batches=1)))
    names = {path.name for path in options.backup.iterdir()}
    assert "mine.part" in names
    assert ".darknet-abc.part" not in names


def test_stopping_saves_and_is_not_the_end(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    asked: list[int] = []
    stopping = replace(options, stop=lambda: len(asked) >= 10)
    net, events = new_net(tmp_path), []
    for event in train(net, *sets, stopping):
        events.append(event)
        if isinstance(event, Trained):
            asked.append(event.batch)
    assert events[-1] == Finished("stopped")
    assert not (options.backup / "shapes.weights").exists()
    again = new_net(tmp_path)
    resume(again, options.backup / "shapes.state")
    assert again.batch_num == 10


def test_patience(tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options) -> None:
    net = new_net(tmp_path, CFG.replace("learning_rate=0.01", "learning_rate=0"))
    events = list(train(net, *sets, replace(options, patience=2, valid_every=3)))
    assert events[-1] == Finished("patience")
    assert len(of_kind(events, Validated)) == 3


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


def test_seen_past_the_end_says_so(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    net = new_net(tmp_path)
    net.seen = 100 * 12
    with pytest.raises(TrainingError, match=r"seen is already past max_batches.*use -clear"):
        next(train(net, *sets, options))


@pytest.mark.parametrize("what", ["nan", "inf"])
def test_a_loss_that_is_no_number_stops_and_leaves_the_last_good_weights(
    tmp_path: Path,
    sets: tuple[Dataset, Dataset],
    options: Options,
    what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, accumulate = new_net(tmp_path), Network.accumulate

    def poisoned(self: Network, x: np.ndarray, *truth: Any) -> float:
        if self.batch_num == 9:
            self.layers[3].parameters()[1].value[0, 0, 0, 0] = float(what)
        return accumulate(self, x, *truth)

    monkeypatch.setattr(Network, "accumulate", poisoned)
    with pytest.raises(TrainingError) as caught:
        list(train(net, *sets, options))
    message = str(caught.value)
    assert message.startswith("batch 10: the loss is ")
    assert "layer 3 [convolutional] is the first with a value that is no number" in message
    assert ".png" in message
    assert "\n" not in message
    good = new_net(tmp_path)
    good.load_weights(options.backup / "shapes.backup")
    assert good.batch_num == 7
    assert all(np.isfinite(parameter.value).all() for parameter in good.parameters())


def test_an_update_that_is_no_number_stops_too(
    tmp_path: Path,
    sets: tuple[Dataset, Dataset],
    options: Options,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    net, accumulate = new_net(tmp_path), Network.accumulate

    def poisoned(self: Network, x: np.ndarray, *truth: Any) -> float:
        loss = accumulate(self, x, *truth)
        self.parameters()[0].updates[0] = np.nan
        return loss

    monkeypatch.setattr(Network, "accumulate", poisoned)
    with pytest.raises(TrainingError, match=r"batch 1: .*the gradient is the first"):
        list(train(net, *sets, options))
    assert net.batch_num == 0


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


def test_a_picture_that_breaks_meanwhile_is_named(
    tmp_path: Path, shapes: Path, options: Options
) -> None:
    copy = shutil.copytree(shapes, tmp_path / "copy")
    data = open_data(copy, share=0)
    next(copy.glob("cross/7.png")).write_bytes(b"")
    with pytest.raises(PictureError, match=r"cross/7\.png: is empty"):
        list(train(new_net(tmp_path), data.training(), None, options))


def test_outputs_must_fit_the_classes(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    net = new_net(tmp_path, CFG.replace("filters=3", "filters=5"))
    with pytest.raises(TrainingError, match="has 5 outputs, and the data has 3 classes"):
        next(train(net, *sets, options))


def test_one_sigmoid_knows_two_classes(tmp_path: Path, shapes: Path, options: Options) -> None:
    copy = shutil.copytree(shapes, tmp_path / "two")
    shutil.rmtree(copy / "square")
    data = open_data(copy, share=0.2)
    cfg = CFG.replace("filters=3", "filters=1").replace("[softmax]", "[logistic]")
    events = list(train(new_net(tmp_path, cfg), data.training(), data.validation(), options))
    last = of_kind(events, Validated)[-1]
    assert isinstance(last, Validated)
    assert last.evaluation.top1 > 0.9


def test_metrics_are_those_of_the_run_and_forget_what_is_done_again(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    table = tmp_path / "metrics.csv"
    events = list(train(new_net(tmp_path), *sets, replace(options, batches=12, valid_every=4)))
    file = MetricsFile(table, 0)
    for event in events:
        if isinstance(event, Trained | Validated):
            file.add(event)
    file.flush()
    with table.open(newline="") as read:
        rows = list(csv.DictReader(read))
    trained = [event for event in events if isinstance(event, Trained)]
    assert [int(row["batch"]) for row in rows] == list(range(1, 13))
    assert [float(row["loss"]) for row in rows] == [event.loss for event in trained]
    assert [bool(row["valid_top1"]) for row in rows] == [b % 4 == 0 for b in range(1, 13)]
    with table.open("a") as cut:
        cut.write("13,0.9")
    MetricsFile(table, 9)
    metrics = read_metrics(table)
    assert metrics.batch == list(range(1, 10))
    assert metrics.valid_batch == [4, 8]


def test_the_check_finds_what_would_spoil_a_run(tmp_path: Path, shapes: Path) -> None:
    copy = shutil.copytree(shapes, tmp_path / "copy")
    (copy / "circle/3.png").write_text("no picture")
    (copy / "empty").mkdir()
    (tmp_path / "file").touch()
    net = new_net(tmp_path)
    report = check(open_data(copy, share=0.2, backup=tmp_path / "file/backup"), net)
    refused = [*report.refused_train, *report.refused_valid]
    assert [r.error.args[0].split(":")[0] for r in refused] == [str(copy / "circle/3.png")]
    assert any("has 3 outputs, and the data has 4 classes" in p for p in report.problems)
    assert any("cannot be a folder for backups" in p for p in report.problems)
    train_set, valid_set = report.usable()
    assert len(train_set) + len(valid_set or ()) == 119
    assert report.memory == training_memory(net)
    fine = check(open_data(shapes, share=0.2), net)
    assert (fine.problems, fine.refused_train, fine.shared) == ([], [], [])


def test_memory_grows_with_the_batch(tmp_path: Path) -> None:
    small, large = new_net(tmp_path), new_net(tmp_path, CFG.replace("batch=12", "batch=24"))
    assert training_memory(small) < training_memory(large) < 2 * training_memory(small)


def test_memory_holds_an_average_of_every_parameter(tmp_path: Path) -> None:
    net = new_net(tmp_path)
    numbers = sum(parameter.size for parameter in net.parameters())
    assert training_memory(net, averaged=True) - training_memory(net) == 4 * numbers


def test_processes_share_the_maps_and_not_the_parameters(tmp_path: Path) -> None:
    """Each has what one has that computes as many pictures at once."""
    halves = new_net(tmp_path, CFG.replace("subdivisions=1", "subdivisions=2"))
    net = new_net(tmp_path)
    assert training_memory(net, processes=2) == training_memory(halves) < training_memory(net)


def test_memory_holds_the_steps_of_sequences(tmp_path: Path) -> None:
    text = CFG.replace("batch=12", "batch=12\ntime_steps=4")
    longer = CFG.replace("batch=12", "batch=48")
    assert training_memory(new_net(tmp_path, text)) == training_memory(new_net(tmp_path, longer))


def test_checkpoints_come_by_the_clock_too(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    often = replace(options, save_every=10**6, save_seconds=0, batches=5)
    events = list(train(new_net(tmp_path), *sets, often))
    assert sum(e.path.suffix == ".backup" for e in events if isinstance(e, Saved)) == 5


def test_no_pictures_is_said(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    with pytest.raises(DarknetError, match="no pictures"):
        open_data(tmp_path / "data")


def test_metrics_wait_out_a_full_disk_and_a_vanished_folder(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    file = MetricsFile(folder / "metrics.csv", 0)
    events = list(train(new_net(tmp_path), *sets, replace(options, batches=4)))
    batches = [event for event in events if isinstance(event, Trained)]
    file.add(batches[0])
    shutil.rmtree(folder)
    with pytest.raises(OSError, match="No such file"):
        file.flush()
    file.add(batches[1])
    folder.mkdir()
    file.flush()
    assert read_metrics(folder).batch == [1, 2]
