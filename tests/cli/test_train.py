from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from darknet_py.network.state_file import reading_state
from tests.cli.conftest import Run
from tests.support.shapes import CFG, draw_shapes


class Task(NamedTuple):
    data: Path
    cfg: Path
    backup: Path

    @property
    def words(self) -> tuple[object, ...]:
        return (self.data, self.cfg, "--backup", self.backup)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shapes(tmp_path_factory.mktemp("data") / "shapes", 40)


@pytest.fixture
def task(shapes: Path, tmp_path: Path) -> Task:
    cfg = tmp_path / "shapes.cfg"
    cfg.write_text(CFG)
    return Task(shapes, cfg, tmp_path / "backup")


def test_trains_a_folder_and_says_so_in_the_c_programs_words(darknet: Run, task: Task) -> None:
    code, out, err = darknet("train", *task.words, "--max-iter", 12, "--valid-every", 6)
    assert code == 0
    lines = out.splitlines()
    number = r"-?\d+\.\d{6}"
    pattern = (
        rf"(\d+), \d+\.\d{{3}}: {number}, {number} avg, {number} rate, {number} seconds, "
        r"(\d+) images"
    )
    found = [re.fullmatch(pattern, line) for line in lines]
    assert all(found)
    assert [(m[1], m[2]) for m in found if m] == [(str(b), str(12 * b)) for b in range(1, 13)]
    assert "3 classes, 108 pictures to train on, 12 to validate with" in err
    assert re.search(r"circle +36 +4\n", err)
    assert len(re.findall(r"batch (6|12): validation: top-1", err)) == 2
    assert re.search(r"seconds?, \d+\.\d % of them waiting for pictures", err)
    written = {path.name for path in task.backup.iterdir()}
    assert {"shapes.weights", "shapes.backup", "shapes.state", "metrics.csv", "chart.png"} < written
    with Image.open(task.backup / "chart.png") as chart:
        assert chart.size[0] == 1000
        assert len(np.unique(np.asarray(chart).reshape(-1, 3), axis=0)) > 10


def test_the_whole_way_of_a_data_file(darknet: Run, task: Task, tmp_path: Path) -> None:
    folder = task.data.parent
    paths = sorted(task.data.glob("*/*.png"))
    (tmp_path / "train.list").write_text("".join(f"{p}\r\n" for p in paths if p.stem != "7"))
    (tmp_path / "valid.list").write_text("".join(f"{p}\n" for p in paths if p.stem == "7"))
    (tmp_path / "shapes.names").write_text("circle\ncross\nsquare\n")
    data = tmp_path / "shapes.data"
    data.write_text(
        f"classes=3\ntrain={tmp_path}/train.list\nvalid={tmp_path}/valid.list\n"
        f"labels={tmp_path}/shapes.names\nbackup={task.backup}\ntop=2\n"
    )
    assert folder.exists()
    code, _, err = darknet("classifier", "train", data, task.cfg)
    assert code == 0, err
    weights = task.backup / "shapes.weights"
    code, out, _ = darknet("classifier", "valid", "--json", data, task.cfg, weights)
    document = json.loads(out)
    assert (code, document["pictures"], document["top"]) == (0, 3, 2)
    assert document["top1"] == 1
    code, out, _ = darknet(
        "classifier", "predict", "-q", "-t", 1, data, task.cfg, weights, task.data / "cross/7.png"
    )
    assert out.splitlines()[1].startswith("cross: ")


