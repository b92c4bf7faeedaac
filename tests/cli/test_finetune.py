from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from darknet_py.tasks.lock import only_process_in
from tests.cli.conftest import Run
from tests.support.shapes import draw_shapes
from tests.tasks.finetune.nets import CFG, write_net

ROOT = Path(__file__).parents[2]


class Task(NamedTuple):
    data: Path
    cfg: Path
    weights: Path
    output: Path

    @property
    def words(self) -> tuple[object, ...]:
        return ("finetune", self.data, self.cfg, self.weights, "-o", self.output)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    data = draw_shapes(tmp_path / "shapes", 10)
    return Task(data, *write_net(tmp_path), tmp_path / "mine")


QUICK = ("--head-epochs", 3, "--views", 2)


def test_what_it_says_and_what_it_writes(darknet: Run, task: Task) -> None:
    code, out, err = darknet(*task.words, *QUICK, "--unfreeze", 1, "--epochs", 2, "--lr", 0.02)
    assert code == 0
    head, last, kept = out.splitlines()
    result = r"validation: top-1 \d+\.\d\d%, loss \d+\.\d{4}"
    assert re.fullmatch(f"head: {result}", head)
    assert re.fullmatch(f"last: {result}", last)
    assert re.fullmatch(r".*mine/base\.weights \((head|last)\)", kept)
    assert re.search(r"^ +0 convolutional +copied +frozen +frozen$", err, re.MULTILINE)
    assert re.search(r"^ +4 convolutional +new +0\.003 +0\.02$", err, re.MULTILINE)
    assert "head: trains from layer 4, on what layer 3 says of the pictures" in err
    assert "features: 27 of 27 pictures" in err
    assert "warning" not in err
    names = {path.name for path in task.output.iterdir()}
    assert {"base.cfg", "base.weights", "base.names", "base.data", "features"} <= names
    assert (task.output / "head" / "chart.png").is_file()


@pytest.mark.parametrize("name", ["base.weights", "head/base.state", "last/metrics.csv", "all"])
@pytest.mark.parametrize("force", [(), ("--overwrite",)])
def test_places_that_are_taken_are_said_before_anything_is_changed(
    darknet: Run, task: Task, name: str, force: tuple[str, ...]
) -> None:
    place = task.output / name
    place.parent.mkdir(parents=True)
    if name == "all":
        place.touch()
    else:
        place.mkdir()
    before = sorted(task.output.rglob("*"))
    code, _, err = darknet(*task.words, *QUICK, "-q", *force)
    assert (code, sorted(task.output.rglob("*"))) == (1, before)
    what = "no folder, and a fine-tuning makes one" if name == "all" else "a folder, and"
    assert f"{place}: is {what}" in err


