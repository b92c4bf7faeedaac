from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from darknet_py.errors import DarknetError, TrainingError
from darknet_py.images import Dataset
from darknet_py.network import Network
from darknet_py.tasks.data import Data, open_data
from darknet_py.tasks.events import Finished, LeftOut, Saved, Trained, Validated
from darknet_py.tasks.features import Backbone, Cached
from darknet_py.tasks.finetune import (
    Began,
    Ended,
    How,
    Kept,
    Request,
    StageOptions,
    finetune,
    prepare,
)
from darknet_py.tasks.finetune.run import FinetuneEvent
from darknet_py.tasks.valid import Evaluation, evaluate
from tests.support.shapes import draw_shapes
from tests.tasks.finetune.nets import CFG, HEAD, open_net, write_net

WISHES = StageOptions(unfreeze=1, all=True, head_epochs=4, epochs=3, batch=8)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return open_data(draw_shapes(tmp_path_factory.mktemp("data") / "shapes", 12), share=0.25)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_net(tmp_path_factory.mktemp("base"))


@pytest.fixture
def how(tmp_path: Path) -> How:
    return How(cache=tmp_path / "cache", views=3, cache_bytes=1e9, seed=0, top=2)


def run(
    base: tuple[Path, Path],
    data: Data,
    output: Path,
    how: How,
    stage_options: StageOptions = WISHES,
    resume: bool = False,
) -> Iterator[FinetuneEvent]:
    request = Request(str(base[1]), output, stage_options, resume=resume)
    prepared = prepare(open_net(base[0]), request, data, how)
    train, valid = prepared.data.training(), prepared.data.valid
    yield from finetune(open_net, prepared.folder, train, valid, prepared.how)


def loaded(output: Path, suffix: str = "") -> Network:
    net = open_net(output / f"base{suffix}.cfg")
    net.load_weights(output / f"base{suffix}.weights")
    return net


