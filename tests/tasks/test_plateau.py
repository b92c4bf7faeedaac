"""policy=plateau in trainings that go wrong, and right again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import TrainingError
from darknet_py.images import Dataset
from darknet_py.network import Network
from darknet_py.tasks.checkpoint import resume
from darknet_py.tasks.events import Adjusted, Event, Finished, Saved, Trained, Validated
from darknet_py.tasks.run import Options
from darknet_py.tasks.train import train
from tests.support.shapes import CFG, new_net

BATCHES = 150
STEERED = (
    CFG.replace("optimizer=adam", "optimizer=sgd")
    .replace("policy=poly", "policy=plateau\nplateau_window=10")
    .replace("max_batches=100", f"max_batches={BATCHES}")
)
GOOD = 0.05
"""A rate that this network learns well at."""


def at_rate(rate: float) -> str:
    return STEERED.replace("learning_rate=0.01", f"learning_rate={rate}")


def adjustments(events: list[Event]) -> list[Adjusted]:
    return [event for event in events if isinstance(event, Adjusted)]


def last_top1(events: list[Event]) -> float:
    return [event for event in events if isinstance(event, Validated)][-1].evaluation.top1


def test_a_rate_a_hundred_times_too_large_is_recovered_from(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    plain = at_rate(100 * GOOD).replace("policy=plateau\nplateau_window=10", "policy=constant")
    with pytest.raises(TrainingError, match="the loss is"):
        list(train(new_net(tmp_path, plain), *sets, options))
    events = list(train(new_net(tmp_path, at_rate(100 * GOOD)), *sets, options))
    made = adjustments(events)
    assert {"no number"} <= {event.why for event in made}
    assert made[-1].rate < 100 * GOOD / 20
    assert events[-1] == Finished("done")
    assert last_top1(events) > 0.9
    trained = [event for event in events if isinstance(event, Trained)]
    assert np.isfinite([event.loss for event in trained]).all()
    assert trained[-1].batch == BATCHES


def test_a_rate_that_is_much_too_small_is_raised(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    slow = at_rate(GOOD / 500).replace("plateau_window=10", "plateau_window=9\nplateau_patience=2")
    events = list(train(new_net(tmp_path, slow), *sets, options))
    assert {"falls"} <= {event.why for event in adjustments(events)}
    assert adjustments(events)[-1].rate > GOOD / 500


def test_it_goes_back_to_the_best_weights(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss that is made to climb: the parameters are those of the batch that the event names."""
    accumulate, after = Network.accumulate, {}

    def climbing(self: Network, *given: np.ndarray) -> float:
        loss = accumulate(self, *given)
        return loss if self.batch_num < 20 else loss + 20

    monkeypatch.setattr(Network, "accumulate", climbing)
    net = new_net(tmp_path, at_rate(GOOD))
    for event in train(net, *sets, replace(options, batches=30)):
        if isinstance(event, Trained):
            after[event.batch] = net.layers[0].parameters()[-1].value.copy()
        elif isinstance(event, Adjusted):
            back = event
            now = net.layers[0].parameters()[-1].value.copy()
    assert (back.batch, back.why, back.kept) == (30, "climbs", 20)
    assert back.rate == pytest.approx(GOOD / 5)
    np.testing.assert_array_equal(now, after[20])
    assert not np.array_equal(now, after[30])


@pytest.mark.parametrize("rate", [100 * GOOD, GOOD / 50])
def test_a_run_goes_on_bit_for_bit(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options, rate: float
) -> None:
    cfg = at_rate(rate)
    expected_events = adjustments(list(train(new_net(tmp_path, cfg), *sets, options)))
    assert len(expected_events) > 2
    expected = (options.backup / "shapes.weights").read_bytes()
    shutil.rmtree(options.backup)
    for batches in (3, 18, 40):
        net = new_net(tmp_path, cfg)
        state = options.backup / "shapes.state"
        progress = resume(net, state) if state.exists() else None
        for event in train(net, *sets, options, progress):
            if isinstance(event, Trained) and event.batch >= batches:
                break
    net = new_net(tmp_path, cfg)
    events = list(train(net, *sets, options, resume(net, options.backup / "shapes.state")))
    assert (options.backup / "shapes.weights").read_bytes() == expected
    made = adjustments(events)
    assert made == expected_events[len(expected_events) - len(made) :]


def test_what_no_rate_mends_ends_with_an_error(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    net = new_net(tmp_path, at_rate(GOOD))
    events = train(net, *sets, options)
    # the first state is written, and no other is
    next(event for event in events if isinstance(event, Saved))
    written = (options.backup / "shapes.state").read_bytes()
    assert net.plateau
    assert net.plateau.kept
    weights = net.layers[3].parameters()[1]
    weights.value[0, 0, 0, 0] = np.nan
    net.plateau.kept.arrays[f"value_{net.parameters().index(weights)}"][0, 0, 0, 0] = np.nan
    with pytest.raises(TrainingError, match=r"batch 9: the loss is nan, and layer 3 "):
        list(events)
    assert (options.backup / "shapes.state").read_bytes() == written


def test_a_run_of_values_that_are_no_numbers_does_not_begin(
    tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    net = new_net(tmp_path, at_rate(GOOD))
    net.layers[3].parameters()[1].value[0, 0, 0, 0] = np.nan
    with pytest.raises(
        TrainingError,
        match=r"the training cannot begin: .*shapes\.state: is not written: layer 3 "
        r"\[convolutional\] has weights that are not finite: 1 of 432 weights",
    ):
        list(train(net, *sets, options))
    assert not (options.backup / "shapes.state").exists()