def test_the_whole_way_of_caffes_lists(darknet: Run, task: Task, tmp_path: Path) -> None:
    paths = sorted(task.data.glob("*/*.png"))
    number = {"circle": 2, "cross": 0, "square": 1}
    lines = {path: f"{path} {number[path.parent.name]}\r\n" for path in paths}
    train, valid = tmp_path / "train.txt", tmp_path / "val.txt"
    train.write_text("".join(line for path, line in lines.items() if path.stem != "7"))
    valid.write_text("".join(line for path, line in lines.items() if path.stem == "7"))
    code, _, err = darknet("train", tmp_path, *task.words[1:])
    assert code == 0, err
    assert "3 classes, 117 pictures to train on, 3 to validate with" in err
    assert re.search(r"  cross +39 +1\n  square +39 +1\n  circle +39 +1\n", err)
    where = task.cfg, task.backup / "shapes.weights"
    for data in (tmp_path, train):
        code, out, _ = darknet("classifier", "valid", "--json", data, *where)
        assert (code, json.loads(out)["pictures"], json.loads(out)["top1"]) == (0, 3, 1)
    code, out, _ = darknet("classifier", "valid", "--json", valid, *where)
    assert (code, json.loads(out)["classes"]) == (0, ["cross", "square", "circle"])
    assert darknet("classifier", "check", tmp_path, task.cfg).code == 0
    assert darknet("classifier", "show", train, task.cfg, "-o", tmp_path / "sheet.png").code == 0


def test_valid_prints_and_writes_what_it_found(darknet: Run, task: Task, tmp_path: Path) -> None:
    darknet("train", *task.words)
    table, picture = tmp_path / "c.csv", tmp_path / "c.png"
    where = (task.data, task.cfg, task.backup / "shapes.weights")
    options = ("--confusion", table, "--confusion", picture, "--share", 0.1)
    code, out, _ = darknet("classifier", "valid", "-q", *where, *options)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["class", "pictures", "right", "precision", "recall", "F1"]
    assert [line.split()[0] for line in lines[1:4]] == ["circle", "cross", "square"]
    assert re.fullmatch(
        r"12 pictures: top-1 [01]\.\d{4}, top-2 [01]\.\d{4}, loss \d\.\d{4}", lines[4]
    )
    with table.open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][1:] == ["circle", "cross", "square"]
    assert sum(int(cell) for row in rows[1:] for cell in row[1:]) == 12
    with Image.open(picture) as drawn:
        assert min(drawn.size) > 100
    code, out, _ = darknet(
        "classifier", "valid", "-q", "--json", "--views", 10, *where, "--share", 0.1
    )
    assert (code, json.loads(out)["pictures"]) == (0, 12)


