"""TensorBoard's event files, read back by its own reader where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import TrainingError
from darknet_py.tasks.event_files import EventFile, check_tensorboard
from darknet_py.tasks.events import Trained, Validated
from darknet_py.tasks.valid import Evaluation


def test_figures_are_read_back(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    file = EventFile(tmp_path)
    evaluation = Evaluation(("a", "b"), np.array([[3, 1], [0, 4]]), 1, 7, 0.25)
    file.add(Trained(1, 0.5, 0.7, 0.7, 0.01, 0.1, 4, 0.0))
    file.add(Validated(1, evaluation, True))
    file.add(Trained(2, 1.0, 0.6, 0.69, 0.02, 0.1, 8, 0.0))
    file.close()
    found = EventAccumulator(str(tmp_path)).Reload()
    assert [(each.step, round(each.value, 6)) for each in found.Scalars("loss")] == [
        (1, 0.7),
        (2, 0.6),
    ]
    assert [each.step for each in found.Scalars("rate")] == [1, 2]
    assert [each.value for each in found.Scalars("validation/top1")] == [0.875]
    assert [each.value for each in found.Scalars("validation/loss")] == [0.25]


def test_it_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TrainingError, match=r"needs tensorboard's writer: .*\[tensorboard\]"):
        check_tensorboard()