def test_what_happens_and_what_is_written(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    output = tmp_path / "out"
    events = list(run(base, data, output, how))
    began = [event for event in events if isinstance(event, Began)]
    assert [(event.stage.name, event.cached) for event in began] == [
        ("head", 3),
        ("last", 2),
        ("all", None),
    ]
    ended = [event for event in events if isinstance(event, Ended)]
    for event in ended:
        assert event.found is not None
        found = evaluate(loaded(output, f"_{event.stage.name}"), data.validation(), 2)
        assert found.top1 == event.found["top1"]
        assert found.loss == pytest.approx(event.found["loss"], rel=1e-4)
    kept = events[-1]
    assert isinstance(kept, Kept)
    top1 = [event.found["top1"] for event in ended if event.found]
    assert dict(zip(["head", "last", "all"], top1, strict=True))[kept.stage.name] == max(top1)
    for suffix in (".cfg", ".weights"):
        best = output / f"base_{kept.stage.name}{suffix}"
        assert best.read_bytes() == (output / f"base{suffix}").read_bytes()
    assert {path.name for path in (output / "head").iterdir()} == set()
    assert not list(output.rglob("*_best.weights"))
    # the counter begins again, so that `train` takes the weights as they are
    assert loaded(output).seen == 0
    assert loaded(output).layers[-1].is_loss


def test_frozen_layers_are_equal_byte_for_byte(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    output = tmp_path / "out"
    list(run(base, data, output, how))
    start = open_net(base[0])
    start.load_weights(base[1])
    same = {
        stage: [
            all(
                one.value.tobytes() == two.value.tobytes()
                for one, two in zip(layer.parameters(), other.parameters(), strict=True)
            )
            for layer, other in zip(start.layers, loaded(output, f"_{stage}").layers, strict=True)
            if layer.parameters()
        ]
        for stage in ("head", "last", "all")
    }
    assert same == {
        "head": [True, True, True, False],
        "last": [True, True, False, False],
        "all": [False] * 4,
    }


def test_it_learns_what_the_head_can(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    stage_options = StageOptions(unfreeze=0, head_epochs=100, head_rate=0.03)
    events = list(run(base, data, tmp_path / "out", how, stage_options))
    losses = [event.loss for event in events if isinstance(event, Trained)]
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:5])
    validations = [event for event in events if isinstance(event, Validated)]
    assert len(validations) == 10
    assert validations[-1].evaluation.loss < validations[0].evaluation.loss


def test_the_cache_changes_nothing_but_time(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    # pictures as they are, so that both see the same ones
    cfg = CFG.replace("min_crop=16\nmax_crop=18\nangle=5", "max_crop=16\nflip=0")
    base = write_net(tmp_path, cfg)
    stage_options = StageOptions(unfreeze=1, head_epochs=3, epochs=2, batch=8)
    list(run(base, data, tmp_path / "with", replace(how, views=1), stage_options))
    list(run(base, data, tmp_path / "without", replace(how, cache=None), stage_options))
    for stage in ("head", "last"):
        one, two = (loaded(tmp_path / name, f"_{stage}") for name in ("with", "without"))
        for first, second in zip(one.parameters(), two.parameters(), strict=True):
            np.testing.assert_allclose(first.value, second.value, rtol=2e-2, atol=2e-4)


def test_pictures_that_go_bad_meanwhile_are_left_out_and_said(
    tmp_path: Path, base: tuple[Path, Path], how: How
) -> None:
    data = open_data(draw_shapes(tmp_path / "shapes", 12), share=0.25)
    bad = [data.training().paths[5], data.validation().paths[1]]
    for path in bad:
        path.write_bytes(path.read_bytes()[:-40])
    events = list(run(base, data, tmp_path / "out", how))
    left_out = {str(event.error).split(": ")[0] for event in events if isinstance(event, LeftOut)}
    assert left_out == set(map(str, bad))
    validated = [event for event in events if isinstance(event, Validated)]
    assert {event.evaluation.pictures for event in validated} == {8}
    assert isinstance(events[-1], Kept)


def test_features_that_are_too_large_are_not_kept(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    # means of 16 channels of 27 pictures in 3 views, and of 9; the next stage needs maps
    few = replace(how, cache_bytes=4 * 16 * (27 * 3 + 9))
    events = list(run(base, data, tmp_path / "out", few))
    assert [event.cached for event in events if isinstance(event, Began)] == [3, None, None]


def computed_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rows: list[int] = []
    plain = Backbone.__call__

    def counting(self: Backbone, x: np.ndarray) -> np.ndarray:
        rows.append(len(x))
        return plain(self, x)

    monkeypatch.setattr(Backbone, "__call__", counting)
    return rows


def test_a_killed_run_goes_on_bit_for_bit_and_computes_nothing_twice(
    tmp_path: Path,
    base: tuple[Path, Path],
    data: Data,
    how: How,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = computed_rows(monkeypatch)
    whole = list(run(base, data, tmp_path / "whole", how))
    expected_rows = sum(rows)
    rows.clear()
    events = len(whole)
    how = replace(how, cache=tmp_path / "other")
    resume = False
    # left after the first features, in each stage, between them: as a killed process is
    for left_after in (3, 9, 20, 25, 30, 12):
        for number, _ in enumerate(run(base, data, tmp_path / "killed", how, resume=resume)):
            resume = True
            if number == left_after:
                break
    last = list(run(base, data, tmp_path / "killed", how, resume=True))
    assert isinstance(last[-1], Kept)
    assert len(last) <= events
    assert sum(rows) == expected_rows
    for name in ("base_head.weights", "base_last.weights", "base_all.weights", "base.weights"):
        found = (tmp_path / "killed" / name).read_bytes()
        assert found == (tmp_path / "whole" / name).read_bytes(), name


def test_what_is_done_is_not_done_again(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    list(run(base, data, tmp_path / "out", how))
    again = list(run(base, data, tmp_path / "out", how, resume=True))
    assert [type(event) for event in again] == [Ended, Ended, Ended, Kept]
    other = StageOptions(unfreeze=1, all=True, head_epochs=4, epochs=4, batch=8)
    with pytest.raises(TrainingError, match=r"began with other stages \(--epochs"):
        list(run(base, data, tmp_path / "out", how, other, resume=True))


def test_the_best_of_a_stage_counts(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not its end, where that is worse."""
    shares = iter([0.5, 0.75, 0.25, 0.25])

    def judged(net: Network, *_: object, **_kw: object) -> Evaluation:
        share = next(shares)
        net.layers[HEAD].parameters()[0].value[:] = share
        right = round(100 * share)
        return Evaluation(("a", "b"), np.array([[right, 100 - right], [0, 0]]), 1, 0, 0.5)

    monkeypatch.setattr("darknet_py.tasks.finetune.run.evaluate", judged)
    stage_options = StageOptions(unfreeze=0, head_epochs=4, batch=8)
    events = list(run(base, data, tmp_path / "out", replace(how, cache=None), stage_options))
    (ended,) = (event for event in events if isinstance(event, Ended))
    assert ended.found == {"top1": 0.75, "loss": 0.5}
    np.testing.assert_array_equal(loaded(tmp_path / "out").layers[HEAD].parameters()[0].value, 0.75)


def without(data: Data, side: str, number: int) -> Data:
    """The data without one of its pictures, as if it had been removed."""
    dataset = getattr(data, side)
    return replace(data, **{side: dataset.without([number])})


def test_going_on_after_a_picture_was_removed(
    tmp_path: Path,
    base: tuple[Path, Path],
    data: Data,
    how: How,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Features of the others are kept, and the outcome is that of a run without the picture."""
    rows = computed_rows(monkeypatch)
    output, stage_options = (
        tmp_path / "out",
        StageOptions(unfreeze=1, head_epochs=4, epochs=2, batch=8),
    )
    list(run(base, data, output, how, stage_options))
    assert rows
    rows.clear()
    less = without(data, "train", 3)
    for fewer in (less, without(less, "valid", 0)):
        request = Request(str(base[1]), output, stage_options, resume=True)
        prepared = prepare(open_net(base[0]), request, fewer, how)
        (change,) = prepared.changes
        assert change.startswith("gone since the run began, or cannot be read: 1 picture")
        assert prepared.folder.done == {}
        assert (prepared.data.train, prepared.data.valid) == (fewer.train, fewer.valid)
        assert (output / "base.weights").exists()
        sets = prepared.data.training(), prepared.data.valid
        list(finetune(open_net, prepared.folder, *sets, prepared.how))
        assert rows == []
        fresh = tmp_path / f"fresh{len(fewer.validation())}"
        list(run(base, fewer, fresh, how, stage_options))
        for name in ("base.weights", "train.list", "valid.list"):
            assert (output / name).read_bytes() == (fresh / name).read_bytes()
        # once more, nothing has changed
        again = list(run(base, fewer, output, how, stage_options, resume=True))
        assert [type(event) for event in again] == [Ended, Ended, Kept]


def test_going_on_after_a_picture_became_another(
    tmp_path: Path, base: tuple[Path, Path], how: How
) -> None:
    """By the same name: the outcome is that of a run that has never seen the old one."""
    data = open_data(draw_shapes(tmp_path / "shapes", 8), share=0.3)
    stage_options = StageOptions(unfreeze=0, head_epochs=2)
    list(run(base, data, tmp_path / "out", how, stage_options))
    picture, other = data.training().paths[:2]
    picture.write_bytes(other.read_bytes())
    prepared = prepare(
        open_net(base[0]),
        Request(str(base[1]), tmp_path / "out", stage_options, resume=True),
        data,
        how,
    )
    (change,) = prepared.changes
    assert change.startswith("hold other than when the run began: 1 picture (1 to train on): ")
    sets = prepared.data.training(), prepared.data.valid
    list(finetune(open_net, prepared.folder, *sets, prepared.how))
    list(run(base, data, tmp_path / "fresh", how, stage_options))
    first, second = (tmp_path / name / "base.weights" for name in ("out", "fresh"))
    assert first.read_bytes() == second.read_bytes()


def test_pictures_stay_on_their_sides(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    """Whatever is drawn for those that are there now; a new one goes where it is drawn."""
    stage_options = StageOptions(unfreeze=0, head_epochs=1)
    less = without(data, "train", 0)
    list(run(base, less, tmp_path / "out", how, stage_options))
    swapped = replace(data, train=data.valid, valid=data.train)
    request = Request(str(base[1]), tmp_path / "out", stage_options, resume=True)
    prepared = prepare(open_net(base[0]), request, swapped, how)
    assert set(prepared.data.training().paths) == set(less.training().paths)
    new = data.training().paths[0]
    assert set(prepared.data.validation().paths) == {*less.validation().paths, new}


def test_what_is_done_stays_where_the_sides_alone_would_be_others(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    """As with another --share, or after the whole folder was moved."""
    stage_options = StageOptions(unfreeze=0, head_epochs=1)
    output = tmp_path / "out"
    list(run(base, data, output, how, stage_options))
    request = Request(str(base[1]), output, stage_options, resume=True)
    swapped = replace(data, train=data.valid, valid=data.train)
    prepared = prepare(open_net(base[0]), request, swapped, how)
    assert len(prepared.changes) == 1
    assert not prepared.again
    assert (prepared.data.train, prepared.data.valid) == (data.train, data.valid)
    assert list(prepared.folder.done) == ["head"]

    moved = tmp_path / "moved"
    shutil.copytree(data.path, moved)
    elsewhere = open_data(moved, share=0.25)
    prepared = prepare(open_net(base[0]), request, elsewhere, how)
    assert (prepared.changes, prepared.again) == ([], False)
    assert str(moved) in (output / "train.list").read_text()


def test_other_classes_are_refused(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    stage_options = StageOptions(unfreeze=0, head_epochs=1)
    list(run(base, data, tmp_path / "out", how, stage_options))
    before = (tmp_path / "out" / "base.names").read_bytes()
    names = ("circle", "cross", "zebra")
    sets = [
        Dataset(names, each.paths, each.labels) for each in (data.training(), data.validation())
    ]
    other = replace(data, names=names, train=sets[0], valid=sets[1])
    with pytest.raises(DarknetError, match="was begun with other classes"):
        list(run(base, other, tmp_path / "out", how, stage_options, resume=True))
    assert (tmp_path / "out" / "base.names").read_bytes() == before


def test_names_that_no_file_keeps_are_refused_before_anything_is_written(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    names = ("#1", "; x", "two\nlines")
    sets = [
        Dataset(names, each.paths, each.labels) for each in (data.training(), data.validation())
    ]
    other = replace(data, names=names, train=sets[0], valid=sets[1])
    with pytest.raises(TrainingError, match="a file of names cannot keep it"):
        list(run(base, other, tmp_path / "out", how))
    assert not (tmp_path / "out").exists()


def test_stopping_saves(tmp_path: Path, base: tuple[Path, Path], data: Data, how: How) -> None:
    asked: list[bool] = []
    events = []
    for event in run(base, data, tmp_path / "out", replace(how, stop=lambda: bool(asked))):
        events.append(event)
        if isinstance(event, Trained) and event.batch == 5:
            asked.append(True)
    assert events[-1] == Finished("stopped")
    assert isinstance(events[-2], Saved)
    last = list(run(base, data, tmp_path / "out", how, resume=True))
    trained = [event.batch for event in last if isinstance(event, Trained)]
    assert trained[0] == 6


@pytest.mark.parametrize("ema", [0, 0.9])
def test_a_run_killed_between_its_last_state_and_its_weights(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How, ema: float
) -> None:
    how, stage_options = replace(how, ema=ema), StageOptions(unfreeze=0, head_epochs=4)
    list(run(base, data, tmp_path / "whole", how, stage_options))
    for event in run(base, data, tmp_path / "killed", how, stage_options):
        if isinstance(event, Finished):
            break
    (tmp_path / "killed" / "head" / "base.weights").unlink()
    list(run(base, data, tmp_path / "killed", how, stage_options, resume=True))
    found = (tmp_path / "killed" / "base.weights").read_bytes()
    assert found == (tmp_path / "whole" / "base.weights").read_bytes()


def test_stopping_while_features_grow(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = computed_rows(monkeypatch)
    # asked after each batch of views: the third time is in the midst of them
    asked = iter([False, False, True])
    stopping = replace(how, views=20, stop=lambda: next(asked))
    events = list(run(base, data, tmp_path / "out", stopping))
    assert [type(event) for event in events] == [Began, Cached, Cached, Cached, Finished]
    assert sum(rows) == 2 * 20
    list(run(base, data, tmp_path / "out", replace(how, views=20), resume=True))
    whole = [*rows]
    rows.clear()
    list(run(base, data, tmp_path / "whole", replace(how, views=20, cache=tmp_path / "other")))
    assert sum(whole) == sum(rows)


def test_patience_keeps_the_best(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    stage_options = StageOptions(unfreeze=0, head_epochs=100, head_rate=1.0)
    how = replace(how, patience=2)
    events = list(run(base, data, tmp_path / "out", how, stage_options))
    assert Finished("patience") in events
    *_, best = (event for event in events if isinstance(event, Validated) and event.best)
    assert events.index(Finished("patience")) > events.index(best)
    (ended,) = (event for event in events if isinstance(event, Ended))
    assert ended.found is not None
    assert ended.found["top1"] == best.evaluation.top1
    assert ended.found["loss"] == pytest.approx(best.evaluation.loss, rel=1e-6)


def test_averaged_weights_are_the_outcome(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    stage_options = StageOptions(unfreeze=0, head_epochs=8)
    list(run(base, data, tmp_path / "plain", how, stage_options))
    events = list(run(base, data, tmp_path / "averaged", replace(how, ema=0.9), stage_options))
    one, two = (loaded(tmp_path / name) for name in ("plain", "averaged"))
    last, averaged = (net.layers[HEAD].parameters()[1].value for net in (one, two))
    assert not np.array_equal(last, averaged)
    np.testing.assert_allclose(last, averaged, atol=0.05)
    (ended,) = (event for event in events if isinstance(event, Ended))
    assert ended.found is not None
    assert evaluate(two, data.validation()).loss == pytest.approx(ended.found["loss"], rel=1e-4)


def test_uneven_sets(tmp_path: Path, base: tuple[Path, Path], data: Data, how: How) -> None:
    stage_options = StageOptions(unfreeze=0, head_epochs=4)
    weights = []
    for name, imbalance in (
        ("plain", how),
        ("balanced", replace(how, balance=True)),
        ("weights", replace(how, class_weights=(2.0, 0.5, 0.5))),
    ):
        list(run(base, data, tmp_path / name, imbalance, stage_options))
        weights.append(loaded(tmp_path / name).layers[HEAD].parameters()[0].value)
    assert len({each.tobytes() for each in weights}) == 3
    # the class that counts four times as much is guessed more readily
    assert weights[2][0] > weights[0][0]


def test_without_pictures_to_validate_with(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    events = list(run(base, replace(data, valid=None), tmp_path / "out", how))
    assert [event.found for event in events if isinstance(event, Ended)] == [None] * 3
    assert isinstance(events[-1], Kept)
    assert events[-1].stage.name == "all"


def test_the_plan_says_what_happens_to_each_layer(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    request = Request(
        str(base[1]),
        tmp_path / "out",
        StageOptions(unfreeze=1, all=True, layer_decay=0.5, rate=0.02),
        reinit=(3,),
        net_keys=(("mixup", 0.2),),
        loss_keys=(("smooth", 0.1),),
    )
    prepared = prepare(open_net(base[0]), request, data, how)
    assert [line.split() for line in prepared.plan] == [
        ["layer", "weights", "head", "all"],
        ["0", "convolutional", "copied", "frozen", "0.0025"],
        ["1", "convolutional", "copied", "frozen", "0.005"],
        ["3", "convolutional", "re-initialised", "0.003", "0.01"],
        ["4", "convolutional", "new", "0.003", "0.02"],
    ]
    net = open_net(tmp_path / "out" / "base_all.cfg")
    assert net.settings.augmentation.mixup == 0.2
    assert [layer.smooth for layer in net.layers[-2:]] == [0.1, 0.1]
    assert json.loads((tmp_path / "out" / "finetune.json").read_text())["inputs"]["views"] == 3


def test_a_stage_that_diverges_leaves_the_one_before(
    tmp_path: Path, base: tuple[Path, Path], data: Data, how: How
) -> None:
    events: list[FinetuneEvent] = []
    stage_options = StageOptions(unfreeze=1, head_epochs=2, epochs=4, batch=8, rate=1e30)
    with pytest.raises(TrainingError, match="no number"):
        events.extend(run(base, data, tmp_path / "out", how, stage_options))
    assert loaded(tmp_path / "out").values_are_finite()
    head, kept = (tmp_path / "out" / f"base{suffix}.weights" for suffix in ("_head", ""))
    assert head.read_bytes() == kept.read_bytes()