def test_train_without_a_cfg(darknet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw_shapes(Path("photos"), 12)
    code, _, err = darknet("train", "photos", "--epochs", 1, "--workers", 1)
    assert code == 0
    assert "cfg/cifar_res.cfg was chosen, by the sizes of the pictures\n" in err
    assert "has 10 outputs: layer 11 gets 3 for the classes" in err
    cfg = Path("backup/cifar_res.cfg").read_text()
    assert "filters=3\n" in cfg
    assert "max_batches=5\n" in cfg
    for words in (("classify",), ("classifier", "predict", "backup/cifar_res.data")):
        code, out, _ = darknet(
            *words, "backup/cifar_res.cfg", "backup/cifar_res.weights", "photos/cross/1.png"
        )
        assert code == 0
        names = {line.split(":")[0] for line in out.splitlines()[1:]}
        assert names <= {"circle", "cross", "square"}
    # goes on with what is there; another length is said
    code, _, err = darknet("train", "photos", "--resume", "--epochs", 2)
    assert code == 0
    assert "the run began with max_batches=5, and goes on with max_batches=9" in err
    assert "was chosen" not in err
    assert darknet("train", "photos", "--backup", "nothing", "--resume").code == 1


def test_weights_of_other_classes_begin_a_training(
    darknet: Run, task: Task, tmp_path: Path
) -> None:
    darknet("train", *task.words, "--max-iter", 2)
    draw_shapes(tmp_path / "more", 12)
    (tmp_path / "more/cross").rename(tmp_path / "more/star")
    shutil.copytree(tmp_path / "more/circle", tmp_path / "more/another")
    weights = task.backup / "shapes.weights"
    words = ("train", tmp_path / "more", task.cfg, weights, "--backup", tmp_path / "b")
    code, out, err = darknet(*words, "--max-iter", 2)
    assert code == 0, err
    assert "has 3 outputs: layer 3 gets 4 for the classes" in err
    assert len(out.splitlines()) == 2


def test_check_says_what_stands_in_the_way(darknet: Run, task: Task, tmp_path: Path) -> None:
    code, out, err = darknet("classifier", "check", task.data, task.cfg)
    assert (code, err) == (0, "")
    assert "3 classes, 108 pictures to train on" in out
    assert re.search(r"memory: about \d+ MB", out)
    task.cfg.write_text(CFG.replace("filters=3", "filters=4"))
    code, out, err = darknet("classifier", "check", task.data, task.cfg)
    assert (code, err) == (0, "")
    assert f"{task.cfg}: has 4 outputs: layer 3 gets 3 for the classes\n" in out
    task.cfg.write_text(CFG.replace("[softmax]", "[region]\nnum=1\nclasses=1\n"))
    code, out, err = darknet("train", *task.words)
    assert (code, out) == (1, "")
    assert not task.backup.exists()
    code, _, err = darknet("classifier", "check", tmp_path / "nowhere")
    assert code == 1
    assert err.count("\n") == 1


def test_show_draws_a_batch(darknet: Run, task: Task, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    code, out, _ = darknet("classifier", "show", task.data, task.cfg, "-o", sheet)
    assert (code, out) == (0, f"{sheet}: 12 pictures of batch 0\n")
    with Image.open(sheet) as drawn:
        first = np.asarray(drawn)
    darknet("classifier", "show", task.data, task.cfg, "-o", sheet, "--number", 3, "--overwrite")
    with Image.open(sheet) as drawn:
        assert not np.array_equal(np.asarray(drawn), first)


def test_plot_compares_runs(darknet: Run, task: Task, tmp_path: Path) -> None:
    darknet("train", *task.words, "--max-iter", 6)
    darknet("train", *task.words[:2], "--backup", tmp_path / "other", "--max-iter", 9)
    picture = tmp_path / "both.png"
    code, out, _ = darknet("plot", task.backup, tmp_path / "other/metrics.csv", "-o", picture)
    assert (code, out) == (0, f"{picture}\n")
    plain = picture.read_bytes()
    darknet(
        "plot", task.backup, tmp_path / "other", "--smoothing", "0", "-o", picture, "--overwrite"
    )
    assert picture.read_bytes() != plain
    assert darknet("plot", task.backup, "--smoothing", "1").code == 2
    code, _, err = darknet("plot", task.cfg)
    assert code == 1
    assert err == f"darknet: {task.cfg}: is no metrics.csv of a training\n"


def test_resume_and_clear(darknet: Run, task: Task, tmp_path: Path) -> None:
    darknet("train", *task.words)
    expected = (task.backup / "shapes.weights").read_bytes()
    other = ("--backup", tmp_path / "other")
    darknet("train", *task.words[:2], *other, "--max-iter", 10)
    code, out, _ = darknet("train", *task.words[:2], *other, "--resume")
    assert code == 0
    assert out.startswith("11, ")
    assert (tmp_path / "other/shapes.weights").read_bytes() == expected
    with (tmp_path / "other/metrics.csv").open() as table:
        assert [int(row["batch"]) for row in csv.DictReader(table)] == list(range(1, 101))

    weights = task.backup / "shapes.weights"
    code, _, err = darknet("train", *task.words, "-q", "--overwrite", weights)
    assert code == 1
    assert "seen is already past max_batches" in err
    words = (*task.words[:2], *other, weights, "-clear", "--overwrite", "--max-iter", 3)
    code, out, _ = darknet("train", *words)
    assert (code, out[:2]) == (0, "1,")
    code, _, err = darknet("train", *task.words, "-q", "--state", weights)
    assert code == 1
    assert "is no training state" in err
    assert darknet("train", *task.words, weights, "--resume").code == 2


def _start(task: Task, *more: str) -> subprocess.Popen[bytes]:
    """Unbuffered: what is read ahead of a line, communicate does not give."""
    command = [sys.executable, "-m", "darknet_py", "train", *map(str, task.words), *more]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, bufsize=0, cwd=Path.cwd())


def test_ctrl_c_saves_and_ends_with_130(task: Task) -> None:
    task.cfg.write_text(CFG.replace("max_batches=100", "max_batches=100000"))
    process = _start(task)
    assert process.stdout
    assert process.stdout.readline().startswith(b"1, ")
    process.send_signal(signal.SIGINT)
    out, err = (each.decode() for each in process.communicate(timeout=60))
    assert process.returncode == 130
    assert "Traceback" not in err
    last = int(out.splitlines()[-1].split(",")[0]) if out else 1
    with (task.backup / "metrics.csv").open() as table:
        assert int(list(csv.DictReader(table))[-1]["batch"]) == last
    header = (task.backup / "shapes.backup").read_bytes()[:20]
    assert int.from_bytes(header[12:20], "little") == 12 * last


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_run_loses_nothing(darknet: Run, task: Task, tmp_path: Path) -> None:
    # long enough for states at batches 100 and 200, and not to be over when it is killed
    task.cfg.write_text(CFG.replace("max_batches=100", "max_batches=300"))
    darknet("train", *task.words)
    expected = (task.backup / "shapes.weights").read_bytes()
    killed = Task(task.data, task.cfg, tmp_path / "killed")
    rng = np.random.default_rng(0)
    for _ in range(3):
        begun = (killed.backup / "shapes.state").exists()
        process = _start(killed, *(["--resume"] if begun else []))
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.6))
        process.kill()
        process.communicate()
    code, _, err = darknet("train", *killed.words, "--resume")
    assert code == 0, err
    assert (killed.backup / "shapes.weights").read_bytes() == expected


