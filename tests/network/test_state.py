from __future__ import annotations

import os
import threading
import tracemalloc
from pathlib import Path
from random import Random

import numpy as np
import pytest

from darknet_py.errors import StateError, WeightsError
from darknet_py.layers import LAYERS, Layer
from darknet_py.network.plateau import Plateau, check_state_dict
from darknet_py.network.snapshot import array_specs, arrays_of
from darknet_py.network.state import read_notes, read_state, save_state
from darknet_py.network.state_file import MAX_HEADER
from darknet_py.tasks.checkpoint import _NOTES
from darknet_py.tasks.run import Progress
from scripts.trials import states
from scripts.trials.trial import Failed
from tests.support.networks import CLASSIFIER, FLOAT64, make_network


def test_every_changed_bit_is_noticed(tmp_path: Path) -> None:
    """In each byte of what stands first, and here and there after it: the network stays."""
    states.prepare()
    subject, path = states._subjects()[0], tmp_path / "a.state"
    before = states._everything(subject.net)
    path.write_bytes(subject.data)
    known = read_notes(path)
    assert states._FRONT < 64
    for place in (*range(64), *range(64, len(subject.data), 7)):
        data = bytearray(subject.data)
        data[place] ^= 1 << place % 8
        path.write_bytes(data)
        with pytest.raises(StateError, match=r"is damaged|is no training state"):
            read_state(path, subject.net)
        if place < len(subject.data) - len(subject.floats):
            with pytest.raises(StateError, match=r"is damaged|is no training state"):
                read_notes(path)
        else:
            assert read_notes(path) == known
    assert states._everything(subject.net) == before


def test_trials_find_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest that is not looked at, counters and a plateau that stay as they were."""

    def many() -> None:
        for seed in range(400):
            states.trial(Random(seed), tmp_path)

    with monkeypatch.context() as patch:
        patch.setattr("darknet_py.network.state_file.StateReader.end", lambda _: None)
        with pytest.raises(Failed, match="passed with other bytes than were written"):
            many()
    states._subjects.cache_clear()
    for owner, name in ((Layer, "restore"), (Plateau, "load_state_dict")):
        states.prepare()
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, lambda *_: None)
            with pytest.raises(Failed, match=r"is not what the file says"):
                many()
        states._subjects.cache_clear()
    many()


def test_memory_holds_a_state_once(tmp_path: Path) -> None:
    text = (
        "[net]\ninputs=1000\n" + "[connected]\noutput=1000\nactivation=linear\n" * 4 + "[softmax]\n"
    )
    net = make_network(text)
    path, one = tmp_path / "a.state", 4 * 1000 * 1000
    save_state(path, net, {}, {"more": bytes(100)})
    for parameter in net.parameters():
        parameter.value = None
    tracemalloc.start()
    try:
        read_state(path, net).restore(net)
        assert tracemalloc.get_traced_memory()[1] < 5.5 * one
        tracemalloc.reset_peak()
        start, _ = tracemalloc.get_traced_memory()
        assert read_notes(path) == ({}, {"more": bytes(100)})
        assert tracemalloc.get_traced_memory()[1] - start < 0.1 * one
    finally:
        tracemalloc.stop()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    net = make_network(CLASSIFIER)
    said: list[str] = []

    def read() -> None:
        for attempt in (lambda: read_state(pipe, net), lambda: net.load_weights(pipe)):
            try:
                attempt()
            except (StateError, WeightsError) as error:
                said.append(str(error))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(20)
    assert said == [
        f"{pipe}: cannot be read: is a pipe or a device, not a file",
        f"{pipe}: is a pipe or a device, not a file",
    ]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_could_not_be_read_is_not_written(tmp_path: Path, bad: float) -> None:
    net, path = make_network(CLASSIFIER), tmp_path / "a.state"
    save_state(path, net, {})
    before = path.read_bytes()
    net.layers[2].parameters()[0].value[1] = bad
    with pytest.raises(StateError, match=r"layer 2 \[convolutional\] has weights that are not fin"):
        save_state(path, net, {})
    with pytest.raises(StateError, match="a number in it is not finite"):
        save_state(path, make_network(CLASSIFIER), {"best": bad})
    with pytest.raises(StateError, match="its header would have"):
        save_state(path, make_network(CLASSIFIER), {"best": "x" * MAX_HEADER})
    with pytest.raises(StateError, match="value_0 is float64"):
        save_state(path, make_network(CLASSIFIER, FLOAT64), {})
    assert path.read_bytes() == before


def test_layers_name_all_that_they_count() -> None:
    """What a layer of any kind has on paper that its name says it counts."""
    counting = {kind for kind, layer in LAYERS.items() if layer.counters}
    assert counting == {"crop", "dropout"}


def test_slots_are_in_the_order_of_arrays() -> None:
    for subject in states._subjects():
        slots = dict(array_specs(subject.net))
        found = [name for name, _ in arrays_of(subject.net)]
        assert found == [name for name in slots if name in found]
        for name, array in arrays_of(subject.net):
            assert array.shape == slots[name].shape


def test_what_plateau_notes_passes() -> None:
    net = make_network(CLASSIFIER.replace("[net]\n", "[net]\npolicy=plateau\n"))
    assert net.plateau
    plateau = Plateau(net.plateau.how)
    for loss in (3.0, 2.0, 2.5, 9.0) * 60:
        check_state_dict(plateau.state_dict())
        plateau.observe(loss)
    plateau.lose()
    check_state_dict(plateau.state_dict())


def test_every_field_of_progress_is_checked() -> None:
    assert set(_NOTES) == set(Progress().notes())
