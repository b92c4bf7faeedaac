"""darknet_py.train and darknet_py.finetune do what the commands of these names do."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import darknet_py
from darknet_py.errors import DarknetError
from darknet_py.network import load_network
from darknet_py.tasks.events import Finished, Trained, Validated
from darknet_py.tasks.keywords import DreamKeywords, FinetuneKeywords, TrainKeywords
from darknet_py.tasks.training import Note
from tests.cli.conftest import Run
from tests.cli.conftest import darknet as darknet
from tests.support.shapes import CFG, SHAPES, draw_shapes

TASKS: list[Callable[..., Any]] = [darknet_py.train, darknet_py.finetune]


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shapes(tmp_path_factory.mktemp("data") / "shapes", 20)


@pytest.fixture
def cfg(tmp_path: Path) -> Path:
    path = tmp_path / "shapes.cfg"
    path.write_text(CFG)
    return path


def same_files(one: Path, other: Path, *names: str) -> None:
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_train_is_the_command(darknet: Run, shapes: Path, cfg: Path, tmp_path: Path) -> None:
    """The same weights, names and cfg, byte for byte, the same table, and the events meanwhile."""
    words = ("--max-iter", 8, "--valid-every", 4, "--lr", 0.02, "--seed", 3, "--balance")
    done = darknet("train", shapes, cfg, "--backup", tmp_path / "a", *words, "--device", "cpu")
    assert done.code == 0, done.err
    events: list[Any] = []
    found = darknet_py.train(
        shapes,
        cfg,
        backup=tmp_path / "b",
        max_iter=8,
        valid_every=4,
        lr=0.02,
        seed=3,
        balance=True,
        device="cpu",
        progress=events.append,
    )
    names = ("shapes.weights", "shapes_best.weights", "shapes.cfg", "shapes.names")
    same_files(tmp_path / "a", tmp_path / "b", *names)
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        path.name for path in (tmp_path / "b").iterdir()
    }
    assert len((tmp_path / "b" / "metrics.csv").read_text().splitlines()) == 9
    assert [event.batch for event in events if isinstance(event, Trained)] == [*range(1, 9)]
    validated = [event for event in events if isinstance(event, Validated)]
    assert [event.batch for event in validated] == [4, 8]
    assert any(isinstance(event, Note) and "learning_rate=0.02" in event.text for event in events)
    assert isinstance(events[-1], Finished)
    assert (found.reason, found.batch, found.names) == ("done", 8, SHAPES)
    assert found.best == max(event.evaluation.top1 for event in validated)
    assert found.weights == tmp_path / "b" / "shapes_best.weights"
    x = np.random.default_rng(0).random((2, 1, 16, 16), np.float32)
    loaded = load_network(found.cfg, found.weights, "cpu")
    np.testing.assert_array_equal(found.net.predict(x), loaded.predict(x))


def test_a_training_that_is_stopped_goes_on(
    darknet: Run, shapes: Path, cfg: Path, tmp_path: Path
) -> None:
    """From the function with the command, to the weights of one that was not."""
    batches: list[int] = []

    def note(event: object) -> None:
        if isinstance(event, Trained):
            batches.append(event.batch)

    def stop() -> bool:
        return len(batches) == 3

    how: dict[str, Any] = {"max_iter": 6, "device": "cpu", "share": 0.2}
    whole = darknet_py.train(shapes, cfg, backup=tmp_path / "whole", **how)
    found = darknet_py.train(
        shapes, cfg, backup=tmp_path / "parts", progress=note, stop=stop, **how
    )
    assert (found.reason, found.batch) == ("stopped", 3)
    assert found.weights.exists()
    words = ("--backup", tmp_path / "parts", "--max-iter", 6, "--resume", "--device", "cpu")
    assert darknet("train", shapes, cfg, *words).code == 0
    same_files(tmp_path / "whole", tmp_path / "parts", "shapes.weights")
    assert whole.batch == 6


def test_what_the_command_refuses_the_function_does(
    shapes: Path, cfg: Path, tmp_path: Path
) -> None:
    """Before anything is changed."""
    with pytest.raises(DarknetError, match=r"lies in .*, among the pictures"):
        darknet_py.train(shapes, cfg, backup=shapes / "circle")
    one = draw_shapes(tmp_path / "one", 2)
    for name in SHAPES[1:]:
        for path in (one / name).iterdir():
            path.unlink()
    with pytest.raises(DarknetError, match="of one class only, 'circle'"):
        darknet_py.train(one, cfg, backup=tmp_path / "b", device="cpu")
    assert not (tmp_path / "b").exists()
    darknet_py.train(shapes, cfg, backup=tmp_path / "b", device="cpu", max_iter=1)
    before = {path: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    with pytest.raises(DarknetError, match="holds a training of shapes"):
        darknet_py.train(shapes, cfg, backup=tmp_path / "b", device="cpu", max_iter=1)
    assert {path: path.read_bytes() for path in (tmp_path / "b").iterdir()} == before


def test_finetune_is_the_command(darknet: Run, shapes: Path, cfg: Path, tmp_path: Path) -> None:
    net = load_network(cfg, device="cpu")
    net.save_weights(tmp_path / "start.weights")
    mine = shapes, cfg, tmp_path / "start.weights"
    words = ("--head-epochs", 3, "--epochs", 2, "--unfreeze", 1, "--batch", 8, "--device", "cpu")
    done = darknet("finetune", *mine, "-o", tmp_path / "a", *words)
    assert done.code == 0, done.err
    events: list[Any] = []
    found = darknet_py.finetune(
        *mine,
        output=tmp_path / "b",
        head_epochs=3,
        epochs=2,
        unfreeze=1,
        batch=8,
        device="cpu",
        progress=events.append,
    )
    same_files(tmp_path / "a", tmp_path / "b", "shapes.weights", "shapes.cfg", "shapes.names")
    assert (found.weights, found.cfg) == (
        tmp_path / "b" / "shapes.weights",
        tmp_path / "b" / "shapes.cfg",
    )
    ours = {path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.csv")}
    assert ours == {path.relative_to(tmp_path / "b") for path in (tmp_path / "b").rglob("*.csv")}
    assert len(ours) == 2
    assert found.names == SHAPES
    assert found.best is not None
    assert f"{found.weights.name} ({found.stage})" in done.out
    assert any(isinstance(event, Trained) for event in events)
    x = np.random.default_rng(0).random((2, 1, 16, 16), np.float32)
    loaded = load_network(found.cfg, found.weights, "cpu")
    np.testing.assert_array_equal(found.net.predict(x), loaded.predict(x))


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"epoch": 3}, TypeError, r"\(\) has no keyword 'epoch': did you mean epochs\?"),
    ({"progres": print}, TypeError, "did you mean progress"),
    ({"epochs": "3"}, TypeError, r"epochs: expected a (whole )?number, found '3' \(str\)"),
    ({"epochs": True}, TypeError, "epochs: expected a (whole )?number, found True"),
    ({"batch": 1.5}, TypeError, r"batch: expected a whole number, found 1.5 \(float\)"),
    ({"batch": 0}, ValueError, "batch=0: expected [12] or more"),
    ({"lr": 0}, ValueError, "lr=0: expected above 0"),
    ({"lr": float("nan")}, ValueError, "lr=nan: expected above 0"),
    ({"share": 1}, ValueError, "share=1: expected 0 or more and at most 0.9"),
    ({"labels": "some"}, ValueError, "labels=some: expected one of exact, substring"),
    ({"resume": 1}, TypeError, r"resume: expected True or False, found 1 \(int\)"),
    ({"reinit": "first"}, ValueError, "reinit=first: expected numbers and ranges of them"),
    ({"resume": True, "overwrite": True}, ValueError, "begins anew, and --resume goes on"),
    ({"balance": True, "class_weights": "balanced"}, ValueError, "do the same: give one"),
]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("options", "kind", "message"), WRONG)
def test_keywords_that_mean_nothing(
    task: Callable[..., Any],
    options: dict[str, Any],
    kind: type[Exception],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are refused before anything is read."""
    monkeypatch.chdir(tmp_path)
    more = ["none.weights"] if task is darknet_py.finetune else []
    with pytest.raises(kind, match=message):
        task("none", "none.cfg", *more, **options)
    assert not [*tmp_path.iterdir()]


