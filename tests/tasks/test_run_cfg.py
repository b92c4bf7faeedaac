"""The cfg of a training: chosen, fitted to the classes, changed by options."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darknet_py.errors import TrainingError
from darknet_py.images import read_folder
from darknet_py.network import Network
from darknet_py.tasks.initialization import Initialization, begin
from darknet_py.tasks.options import CfgOptions
from darknet_py.tasks.run import Options
from darknet_py.tasks.run_cfg import (
    LARGE,
    SMALL,
    build_run,
    choose_cfg,
    chosen_options,
    differences,
    run_cfg,
)
from tests.support.shapes import CFG, draw_shapes

ROOT = Path(__file__).parents[2]


@pytest.fixture
def net(tmp_path: Path) -> Network:
    steps = CFG.replace("policy=poly\npower=1", "policy=steps\nsteps=40,80\nscales=.1,.1")
    (tmp_path / "n.cfg").write_text(steps)
    return Network.from_cfg(tmp_path / "n.cfg", "cpu")


def keys(net: Network) -> dict[str, str]:
    return {key: value.text for key, value in net.sections[0].values.items()}


@pytest.mark.parametrize(("side", "expected"), [(32, SMALL), (96, SMALL), (97, LARGE)])
def test_the_cfg_goes_by_the_size_of_most(tmp_path: Path, side: int, expected: str) -> None:
    for kind in ("one", "two"):
        (tmp_path / kind).mkdir()
        for number in range(3):
            size = (2 * side, side) if number else (400 - side, 400 - side)
            Image.new("RGB", size).save(tmp_path / kind / f"{number}.png")
    (tmp_path / "one/bad.png").write_bytes(b"no picture")
    train, _ = read_folder(tmp_path, 0, 0, lambda note: None)
    assert train is not None
    assert choose_cfg(train) == expected
    assert (ROOT / expected).exists()


def test_few_pictures_get_more_epochs_and_smaller_batches() -> None:
    assert chosen_options(CfgOptions(), 50_000) == CfgOptions(epochs=36, batch=128)
    assert chosen_options(CfgOptions(), 162) == CfgOptions(epochs=200, batch=8)
    assert chosen_options(CfgOptions(epochs=2, batch=16), 162) == CfgOptions(epochs=2, batch=16)


def test_nothing_changes_where_nothing_is_asked(net: Network) -> None:
    found = run_cfg(net, 3, 100, CfgOptions(), False)
    assert (found.head, found.notes) == (None, [])
    assert build_run(net, found) is net


def test_options_are_written_into_the_cfg(net: Network) -> None:
    options = CfgOptions(epochs=2, batch=20, lr=0.02, size=32, optimizer="rmsprop")
    found = run_cfg(net, 3, 101, options, False)
    changed = build_run(net, found)
    assert found.notes == [
        f"{net.path}: width=32 height=32 batch=20 subdivisions=1 learning_rate=0.02 "
        "optimizer=rmsprop max_batches=11 steps=4,9"
    ]
    settings = changed.settings
    assert changed.in_shape[:2] == (32, 32)
    assert (settings.batch, settings.max_batches, settings.schedule.steps) == (20, 11, (4, 9))
    assert (settings.schedule.learning_rate, settings.optimiser.method) == (0.02, "rmsprop")
    assert "batch" in keys(net)
    assert keys(net)["batch"] != "20"


def test_the_last_layer_is_made_to_fit(net: Network) -> None:
    found = run_cfg(net, 7, 100, CfgOptions(), False)
    assert found.notes == [f"{net.path}: has 3 outputs: layer {found.head} gets 7 for the classes"]
    assert build_run(net, found).outputs == 7


def test_a_detector_cannot_have_other_classes(tmp_path: Path) -> None:
    text = "[net]\nwidth=8\nheight=8\nchannels=3\n[convolutional]\nfilters=30\nactivation=linear\n"
    (tmp_path / "d.cfg").write_text(text + "[region]\nnum=5\nclasses=1\n")
    net = Network.from_cfg(tmp_path / "d.cfg", "cpu")
    with pytest.raises(TrainingError, match="makes it a detector"):
        run_cfg(net, 3, 100, CfgOptions(), False)


def test_weights_of_other_classes_are_taken_but_for_the_last_layer(
    net: Network, tmp_path: Path
) -> None:
    net.initialise(5)
    net.seen = 1000
    net.save_weights(tmp_path / "n.weights")
    found = run_cfg(net, 4, 100, CfgOptions(), False)
    made = build_run(net, found)
    begin(
        made,
        Options(backup=tmp_path, name="n", seed=1),
        Initialization(str(tmp_path / "n.weights"), head=found.head),
    )
    assert made.seen == 0
    for index, (layer, other) in enumerate(zip(made.layers, net.layers, strict=True)):
        for parameter, source in zip(layer.parameters(), other.parameters(), strict=True):
            if index == found.head:
                assert parameter.shape != source.shape
            else:
                np.testing.assert_array_equal(parameter.value, source.value)


def test_what_a_run_began_with_and_goes_on_with(net: Network, tmp_path: Path) -> None:
    own = tmp_path / "own.cfg"
    shutil.copy(net.path, own)
    assert differences(net, own) == []
    changed = build_run(net, run_cfg(net, 3, 100, CfgOptions(lr=0.5), False))
    was = keys(net)["learning_rate"]
    assert differences(changed, own) == [
        f"{own}: the run began with learning_rate={was}, and goes on with learning_rate=0.5"
    ]
    assert differences(net, tmp_path / "none.cfg") == []


def test_folders_of_shapes_need_no_cfg(tmp_path: Path) -> None:
    train, _ = read_folder(draw_shapes(tmp_path / "shapes", 4), 0, 0, lambda note: None)
    assert train is not None
    assert choose_cfg(train) == SMALL
