"""Several processes train as one does: on the CPU, which exchange arrays through a socket."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import CfgError, TrainingError
from darknet_py.images import Dataset
from darknet_py.network import Network
from darknet_py.tasks.data import open_data
from darknet_py.tasks.data_parallel import Job, Team
from darknet_py.tasks.events import Adjusted, Event, Finished, Trained, Validated
from darknet_py.tasks.initialization import Initialization, begin
from darknet_py.tasks.run import Options
from darknet_py.tasks.train import train
from tests.support.rendezvous import SocketRendezvous
from tests.support.shapes import CFG, draw_shapes

SGD = CFG.replace("optimizer=adam", "momentum=0.9").replace("max_crop=18", "max_crop=18\nmixup=.2")
NORMED = SGD.replace("filters=8\n", "filters=8\nbatch_normalize=1\n")


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Dataset]:
    data = open_data(draw_shapes(tmp_path_factory.mktemp("data") / "shapes", 8), share=0.2)
    return data.training(), data.validation()


@pytest.fixture
def options(tmp_path: Path) -> Options:
    return Options(backup=tmp_path / "backup", name="net", batches=4, top=2, workers=1)


def run(
    folder: Path,
    cfg: str,
    sets: tuple[Dataset, Dataset],
    options: Options,
    processes: int = 1,
    initialization: Initialization = Initialization(),  # noqa: B008 - it is frozen
    breaks: bool = False,
) -> tuple[Network, list[Event]]:
    """A whole training; the network after it, and what happened."""
    path = folder / "net.cfg"
    path.write_text(cfg)
    net = Network.from_cfg(path, "cpu")
    progress = begin(net, options, initialization)
    if processes == 1:
        return net, list(train(net, *sets, options, progress))
    rendezvous = SocketRendezvous(str(folder / "rendezvous"), processes, breaks)
    with Team(net, Job(str(path), sets[0], options, initialization, rendezvous)) as team:
        events = list(train(net, *sets, options, progress, team.lead, team.size))
    return net, events


def losses(events: list[Event]) -> list[float]:
    return [event.loss for event in events if isinstance(event, Trained)]


def test_two_train_as_one_with_twice_the_subdivisions(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    """Dropout, momentum, mixup, an average, weights of classes and a state in the middle."""
    options = replace(options, ema=0.5, class_weights=(0.5, 1.0, 1.5))
    halves = SGD.replace("subdivisions=1", "subdivisions=2")
    one, expected = run(tmp_path, halves, sets, replace(options, backup=tmp_path / "one"))
    _, first = run(tmp_path, SGD, sets, replace(options, batches=2), 2)
    again = Initialization(state=options.backup / "net.state")
    two, then = run(tmp_path, SGD, sets, options, 2, again)
    np.testing.assert_allclose(losses(first + then), losses(expected), rtol=1e-5)
    for mine, other in zip(two.parameters(), one.parameters(), strict=True):
        np.testing.assert_allclose(mine.value, other.value, rtol=1e-4, atol=1e-6)
    for found in (first, then):
        assert found[-1] == Finished("done")
        assert [type(event) for event in found].count(Validated) == 1


def uneven(data: Dataset) -> Dataset:
    """With one picture of its first class."""
    of_first = [place for place, labels in enumerate(data.labels) if labels == (0,)]
    return data.without(of_first[1:])


def test_classes_come_equally_often_to_the_whole_team(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    options = replace(options, balance=True)
    few = uneven(sets[0]), sets[1]
    halves = SGD.replace("subdivisions=1", "subdivisions=2")
    one, expected = run(tmp_path, halves, few, replace(options, backup=tmp_path / "one"))
    two, found = run(tmp_path, SGD, few, options, 2)
    np.testing.assert_allclose(losses(found), losses(expected), rtol=1e-5)
    for mine, other in zip(two.parameters(), one.parameters(), strict=True):
        np.testing.assert_allclose(mine.value, other.value, rtol=1e-4, atol=1e-6)
    _, unbalanced = run(tmp_path, halves, few, replace(options, balance=False))
    assert np.abs(np.subtract(losses(unbalanced), losses(expected))).max() > 1e-3


def adjustments(events: list[Event]) -> list[tuple[int, str, float, int]]:
    return [
        (event.batch, event.why, event.rate, event.kept)
        for event in events
        if isinstance(event, Adjusted)
    ]


@pytest.mark.parametrize("rate", [0.001, 1, 1e20])
def test_all_decide_as_one_where_the_loss_decides(
    rate: float, tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    """policy=plateau: a rate that is too low, one that is too high, and one past all numbers."""
    steered = SGD.replace("policy=poly", "policy=plateau\nplateau_window=2\nplateau_patience=2")
    steered = steered.replace("learning_rate=0.01", f"learning_rate={rate}")
    options = replace(options, batches=14)
    halves = steered.replace("subdivisions=1", "subdivisions=2")
    one, expected = run(tmp_path, halves, sets, replace(options, backup=tmp_path / "one"))
    two, found = run(tmp_path, steered, sets, options, 2)
    assert len(adjustments(expected)) > 1
    assert adjustments(found) == adjustments(expected)
    np.testing.assert_allclose(losses(found), losses(expected), rtol=1e-3)
    for mine, other in zip(two.parameters(), one.parameters(), strict=True):
        np.testing.assert_allclose(mine.value, other.value, rtol=1e-3, atol=1e-5)


def test_rolling_averages_are_the_mean_of_the_processes(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    """After one batch: their means are the whole batch's, variances those within the parts."""
    options = replace(options, batches=1)
    one, _ = run(tmp_path, NORMED, sets, options)
    two, _ = run(tmp_path, NORMED, sets, options, 2)
    (mean_of_one, variance_of_one), (mean_of_two, variance_of_two) = (
        [each.value for each in net.parameters() if not each.learned] for net in (one, two)
    )
    np.testing.assert_allclose(mean_of_two, mean_of_one, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(variance_of_two, variance_of_one, rtol=1e-3)
    assert not np.array_equal(variance_of_two, np.ones(8, np.float32))


def test_a_process_that_dies_ends_the_training(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    with pytest.raises(TrainingError, match=r"^the process of cpu has ended with exit code 3: "):
        run(tmp_path, SGD, sets, options, 2, breaks=True)


def test_a_process_that_is_killed_ends_the_training(
    tmp_path: Path,
    sets: tuple[Dataset, Dataset],
    options: Options,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The others end too, without a word."""
    path = tmp_path / "net.cfg"
    path.write_text(SGD)
    net = Network.from_cfg(path, "cpu")
    begin(net, options, Initialization())
    options = replace(options, batches=10**6)
    job = Job(
        str(path),
        sets[0],
        options,
        Initialization(),
        SocketRendezvous(str(tmp_path / "rendezvous"), 3),
    )
    team = Team(net, job)
    killed, other = (process for _, process, _ in team._followers)
    ended = r"^the process of cpu has ended with exit code -9: the training stops$"

    def train_and_kill() -> None:
        with team:
            for event in train(net, *sets, options, None, team.lead, team.size):
                if isinstance(event, Trained):
                    killed.kill()

    with pytest.raises(TrainingError, match=ended):
        train_and_kill()
    assert not other.is_alive()
    assert other.exitcode == 0
    assert capfd.readouterr() == ("", "")
    assert (options.backup / "net.state").exists()


def test_a_batch_that_cannot_be_shared(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    with pytest.raises(CfgError, match=r"net\.cfg:3: batch=12: expected a multiple of 5 GPUs x "):
        run(tmp_path, SGD, sets, options, 5)


def test_a_loss_that_is_no_number_is_found_by_all(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    wild = SGD.replace("learning_rate=0.01", "learning_rate=1e30")
    with pytest.raises(TrainingError, match=r"^batch 2: the loss is nan, and layer 1 \["):
        run(tmp_path, wild, sets, options, 2)


def test_a_follower_says_what_is_wrong(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    names, paths, labels = sets[0].names, sets[0].paths, sets[0].labels
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    path = tmp_path / "net.cfg"
    path.write_text(SGD.replace("mixup=.2", ""))
    net = Network.from_cfg(path, "cpu")
    begin(net, options, Initialization())
    data = Dataset(names, [broken] * len(paths), labels)
    job = Job(
        str(path),
        data,
        options,
        Initialization(),
        SocketRendezvous(str(tmp_path / "rendezvous"), 2),
    )
    with pytest.raises(TrainingError, match=r"^cpu: .*broken\.png"), Team(net, job) as team:
        list(train(net, sets[0], None, options, None, team.lead, team.size))
