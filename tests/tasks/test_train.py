from __future__ import annotations

import csv
import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from darknet_py.errors import DarknetError, TrainingError
from darknet_py.images import Dataset
from darknet_py.network import Network
from darknet_py.tasks.check import check, training_memory
from darknet_py.tasks.checkpoint import resume
from darknet_py.tasks.data import open_data
from darknet_py.tasks.events import Finished, LeftOut, Saved, Trained, Validated
from darknet_py.tasks.metrics import MetricsFile, read_metrics
from darknet_py.tasks.run import Options
from darknet_py.tasks.train import train
from darknet_py.tasks.valid import evaluate
from tests.support.shapes import CFG, new_net, of_kind


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
    net, options = new_net(tmp_path), replace(options, keep=3)
    saved = [e.path.name for e in train(net, *sets, options) if isinstance(e, Saved)]
    assert saved[0] == "shapes.backup"
    assert saved[-1] == "shapes.weights"
    names = {path.name for path in options.backup.iterdir()}
    epochs = {f"shapes_{n}.{kind}" for n in (3, 6, 9, 12) for kind in ("weights", "state")}
    assert {"shapes_best.weights", "shapes.state", "shapes.backup", "shapes.weights"} | epochs == (
        names
    )
    again = new_net(tmp_path)
    again.load_weights(options.backup / "shapes.weights")
    assert again.seen == 100 * 12
    for one, other in zip(again.parameters(), net.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)
    assert not [p for p in options.backup.iterdir() if p.name.startswith(".")]


def test_the_average_is_validated_and_is_the_outcome(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    net = new_net(tmp_path)
    asked = replace(options, ema=0.95, batches=14, valid_every=14, keep=1)
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


def test_patience_that_is_over_is_said(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    cfg = CFG.replace("learning_rate=0.01", "learning_rate=0")
    impatient = replace(options, patience=2, valid_every=3)
    list(train(new_net(tmp_path, cfg), *sets, impatient))
    expected = (options.backup / "shapes.weights").read_bytes()
    net = new_net(tmp_path, cfg)
    progress = resume(net, options.backup / "shapes.state")
    with pytest.raises(TrainingError, match="of the last 2 validations none was better: to go on"):
        next(train(net, *sets, impatient, progress))
    assert (options.backup / "shapes.weights").read_bytes() == expected


def test_epochs_that_are_shorter_than_a_batch_are_kept_too(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    few = sets[0].without(range(5, len(sets[0])))
    list(train(new_net(tmp_path), few, None, replace(options, keep=3, batches=4)))
    names = {path.name for path in options.backup.glob("shapes_[0-9]*.weights")}
    assert names == {"shapes_4.weights", "shapes_7.weights", "shapes_9.weights"}


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
    assert good.batch_num == 8  # after the best validation
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


def test_a_picture_that_breaks_meanwhile_is_left_out_and_said_once(
    tmp_path: Path, shapes: Path, options: Options
) -> None:
    """And a run that goes on afterwards is the one that never stopped."""
    copy = shutil.copytree(shapes, tmp_path / "copy")
    data = open_data(copy, share=0.2)
    bad = [data.training().paths[7], data.validation().paths[2]]
    for path in bad:
        path.write_bytes(path.read_bytes()[:60])
    sets = data.training(), data.validation()
    options = replace(options, batches=20)
    net = new_net(tmp_path)
    events = list(train(net, *sets, options))
    left_out = [event for event in events if isinstance(event, LeftOut)]
    assert sorted(str(event.error).split(": ")[0] for event in left_out) == sorted(map(str, bad))
    validated = [event for event in events if isinstance(event, Validated)]
    assert len(validated) > 1
    assert {event.evaluation.pictures for event in validated} == {23}

    part = replace(options, backup=tmp_path / "part")
    list(train(new_net(tmp_path), *sets, replace(part, batches=7)))
    again = new_net(tmp_path)
    list(train(again, *sets, part, resume(again, part.backup / "shapes.state")))
    for one, other in zip(net.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)


def test_where_the_pictures_vanish_nothing_is_lost(
    tmp_path: Path, shapes: Path, options: Options
) -> None:
    copy = shutil.copytree(shapes, tmp_path / "copy")
    data = open_data(copy, share=0).training()
    net = new_net(tmp_path)
    events = train(net, data, None, options)
    while not isinstance(next(events), Trained):
        pass
    shutil.rmtree(copy)
    with pytest.raises(DarknetError, match=r"pictures cannot be read: is a disk"):
        list(events)
    assert net.batch_num >= 1
    saved = new_net(tmp_path)
    resume(saved, options.backup / "shapes.state")
    assert saved.batch_num == net.batch_num


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


def test_the_check_finds_a_folder_that_no_name_can_be(shapes: Path) -> None:
    report = check(open_data(shapes, backup="x" * 5000), decode=False)
    (problem,) = report.problems
    assert problem.endswith("cannot be a folder for backups: File name too long")


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


def test_no_pictures_is_said(tmp_path: Path) -> None:
    (tmp_path / "data" / "a").mkdir(parents=True)
    with pytest.raises(DarknetError, match="no pictures"):
        open_data(tmp_path / "data")


def test_rows_are_written_whole(
    tmp_path: Path,
    sets: tuple[Dataset, Dataset],
    options: Options,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A disk that becomes full within a row takes back the half of it."""
    table = tmp_path / "metrics.csv"
    events = list(train(new_net(tmp_path), *sets, replace(options, batches=3)))
    batches = [event for event in events if isinstance(event, Trained)]
    file = MetricsFile(table, 0)
    file.add(batches[0])
    file.flush()
    before = table.read_bytes()

    def half(raw: io.FileIO, data: bytes) -> None:
        raw.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    file.add(batches[1])
    with monkeypatch.context() as patch:
        patch.setattr("darknet_py.tasks.metrics._write_whole", half)
        with pytest.raises(OSError, match="No space"):
            file.flush()
    assert table.read_bytes() == before
    file.add(batches[2])
    file.flush()
    assert read_metrics(table).batch == [1, 2, 3]


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