def test_the_other_commands_take_the_result(
    darknet: Run, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert darknet(*task.words, *QUICK, "-q").code == 0
    monkeypatch.chdir(tmp_path)
    net = ("mine/base.cfg", "mine/base.weights")
    picture = next((task.data / "cross").iterdir())
    classified = darknet("classify", *net, picture, "-q")
    assert classified.code == 0
    words = {line.split(":")[0] for line in classified.out.splitlines()[1:]}
    assert words == {"circle", "cross", "square"}
    valid = darknet("classifier", "valid", "mine/base.data", *net, "-q")
    assert valid.code == 0
    assert "3 pictures: top-1" in valid.out
    dream = ("-iters", 1, "-rounds", 1, "--class", "square", "--from", "noise", "-q")
    assert darknet("nightmare", *net, *dream).code == 0
    trained = darknet("train", "mine/base.data", *net, "--max-iter", 1, "-q")
    assert trained.code == 0, trained.err


def test_caffes_lists(darknet: Run, task: Task, tmp_path: Path) -> None:
    lines = [
        f"{path} {k}"
        for k, c in enumerate(("circle", "cross"))
        for path in (task.data / c).iterdir()
    ]
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_text("\n".join(lines))
    words = ("finetune", tmp_path / "lists", task.cfg, task.weights, "-o", task.output)
    assert darknet(*words, *QUICK, "-q").code == 0
    assert (task.output / "base.names").read_text() == "circle\ncross\n"


def test_weights_of_classes_are_shown(darknet: Run, task: Task, tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("1\n1\n4\n")
    words = (*task.words, *QUICK, "--unfreeze", 0, "--class-weights", tmp_path / "classes.txt")
    for more in ((), ("--resume",)):
        code, _, err = darknet(*words, *more)
        assert code == 0
        shown = "weights of the classes:\n  circle      0.5\n  cross       0.5\n  square        2\n"
        assert shown in err


def test_going_on(darknet: Run, task: Task) -> None:
    words = (*task.words, *QUICK, "-q")
    assert darknet(*words).code == 0
    again = darknet(*words)
    assert (again.code, again.out) == (1, "")
    assert "holds a fine-tuning: go on with it by --resume" in again.err
    assert darknet(*words, "--resume").code == 0
    assert darknet(*words, "--overwrite").code == 0
    assert darknet(*words, "--overwrite", "--resume").code == 2
    other = darknet(*words, "--resume", "--seed", 1)
    assert other.code == 1
    assert "the fine-tuning there began with other " in other.err
    nowhere = darknet("finetune", *words[1:4], "-o", task.output / "x", "--resume")
    assert nowhere.code == 1


def test_going_on_without_a_picture(darknet: Run, task: Task) -> None:
    words = (*task.words, *QUICK, "--unfreeze", 0, "--seed", 2)
    assert darknet(*words, "-q").code == 0
    pictures = (task.output / "train.list").read_text().splitlines()
    Path(pictures[4].rpartition(" ")[0]).unlink()
    # what was drawn stays drawn: the seed need not be said again
    code, _, err = darknet(*words[:-2], "--resume")
    assert code == 0
    assert "warning: gone since the run began, or cannot be read: 1 picture" in err
    assert "so the stages begin again; cached features of all other pictures are kept" in err
    assert "features: 26 of 26 pictures, 26 found" in err
    left = (task.output / "train.list").read_text().splitlines()
    assert left == pictures[:4] + pictures[5:]
    (task.data / "square").rename(task.data / "zebra")
    code, _, err = darknet(*words, "--resume")
    assert code == 1
    assert "was begun with other classes" in err
    assert (task.output / "base.names").read_text() == "circle\ncross\nsquare\n"
    assert darknet(*words, "--overwrite", "-q").code == 0
    assert (task.output / "base.names").read_text() == "circle\ncross\nzebra\n"


def test_one_process_in_a_folder(darknet: Run, task: Task) -> None:
    with only_process_in(task.output):
        found = darknet(*task.words, *QUICK)
    assert found.code == 1
    assert "is training there: wait for it, or choose another folder" in found.err
    assert not task.output.exists()


def test_what_it_is_made_from_is_not_replaced(darknet: Run, task: Task, tmp_path: Path) -> None:
    before = task.weights.read_bytes()
    found = darknet(*task.words[:-1], tmp_path, *QUICK, "--overwrite")
    assert found.code == 1
    assert "would be replaced by the result: choose another -o" in found.err
    assert task.weights.read_bytes() == before


def test_ctrl_c_stops_and_saves(task: Task) -> None:
    words = [str(word) for word in (*task.words, "--views", 1, "--head-epochs", 100)]
    words += ["--all", "--epochs", "10000"]
    command = [sys.executable, "-m", "darknet_py", *words]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("all: trains"):
                os.kill(process.pid, signal.SIGINT)
                break
        rest = process.stderr.read()
        assert process.wait() == 130
    assert "stopping after this batch" in rest
    again = rest.splitlines()[-1].partition(f"stopped: saved in {task.output}; go on with: ")[2]
    said = shlex.split(again)
    assert said[:5] == ["darknet", *words[:4]]
    assert said[-1] == "--resume"
    assert sorted(said[5:-1]) == sorted("--output" if word == "-o" else word for word in words[4:])
    assert (task.output / "all" / "base.state").is_file()
    assert (task.output / "base_head.weights").is_file()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--unfreeze", 1, "--unfreeze-from", 1), 2, "say the same in two ways"),
        (("--cache", "x", "--no-cache"), 2, "give one"),
        (("--unfreeze-from", 9), 1, "there is no layer 9 to train from: expected 0 to 4"),
        (("--reinit", "2"), 1, "layer 2 [maxpool] has no weights"),
        (("--balance", "--class-weights", "balanced"), 2, "do the same"),
        (("--lr", 0), 2, "--lr"),
    ],
)
def test_wrong_options(
    darknet: Run, task: Task, options: tuple[object, ...], code: int, message: str
) -> None:
    found = darknet(*task.words, *options)
    assert found.code == code
    assert message in found.err
    assert not (task.output / "finetune.json").exists()


