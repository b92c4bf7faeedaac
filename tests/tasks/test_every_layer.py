"""Every kind of layer through the program that users run: trained, cut off, resumed, validated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from darknet_py.cfg.sections import parse_sections
from darknet_py.images import Dataset
from darknet_py.network import Network
from darknet_py.tasks.checkpoint import resume
from darknet_py.tasks.events import Finished, Saved, Validated
from darknet_py.tasks.run import Options
from darknet_py.tasks.train import train
from scripts.trials.networks import KINDS, network_text
from tests.support.networks import CPU
from tests.support.shapes import of_kind


def new(text: str) -> Network:
    net = Network(parse_sections(text, "shapes.cfg"), "shapes.cfg", CPU)
    net.initialise()
    return net


@pytest.mark.parametrize("kind", KINDS)
def test_training(
    kind: str, tmp_path: Path, sets: tuple[Dataset, Dataset], options: Options
) -> None:
    text = network_text(kind, Random(f"task/{kind}"), classes=3)
    options = replace(options, batches=4, save_every=2, valid_every=4)
    whole, cut = new(text), new(text)
    events = list(train(whole, *sets, options))
    assert events[-1] == Finished("done")
    (validated,) = of_kind(events, Validated)
    assert isinstance(validated, Validated)
    assert np.isfinite(validated.evaluation.loss)
    options = replace(options, backup=tmp_path / "cut")
    saved = 0
    for event in train(cut, *sets, options):
        saved += isinstance(event, Saved)
        if saved and cut.batch_num == 3:
            break
    again = new(text)
    progress = resume(again, tmp_path / "cut" / "shapes.state")
    assert again.batch_num == 2
    list(train(again, *sets, options, progress))
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value, one.name)