def test_signatures_show_the_options_of_the_commands() -> None:
    """With their defaults; and no command has an option that its function has not, but for those
    that say what is printed and how many threads a process has."""
    from darknet_py.cli import darknet

    for task in TASKS:
        shown = inspect.signature(task).parameters
        command = darknet.commands[task.__name__]
        options = {
            flag.removeprefix("--").replace("-", "_"): option
            for option in command.params
            for flag in option.opts[::-1]
            if flag.startswith("--")
        }
        assert {*options} - {*shown} <= {"display", "threads", "quiet", "help"}
        for name, option in options.items():
            if name in shown:
                assert shown[name].default == option.default, name
                help_text = " ".join(str(option.help).split())
                assert f"- `{name}`: {help_text}" in str(task.__doc__), name


KEYWORDS = [
    (darknet_py.train, TrainKeywords),
    (darknet_py.finetune, FinetuneKeywords),
    (darknet_py.nightmare, DreamKeywords),
]


@pytest.mark.parametrize(("task", "typed"), KEYWORDS)
def test_type_checkers_know_the_same_keywords(task: Callable[..., Any], typed: Any) -> None:
    """And their types, but that a path may be one of pathlib's, and numbers may be several."""
    shown = inspect.signature(task).parameters
    found = inspect.get_annotations(typed)
    own = {name: each.annotation for name, each in shown.items() if name in found}
    assert {*own} == {*found}
    assert {*shown} - {*found} <= {"data", "cfg", "weights", "picture", "layer", "progress", "stop"}
    for name, annotation in own.items():
        if name != "gpus":
            known = found[name].__forward_arg__.replace(" | PathLike[str]", "")
            assert known == annotation, name