def test_what_kept_features_cannot_do(darknet: Run, task: Task) -> None:
    code, _, err = darknet(*task.words, *QUICK, "--mixup", 0.2)
    assert code == 0
    assert "warning: --mixup and --cutmix do nothing in stages that train on kept features" in err


def test_a_picture_that_cannot_be_read_is_left_out(darknet: Run, task: Task) -> None:
    (task.data / "circle" / "bad.png").write_bytes(b"bad")
    code, _, err = darknet(*task.words, *QUICK)
    assert code == 0
    assert "1 picture cannot be read and is left out" in err


def test_weights_of_another_network(darknet: Run, task: Task, tmp_path: Path) -> None:
    other = tmp_path / "other.cfg"
    other.write_text(CFG.replace("filters=16", "filters=15"))
    found = darknet("finetune", task.data, other, task.weights, "-o", task.output)
    assert found.code == 1
    assert "base.weights: " in found.err
    assert not task.output.exists()


def test_features_for_other_programs(darknet: Run, task: Task, tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "black.png")
    (tmp_path / "bad.png").write_bytes(b"bad")
    pictures = (tmp_path / "black.png", tmp_path / "bad.png", task.data / "square" / "1.png")
    words = ("features", task.cfg, task.weights, *pictures, "-o", tmp_path / "f.npz", "-q")
    code, out, err = darknet(*words)
    assert code == 1
    assert "bad.png" in err
    assert out == f"{tmp_path / 'f.npz'}: 2 pictures, layer 3, 16 numbers each\n"
    with np.load(tmp_path / "f.npz") as found:
        assert found["paths"].tolist() == [str(pictures[0]), str(pictures[2])]
        means = found["features"]
        assert (means.shape, int(found["layer"]), str(found["kind"])) == (
            (2, 16),
            3,
            "convolutional",
        )
    assert darknet(*words, "--layer", 3, "--overwrite").code == 1
    with np.load(tmp_path / "f.npz") as found:
        assert found["features"].shape == (2, 16, 4, 4)
        np.testing.assert_allclose(found["features"].mean(axis=(2, 3)), means, rtol=1e-5)
    assert "there is no layer 30" in darknet(*words, "--layer", 30, "--overwrite").err


def test_no_picture_that_can_be_read(darknet: Run, task: Task, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"bad")
    words = ("features", task.cfg, task.weights, tmp_path / "bad.png", "-o", tmp_path / "f.npz")
    assert darknet(*words).code == 1
    assert not (tmp_path / "f.npz").exists()


def test_a_folder_is_one_process_at_a_time(darknet: Run, task: Task) -> None:
    with only_process_in(task.output):
        code, out, err = darknet(*task.words, *QUICK)
    assert (code, out, task.output.exists()) == (1, "", False)
    assert f"darknet: {task.output}: this process is training there: wait for it" in err