LINE = re.compile(r"(\d+), \S+: (\S+), \S+ avg, \S+ rate, (\S+) seconds, (\d+) images")


def test_display_is_the_mean_of_the_batches_since(
    darknet: Run, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = darknet("train", *task.words, "--max-iter", 11, "--display", 5)
    assert code == 0
    lines = [LINE.fullmatch(line) for line in out.splitlines()]
    with (task.backup / "metrics.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [line and (line[1], line[4]) for line in lines] == [("5", "60"), ("10", "120")]
    for line, first in zip(lines, (0, 5), strict=True):
        assert line
        for number, column in ((2, "loss"), (3, "seconds")):
            figures = [float(row[column]) for row in rows[first : first + 5]]
            figure = sum(figures) / 5 if column == "loss" else sum(figures)
            assert float(line[number]) == pytest.approx(figure, abs=4e-6)  # five roundings and one
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("darknet_py.cli.progress.INTERVAL", 0)
    _, out, err = darknet("train", *task.words, "--overwrite", "--max-iter", 11, "--display", 5)
    assert len(out.splitlines()) == 2
    assert "\r\x1b[2Kbatch 11/11  |" in err


def test_snapshots_are_gone_on_from(darknet: Run, task: Task) -> None:
    words = (*task.words, "--max-iter", 12, "--snapshot", 4)
    darknet("train", *words)
    expected = (task.backup / "shapes.weights").read_bytes()
    kept = sorted(path.name for path in task.backup.glob("*_iter_*"))
    assert kept == sorted(
        f"shapes_iter_{n}.{kind}" for n in (4, 8, 12) for kind in ("state", "weights")
    )
    (task.backup / "shapes.weights").unlink()
    code, out, _ = darknet("train", *words, "--state", task.backup / "shapes_iter_4.state")
    assert (code, out[:3]) == (0, "5, ")
    assert (task.backup / "shapes.weights").read_bytes() == expected
    assert (task.backup / "shapes_iter_12.weights").read_bytes() == expected


def test_what_plateau_decides_is_said(darknet: Run, task: Task) -> None:
    keys = "policy=plateau\nplateau_window=10"
    text = CFG.replace("policy=poly", keys).replace("learning_rate=0.01", "learning_rate=5")
    task.cfg.write_text(text.replace("optimizer=adam", "optimizer=sgd"))
    code, _, err = darknet("train", *task.words, "--max-iter", 30)
    assert code == 0
    first = (
        r"batch \d+: the loss (is no number|climbs \(mean \S+\)): back to the weights of batch 0, "
    )
    assert re.search(first + "rate 1\n", err)
    assert re.search(r"(?s)rate 1\n.*batch \d+: the loss climbs \(mean \S+\): .* rate 0.2\n", err)


def test_a_progress_line_on_a_terminal(
    darknet: Run, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("darknet_py.cli.progress.INTERVAL", 0)
    monkeypatch.setenv("COLUMNS", "140")
    code, out, err = darknet("train", *task.words, "--max-iter", 5)
    assert (code, out) == (0, "")
    figures = r"loss [\d.]+, average [\d.]+, epoch 0.56, (\d+) images/s, rate [\d.]+\s"
    last = re.search(rf"\r\x1b\[2Kbatch 5/5  \|\S+\|  00:00 left, {figures}", err)
    assert last
    assert int(last[1]) > 0


def test_what_train_mnist_trained_reads_a_digit(darknet: Run) -> None:
    network = "cfg/mnist.cfg", "data/mnist.weights"
    code, out, _ = darknet("classify", "-q", "-t", 1, *network, "data/digits/3.png")
    assert code == 0
    assert out.splitlines()[1].startswith("3: 0.9")


def test_options_for_uneven_sets(darknet: Run, task: Task, tmp_path: Path) -> None:
    weights = tmp_path / "classes.txt"
    weights.write_text("1\n1\n4\n")
    words = (*task.words, "--max-iter", 3)
    how = ("--balance", "--class-weights", weights, "--ema", "0.9")
    shown = "weights of the classes:\n  circle      0.5\n  cross       0.5\n  square        2\n"
    code, _, err = darknet("train", *words, *how)
    assert code == 0
    assert shown in err
    with reading_state(task.backup / "shapes.state") as state:
        header = state.header
    assert header["average"] == {"decay": 0.9, "steps": 3}
    assert header["notes"]["balance"] is True
    assert header["notes"]["class_weights"] == [0.5, 0.5, 2.0]
    # asked again in the same words, or not at all
    for batches, more in ((4, ()), (5, how)):
        code, out, err = darknet("train", *task.words, "--max-iter", batches, "--resume", *more)
        assert (code, out.count("\n")) == (0, 1), err
        assert shown in err
    code, _, err = darknet("train", *task.words, "--max-iter", 9, "--resume", "--ema", "0.99")
    assert (code, err.splitlines()[-1]) == (
        1,
        f"darknet: {task.backup}/shapes.state: was begun with another --ema than this: leave it "
        "out, or begin anew",
    )


def test_class_weights_that_cannot_be(darknet: Run, task: Task, tmp_path: Path) -> None:
    code, _, err = darknet("train", *task.words, "--class-weights", tmp_path / "none")
    assert (code, err.splitlines()[-1]) == (1, f"darknet: {tmp_path}/none: no such file")
    code, _, err = darknet("train", *task.words, "--balance", "--class-weights", "balanced")
    assert code == 2
    assert "do the same: give one" in err
    assert not task.backup.exists()


def test_reinit_draws_layers_again(darknet: Run, task: Task) -> None:
    darknet("train", *task.words, "--max-iter", 2)
    weights = task.backup / "shapes.weights"
    began = weights.rename(task.backup.parent / "began.weights")
    task.cfg.write_text(CFG.replace("learning_rate=0.01", "learning_rate=0"))
    words = ("train", *task.words, began, "-clear", "--overwrite", "--max-iter", 1, "--seed", 3)
    assert darknet(*words).code == 0
    assert weights.read_bytes()[20:] == began.read_bytes()[20:]
    assert darknet(*words, "--reinit", "last").code == 0
    found = np.frombuffer(weights.read_bytes()[20:], "<f4")
    before = np.frombuffer(began.read_bytes()[20:], "<f4")
    last = 3 + 3 * 3 * 3 * 16
    np.testing.assert_array_equal(found[:-last], before[:-last])
    assert not found[-last : 3 - last].any()
    assert not (found[3 - last :] == before[3 - last :]).any()


def test_reinit_that_cannot_be(darknet: Run, task: Task) -> None:
    darknet("train", *task.words, "--max-iter", 1)
    weights = task.backup / "shapes.weights"
    code, _, err = darknet("train", *task.words, "--overwrite", weights, "-clear", "--reinit", "2")
    assert code == 1
    assert err.splitlines()[-1] == (
        "darknet: --reinit 2: layer 2 [dropout] has no weights: those that have are 0, 1, 3"
    )
    assert darknet("train", *task.words, "--reinit", "1").code == 2
    assert darknet("train", *task.words, weights, "--reinit", "first").code == 2
    assert darknet("train", *task.words, "--resume", "--reinit", "1").code == 2


def test_a_picture_cut_short_is_left_out_and_named_though_it_be_quiet(
    darknet: Run, tmp_path: Path
) -> None:
    data = draw_shapes(tmp_path / "shapes", 8)
    bad = data / "cross" / "3.png"
    bad.write_bytes(bad.read_bytes()[:-40])
    cfg = tmp_path / "s.cfg"
    cfg.write_text(CFG)
    words = (data, cfg, "--max-iter", 2, "--backup", tmp_path / "b", "-q")
    code, _, err = darknet("train", *words)
    assert code == 0
    assert "1 picture cannot be read and is left out:\n" in err
    assert f"  {bad}: is damaged or cut short" in err
    code, out, _ = darknet("classifier", "check", data)
    assert (code, "1 picture cannot be read" in out) == (0, True)
    code, out, _ = darknet("classifier", "check", data, "--headers")
    assert (code, "cannot be read" in out) == (0, False)
    code, out, err = darknet(
        "classifier", "valid", data, cfg, tmp_path / "b" / "s.weights", "-q", "--json"
    )
    assert (code, json.loads(out)["pictures"]) == (0, 23)
    assert f"left out: {bad}: is damaged or cut short" in err
    sheet = ("-o", tmp_path / "a.png", "--share", 0)
    code, _, err = darknet("classifier", "show", data, cfg, *sheet, "--number", 1)
    code_before, _, err_before = darknet("classifier", "show", data, cfg, *sheet, "--overwrite")
    assert (code, code_before) == (0, 0)
    assert f"left out: {bad}" in err + err_before


@pytest.mark.parametrize("command", ["train", "finetune", "lr-find", "classifier check"])
def test_one_class_alone_is_refused_in_one_line(darknet: Run, tmp_path: Path, command: str) -> None:
    data = draw_shapes(tmp_path / "shapes", 3)
    for name in ("circle", "square"):
        (data / name / "0.png").parent.rename(tmp_path / name)
    cfg, weights = tmp_path / "s.cfg", tmp_path / "s.weights"
    cfg.write_text(CFG)
    more = [weights, "-o", tmp_path / "o"] if command == "finetune" else []
    code, _, err = darknet(*command.split(), data, cfg, *more)
    assert code == 1
    lines = [line for line in err.splitlines() if line.startswith("darknet: ")]
    assert lines == [
        f"darknet: {data}: has pictures to train on of one class only, 'cross': a classifier tells "
        "two or more apart: expected a folder of pictures for each class, one beside the other"
    ]


def test_a_network_of_no_numbers_is_not_evaluated(darknet: Run, task: Task, tmp_path: Path) -> None:
    darknet("train", *task.words, "--max-iter", 1)
    weights = tmp_path / "huge.weights"  # finite, as others are refused when they are read
    raw = bytearray((task.backup / "shapes.weights").read_bytes())
    raw[20:] = np.full((len(raw) - 20) // 4, 3e38, "<f4").tobytes()
    weights.write_bytes(raw)
    for options in ([], ["--json"]):
        code, out, err = darknet(
            "classifier", "valid", task.data, task.cfg, weights, "-q", *options
        )
        assert (code, out) == (1, "")
        assert "of 120 of 120 pictures the outputs are no numbers" in err.splitlines()[-1]
    words = (task.cfg, weights, next(task.data.glob("*/1.png")), "--valid", task.data, "-q")
    code, _, err = darknet("report", *words, "-o", tmp_path / "r.html")
    assert code == 1
    assert "of 120 of 120 pictures the outputs are no numbers" in err.splitlines()[-1]
    assert not (tmp_path / "r.html").exists()


def test_only_what_means_something_is_printed(darknet: Run, task: Task, tmp_path: Path) -> None:
    darknet("train", *task.words, "--max-iter", 1)
    (tmp_path / "shapes.names").write_text("circle\ncross\nsquare\n")
    one = tmp_path / "one"
    (one / "cross").mkdir(parents=True)
    (one / "cross" / "0.png").symlink_to(task.data / "cross" / "0.png")
    code, out, err = darknet(
        "classifier", "valid", one, task.cfg, task.backup / "shapes.weights", "-q", "-t", 3
    )
    assert code == 0, err
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["class", "cross"]
    assert lines[2] == "2 classes without pictures"
    assert re.fullmatch(r"1 picture: top-1 [01]\.0000, loss \d+\.\d{4}", lines[3])


def test_a_run_goes_on_bit_for_bit_though_a_picture_is_cut_short(
    darknet: Run, tmp_path: Path
) -> None:
    """Before it began, and before it goes on: the others keep their turns."""
    data = draw_shapes(tmp_path / "shapes", 8)
    cfg = tmp_path / "s.cfg"
    cfg.write_text(CFG)

    def train(backup: str, *options: object) -> bytes:
        darknet("train", data, cfg, "--backup", tmp_path / backup, "-q", *options)
        return (tmp_path / backup / "s.weights").read_bytes()

    def cut(name: str) -> None:
        (data / name).write_bytes((data / name).read_bytes()[:-40])

    cut("cross/3.png")
    whole = train("a", "--max-iter", 9)
    train("b", "--max-iter", 4)
    assert train("b", "--max-iter", 9, "--resume") == whole
    train("c", "--max-iter", 4)
    cut("circle/5.png")
    shutil.copytree(tmp_path / "c", tmp_path / "d")
    at_once = train("c", "--max-iter", 9, "--resume")
    train("d", "--max-iter", 6, "--resume")
    assert train("d", "--max-iter", 9, "--resume") == at_once != whole


@pytest.mark.parametrize(
    "words",
    [
        ("train", "ds", "n.cfg"),
        ("finetune", "ds", "n.cfg", "n.weights"),
        ("classifier", "valid", "ds", "n.cfg", "n.weights"),
        ("filters", "n.cfg", "n.weights"),
    ],
    ids=lambda words: words[0],
)
def test_seeds_are_no_negative_numbers(darknet: Run, words: tuple[str, ...]) -> None:
    code, _, err = darknet(*words, "--seed", -1)
    assert (code, "'--seed': -1 is not in the range x>=0" in err) == (2, True), err
