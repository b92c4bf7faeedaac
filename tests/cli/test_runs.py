"""A training that stops and goes on, in a folder that others may want: nothing is mixed or lost."""

from __future__ import annotations

import csv
import errno
import os
import shlex
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from darknet_py.tasks.lock import only_process_in
from darknet_py.tasks.metrics import Metrics, MetricsFile
from tests.cli.conftest import Result, Run
from tests.support.noise import CFG, draw_noise

Train = Callable[..., Result]


@pytest.fixture
def train(darknet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """train("--seed", 1) -> darknet train ds n.cfg -q --seed 1, in a folder of the test's own, and
    with no more than the name of a chart, as drawing takes longer than all else."""
    monkeypatch.setattr("darknet_py.tasks.chart.save_chart", lambda path, *_: path.touch())
    draw_noise(tmp_path / "ds")
    (tmp_path / "n.cfg").write_text(CFG)
    monkeypatch.chdir(tmp_path)
    return lambda *words, data="ds", cfg="n.cfg": darknet("train", data, cfg, "-q", *words)


def weights(folder: str, name: str = "n") -> bytes:
    return Path(folder, f"{name}.weights").read_bytes()


def contents(folder: str | Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def batches(table: str) -> list[int]:
    with Path(table).open() as file:
        return [int(row["batch"]) for row in csv.DictReader(file)]


def test_what_is_not_said_again_is_the_states(train: Train) -> None:
    how = ("--seed", 3, "--share", 0.3)
    assert train(*how, "--backup", "whole").code == 0
    assert train(*how, "--backup", "b", "--max-iter", 9).code == 0
    for option, value in (("--seed", 4), ("--share", 0.2), ("--seed", 0)):
        before = contents("b")
        code, _, err = train("--backup", "b", "--resume", option, value)
        assert (code, contents("b")) == (1, before)
        assert err.startswith(f"darknet: b/n.state: was begun with {option} ")
        assert err.endswith(f"not {value}: leave it out, or begin anew\n")
    shutil.copytree("b", "same")
    for folder, more in (("b", ()), ("same", how)):
        assert train("--backup", folder, "--resume", *more).code == 0
        assert weights(folder) == weights("whole")


@pytest.mark.parametrize("way", ["moved", "linked", "lists", "shuffled lists", "data file"])
def test_the_same_pictures_elsewhere_go_on_bit_for_bit(train: Train, way: str) -> None:
    data, cfg = "ds", "n.cfg"
    if way in ("lists", "shuffled lists", "data file"):
        paths = sorted(Path("ds").resolve().glob("*/*.png"))
        numbers = {"cat": 0, "dog": 1, "fox": 2}
        lines = [f"{path} {numbers[path.parent.name]}\n" for path in paths]
        Path("train.txt").write_text("".join(lines[::2]))
        Path("val.txt").write_text("".join(lines[1::2]))
        Path("names.txt").write_text("cat\ndog\nfox\n")
        data = "train.txt"
    if way == "data file":
        data = "d.data"
        Path(data).write_text("classes=3\ntrain=train.txt\nvalid=val.txt\nnames=names.txt\n")
    assert train("--backup", "whole", data=data, cfg=cfg).code == 0
    assert train("--backup", "b", "--max-iter", 9, data=data, cfg=cfg).code == 0
    if way == "moved":
        data = "photos/here"
        Path("photos").mkdir()
        Path("ds").rename(data)
    elif way == "linked":
        Path("elsewhere").symlink_to("ds")
        data = "elsewhere"
    elif way == "shuffled lists":
        for name in ("train.txt", "val.txt"):
            lines = Path(name).read_text().splitlines(keepends=True)
            Path(name).write_text("".join(reversed(lines)))
    else:
        Path("train.txt").rename("train2.txt")
        Path("val.txt").rename("val2.txt")
        Path("d.data").write_text("classes=3\ntrain=train2.txt\nvalid=val2.txt\nnames=names.txt\n")
        data = "d.data"
    code, _, err = train("--backup", "b", "--resume", data=data)
    assert (code, "warning" in err) == (0, False), err
    assert weights("b") == weights("whole")


def test_a_picture_that_is_listed_twice_goes_on_bit_for_bit(train: Train) -> None:
    """A list of the C program's may name one again, so that it counts more."""
    paths = sorted(Path("ds").glob("*/*.png"))
    listed = [*paths[::2], *paths[:3], *paths[:3]]
    Path("train.list").write_text("".join(f"{path}\n" for path in listed))
    Path("valid.list").write_text("".join(f"{path}\n" for path in paths[1::2]))
    Path("labels").write_text("cat\ndog\nfox\n")
    text = "classes=3\ntrain=train.list\nvalid=valid.list\nlabels=labels\nbackup=b\n"
    Path("d.data").write_text(text)
    code, _, err = train("--backup", "whole", data="d.data")
    assert code == 0
    assert "warning: no lists of the pictures are written: one is there twice, or " in err
    assert train("--max-iter", 9, data="d.data").code == 0
    code, _, err = train("--resume", data="d.data")
    assert (code, "since the run began" in err) == (0, False)
    assert weights("b") == weights("whole")


def test_lists_that_change_sides_change_nothing(train: Train) -> None:
    """What was validated with is not trained on, whatever the lists say by now."""
    paths = sorted(Path("ds").glob("*/*.png"))
    lines = [f"{path} {number // 10}\n" for number, path in enumerate(paths)]
    Path("train.txt").write_text("".join(lines[::2]))
    Path("val.txt").write_text("".join(lines[1::2]))
    assert train("--backup", "whole", data="train.txt").code == 0
    assert train("--backup", "b", "--max-iter", 9, data="train.txt").code == 0
    Path("train.txt").write_text("".join(lines[1::2]))
    Path("val.txt").write_text("".join(lines[::2]))
    code, _, err = train("--backup", "b", "--resume", data="train.txt")
    assert code == 0
    assert "warning: stay where they were when the run began: 30 pictures (15 to train on" in err
    assert weights("b") == weights("whole")


def test_pictures_that_come_and_go_are_said(train: Train) -> None:
    assert train("--backup", "b", "--max-iter", 9).code == 0
    shutil.copy("ds/cat/0.png", "ds/cat/new.png")
    held = Path("b/n_valid.list").read_text().splitlines()
    Path("ds/dog/3.png").unlink()
    code, _, err = train("--backup", "b", "--resume")
    assert code == 0
    assert "warning: gone since the run began, or cannot be read: 1 picture (" in err
    assert "warning: new since the run began: 1 picture (" in err
    assert "cat/new.png" in err
    now = Path("b/n_train.list").read_text().splitlines()
    assert not set(held) & set(now)
    assert len(now) + len(Path("b/n_valid.list").read_text().splitlines()) == 30


@pytest.mark.parametrize("change", ["renamed", "another one", "one more"])
def test_other_classes_are_refused_by_name(train: Train, change: str) -> None:
    assert train("--backup", "b", "--max-iter", 9).code == 0
    before = contents("b")
    if change == "renamed":
        Path("ds/cat").rename("ds/zebra")
    elif change == "one more":
        shutil.copytree("ds/cat", "ds/zebra")
    else:
        shutil.rmtree("ds/cat")
        shutil.copytree("ds/dog", "ds/zebra")
    code, _, err = train("--backup", "b", "--resume")
    assert (code, contents("b")) == (1, before)
    gone = "" if change == "one more" else "cat not here, "
    assert err == (
        f"darknet: b/n.state: was begun with other classes: they were cat, dog, fox ({gone}zebra "
        "new): give them back their names and their order, or begin anew\n"
    )


def test_classes_in_another_order_are_refused(train: Train) -> None:
    lines = [f"{path} {i // 10}\n" for i, path in enumerate(sorted(Path("ds").glob("*/*.png")))]
    Path("list.txt").write_text("".join(lines))
    Path("names.txt").write_text("cat\ndog\nfox\n")
    assert train("--backup", "b", "--max-iter", 9, data="list.txt").code == 0
    Path("names.txt").write_text("cat\nfox\ndog\n")
    code, _, err = train("--backup", "b", "--resume", data="list.txt")
    assert code == 1
    assert "other classes: class 1 was 'dog', and is 'fox' now" in err
    Path("names.txt").write_text("cat\ndog\nfox\n")
    swapped = [line[:-2] + {"0": "1", "1": "0", "2": "2"}[line[-2]] + "\n" for line in lines]
    Path("list.txt").write_text("".join(swapped))
    code, _, err = train("--backup", "b", "--resume", data="list.txt")
    assert code == 1
    assert "was cat when the run began, and is dog now" in err


def test_a_folder_that_holds_a_run_is_not_begun_anew_in(train: Train) -> None:
    assert train("--backup", "b", "--max-iter", 6).code == 0
    before = contents("b")
    begins: list[tuple[object, ...]] = [(), ("b/n.weights", "-clear"), ("b/n.backup",)]
    for begin in begins:
        code, _, err = train("--backup", "b", *begin)
        assert (code, contents("b")) == (1, before)
        assert "b: holds a training of n (n.backup): go on with it by --resume, begin anew" in err
    # neither does a run that could not begin touch anything, though it may
    Path("bad").mkdir()
    Path("bad/n.cfg").write_text(CFG.replace("filters=3", "filters=0"))
    Path("lossless").mkdir()
    Path("lossless/n.cfg").write_text(CFG.replace("[softmax]", ""))
    for cfg, words in (
        ("n.cfg", ("none.weights",)),
        ("n.cfg", ("--class-weights", "none.txt")),
        ("bad/n.cfg", ()),
        ("lossless/n.cfg", ()),
        ("n.cfg", ("b/n.weights", "--max-iter", 6)),
    ):
        assert train("--backup", "b", "--overwrite", *words, cfg=cfg).code == 1
        assert contents("b") == before
    assert train("--backup", "b", "--max-iter", 3, "--overwrite").code == 0
    assert batches("b/metrics.csv") == [1, 2, 3]
    assert train("--backup", "b", "--resume", "--overwrite").code == 2


def test_force_removes_what_the_run_before_has_left(train: Train) -> None:
    assert train("--backup", "b", "--keep", 1).code == 0
    assert Path("b/n_4.weights").exists()
    shutil.copy("b/n_2.weights", "b/n_other.weights")
    assert (
        train("--backup", "b", "--overwrite", "b/n_3.weights", "-clear", "--max-iter", 2).code == 0
    )
    left = {path.name for path in Path("b").glob("*.weights")}
    assert left == {"n.weights", "n_best.weights", "n_3.weights", "n_other.weights"}


def test_two_cfgs_in_one_folder_are_two_runs(train: Train, darknet: Run) -> None:
    shutil.copy("n.cfg", "n_2.cfg")
    assert train("--max-iter", 4).code == 0
    assert train("--max-iter", 6, cfg="n_2.cfg").code == 0
    assert train("--max-iter", 7, "--resume").code == 0
    assert train("--max-iter", 9, "--resume", cfg="n_2.cfg").code == 0
    assert batches("backup/metrics.csv") == list(range(1, 8))
    assert batches("backup/n_2_metrics.csv") == list(range(1, 10))
    assert Path("backup/n_2_chart.png").exists()
    assert train("--max-iter", 3, "--overwrite").code == 0
    assert weights("backup", "n_2")
    assert batches("backup/n_2_metrics.csv") == list(range(1, 10))
    assert darknet("plot", "backup", "backup/n_2_metrics.csv", "-o", "both.png").code == 0


def test_files_of_the_users_own_are_not_written_over(train: Train) -> None:
    Path("n.names").write_text("mine\n")
    code, _, err = train("--backup", ".", "--max-iter", 1)
    assert (code, Path("n.names").read_text()) == (1, "mine\n")
    assert err.startswith("darknet: n.names: is there already, and a training writes such a file")
    Path("n.names").unlink()
    Path("metrics.csv").write_text("mine\n")
    text = f"# mine\n{CFG}"
    Path("n.cfg").write_text(text)
    assert train("--backup", ".", "--max-iter", 1).code == 0
    assert (Path("n.cfg").read_text(), Path("metrics.csv").read_text()) == (text, "mine\n")
    assert batches("n_metrics.csv") == [1]


def test_a_state_of_another_run_does_not_take_its_place(train: Train) -> None:
    assert train("--backup", "one", "--keep", 1).code == 0
    assert train("--backup", "two", "--seed", 1).code == 0
    before = contents("two")
    code, _, err = train("--backup", "two", "--state", "one/n_3.state")
    assert (code, contents("two")) == (1, before)
    assert "two: holds another training of n than one/n_3.state" in err
    assert train("--backup", "one", "--state", "one/n_3.state").code == 0
    assert train("--backup", "two", "--state", "one/n_3.state", "--overwrite").code == 0
    assert weights("two") == weights("one")


def test_the_last_and_the_best_are_kept_and_every_nth(train: Train) -> None:
    assert train("--backup", "b").code == 0
    kept = {path.name for path in Path("b").iterdir() if path.suffix in (".weights", ".state")}
    assert kept == {"n.weights", "n_best.weights", "n.state"}
    assert train("--backup", "b2", "--keep", 2).code == 0
    kept = {path.name for path in Path("b2").glob("n_*[0-9].*")}
    assert kept == {f"n_{n}.{kind}" for n in (2, 4) for kind in ("weights", "state")}


def test_what_other_commands_take_is_there(train: Train, darknet: Run) -> None:
    numbers = [str(number) for number in range(1, 13)]
    for number in numbers:
        shutil.copytree("ds/cat", f"many/{number}")
    Path("n.cfg").write_text(CFG.replace("filters=3", "filters=12"))
    assert train("--backup", "b", "--max-iter", 2, data="many").code == 0
    names = sorted(numbers)  # as folders are
    assert Path("b/n.names").read_text().splitlines() == names
    code, out, _ = darknet(
        "classify", "-q", "-t", 12, "b/n.cfg", "b/n_best.weights", "many/3/0.png"
    )
    assert code == 0
    assert sorted(line.split(":")[0] for line in out.splitlines()[1:]) == names
    words = ("b/n.data", "b/n.cfg", "b/n.weights")
    assert darknet("classifier", "predict", "-q", *words, "many/3/0.png").code == 0
    code, out, _ = darknet("classifier", "valid", "-q", *words)
    assert code == 0
    assert out.splitlines()[-1].startswith("12 pictures: ")


def test_the_end_says_what_came_out_and_what_comes_next(darknet: Run, train: Train) -> None:
    code, _, err = darknet("train", "ds", "n.cfg", "--backup", "a b")
    assert code == 0
    best, last, then = err.splitlines()[-3:]
    assert best.startswith("best validation: top-1 ")
    assert best.endswith(": a b/n_best.weights")
    assert last == "after batch 20: a b/n.weights"
    assert then == "next: darknet classify 'a b/n.cfg' 'a b/n_best.weights' PICTURE"


def test_resume_at_the_end(train: Train) -> None:
    assert train("--backup", "b").code == 0
    expected = weights("b")
    code, _, err = train("--backup", "b", "--resume")
    assert code == 1
    assert err == (
        "darknet: n.cfg: the training is at its end (20 of 20 batches): to go on, raise "
        "max_batches in it or --max-iter; its weights are b/n.weights\n"
    )
    # killed between the last state and the weights: those are missing, or of an earlier end
    Path("b/n.weights").unlink()
    assert train("--backup", "b", "--resume").code == 0
    assert weights("b") == expected
    shutil.copy("b/n_best.weights", "b/n.weights")
    assert weights("b") != expected
    assert train("--backup", "b", "--resume").code == 0
    assert weights("b") == expected
    code, _, _ = train("--backup", "b", "--resume", "--max-iter", 22)
    assert code == 0


@pytest.fixture
def ctrl_c(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[None]]:
    """with ctrl_c(): ... Ctrl-C comes with batch 5."""
    from darknet_py.network import Network

    update = Network.update

    def interrupted(self: Network, rate: float | None = None) -> None:
        update(self, rate)
        if self.batch_num == 5:
            os.kill(os.getpid(), signal.SIGINT)

    @contextmanager
    def within() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(Network, "update", interrupted)
            yield

    return within


def test_ctrl_c_says_where_and_how_to_go_on(
    darknet: Run, train: Train, ctrl_c: Callable[[], AbstractContextManager[None]]
) -> None:
    assert train("--backup", "whole", "--seed", 2).code == 0
    with ctrl_c():
        words = ("train", "ds", "n.cfg", "--backup", "b", "--seed", 2, "--valid-every", 3, "-q")
        code, _, err = darknet(*words)
    assert code == 130
    line = err.splitlines()[-1]
    assert line.startswith("stopped after batch 5: saved in b/n.state; go on with: ")
    again = line.partition("go on with: ")[2].split()
    assert again[:4] == ["darknet", "train", "ds", "n.cfg"]
    assert again[-1] == "--resume"
    assert "--seed" not in again
    assert again[again.index("--valid-every") + 1] == "3"
    code, _, err = darknet(*[word for word in again[1:] if word != "--quiet"])
    assert code == 0
    assert "going on from batch 5 of 20: b/n.state\n" in err
    assert weights("b") == weights("whole")


def test_what_is_said_after_ctrl_c_goes_on_with_the_network_that_was_chosen(
    darknet: Run, train: Train, ctrl_c: Callable[[], AbstractContextManager[None]]
) -> None:
    """Without a cfg, whatever options changed it; as it is said, or by the data file of the run."""
    how = ("--epochs", 3, "--batch", 12, "--lr", 0.02, "--size", 24, "-q")
    assert darknet("train", "ds", "--backup", "whole", *how).code == 0
    with ctrl_c():
        code, _, err = darknet("train", "ds", "--backup", "b c", *how)
    assert code == 130
    again = shlex.split(err.splitlines()[-1].partition("go on with: ")[2])
    assert again[:4] == ["darknet", "train", "ds", "b c/cifar_res.cfg"]
    shutil.copytree("b c", "copy")
    assert darknet(*again[1:]).code == 0
    assert weights("b c", "cifar_res") == weights("whole", "cifar_res")
    run = "copy/cifar_res"
    assert darknet("train", f"{run}.data", f"{run}.cfg", "--resume", *how).code == 0
    assert weights("copy", "cifar_res") == weights("whole", "cifar_res")
    assert not Path("backup").exists()


def test_weights_of_other_classes_are_said(train: Train) -> None:
    assert train("--backup", "b", "--max-iter", 2).code == 0
    Path("ds/fox").rename("ds/auk")
    words = ("--backup", "c", "--overwrite", "--max-iter", 1, "b/n_best.weights", "-clear")
    code, _, err = train(*words)
    assert code == 0
    assert (
        "warning: b/n_best.weights knows other classes (b/n.names): output 0 was 'cat', and is "
        "'auk' here: --reinit last begins with none of them\n"
    ) in err
    assert "knows other classes" not in train(*words, "--reinit", "last").err
    Path("ds/auk").rename("ds/fox")
    assert "knows other classes" not in train(*words).err


@pytest.mark.parametrize("rate", ["1e3", "1e30", "1e38"])
def test_a_run_that_diverges_keeps_the_best_that_it_had(train: Train, rate: str) -> None:
    Path("n.cfg").write_text(CFG.replace("learning_rate=.05", f"learning_rate={rate}"))
    code, _, err = train("--backup", "b", "--valid-every", 1, "--max-iter", 50)
    assert code == 1
    assert "nan  (best)" not in err
    assert "b/n.backup has the last good weights; try a lower learning_rate" in err.splitlines()[-1]
    from darknet_py import load_network

    for path in Path("b").glob("*.weights"):
        assert load_network("n.cfg", path).values_are_finite()
    assert load_network("n.cfg", "b/n.backup").values_are_finite()


def test_weights_without_numbers_are_no_beginning(train: Train) -> None:
    assert train("--backup", "b", "--max-iter", 1).code == 0
    Path("bad.weights").write_bytes(weights("b")[:-4] + b"\xff\xff\xff\x7f")
    code, _, err = train("--backup", "c", "bad.weights", "-clear")
    assert (code, Path("c").exists()) == (1, False)
    assert "bad.weights: layer 1 [convolutional] has weights that are not finite" in err


def test_pictures_on_both_sides_are_said_though_it_be_quiet(train: Train) -> None:
    """A copy counts as the same picture."""
    Path("d").mkdir()
    Path("ds").rename("d/train")
    for name in ("cat", "dog", "fox"):
        Path("d/valid", name).mkdir(parents=True)
        Path("d/train", name, "9.png").rename(Path("d/valid", name, "9.png"))
    shutil.copy("d/train/cat/0.png", "d/valid/cat/copy.png")
    err = train("--backup", "b", "--max-iter", 1, data="d").err
    assert "1 picture to validate with is trained on too:\n  d/valid/cat/copy.png\n" in err


def test_names_that_a_run_left_are_found_beside_its_weights(train: Train, darknet: Run) -> None:
    for name, now in (("cat", "10"), ("dog", "2"), ("fox", "1")):
        Path("ds", name).rename(Path("ds", now))
    assert train("--backup", "b", "--max-iter", 1).code == 0
    picture = next(Path("ds/2").iterdir())
    answers = [
        darknet("classify", "-q", "--csv", cfg, "b/n.weights", picture).out
        for cfg in ("b/n.cfg", "n.cfg")
    ]
    assert answers[0] == answers[1]
    assert ",10," in answers[0]
    Path("ds/1").rename("ds/emu")
    code, out, err = darknet("classifier", "valid", "-q", "ds", "n.cfg", "b/n.weights")
    assert (code, out) == (1, "")
    assert "'emu'" in err
    Path("n.names").write_text("a\nb\n")
    code, out, err = darknet("classifier", "valid", "-q", "ds", "n.cfg", "b/n.weights")
    assert (code, out) == (1, "")
    assert "n.names: holds fewer names than the network has outputs, 3" in err


def test_a_plateau_that_ends_in_no_numbers_leaves_no_weights(train: Train) -> None:
    Path("n.cfg").write_text(CFG.replace("learning_rate=.05", "learning_rate=1e9\npolicy=plateau"))
    code, _, err = train("--backup", "b", "--max-iter", 20)
    assert (code, Path("b/n.weights").exists()) == (1, False), err


DAMAGED = {
    "empty": b"",
    "foreign": b"a,b\n1,2\n",
    "binary": bytes(range(256)) * 4,
    "zeros": b"\0" * 500,
    "two bytes a letter": "batch,epoch\n1,2\n".encode("utf-16"),
    "columns alone": b"batch,loss\n1,2\n",
    "one row": b"batch,loss,rate\nx,y,z\n",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_table_that_is_none(train: Train, darknet: Run, kind: str) -> None:
    assert train("--backup", "b", "--max-iter", 4).code == 0
    Path("b/metrics.csv").write_bytes(DAMAGED[kind])
    code, _, err = darknet("plot", "b", "-o", "x.png")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("darknet: b/metrics.csv: ")
    code, _, err = train("--backup", "b", "--max-iter", 6, "--resume")
    assert code == 0
    assert batches("b/metrics.csv") == [5, 6]
    if DAMAGED[kind]:
        assert "warning: b/metrics.csv: is damaged, or no table of ours: none of it is kept" in err
        assert Path("b/metrics.csv.damaged").read_bytes() == DAMAGED[kind]


def test_a_damaged_table_is_kept_before_it_is_mended(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in between, or the disk is full: nothing of it is lost."""
    assert train("--backup", "b", "--max-iter", 4).code == 0
    damaged = Path("b/metrics.csv").read_bytes() + b"x\n"
    Path("b/metrics.csv").write_bytes(damaged)

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("darknet_py.tasks.metrics.atomic_file", full)
        code, _, err = train("--backup", "b", "--max-iter", 5, "--resume")
    assert code == 0
    assert "warning: b/metrics.csv: not written: No space left on device" in err
    assert Path("b/metrics.csv").read_bytes() == damaged


def test_a_damaged_table_is_mended(train: Train, darknet: Run) -> None:
    assert train("--backup", "b", "--max-iter", 6).code == 0
    whole = Path("b/metrics.csv").read_bytes().splitlines(keepends=True)
    # a row that was cut short is what a kill leaves: nothing to say
    Path("b/metrics.csv").write_bytes(b"".join(whole[:5]) + whole[5][:9])
    assert "damaged" not in train("--backup", "b", "--max-iter", 6, "--resume").err
    Path("b/metrics.csv").write_bytes(b"".join([*whole[:3], b"\x00\xff;;;\n", *whole[4:], b"\n"]))
    assert darknet("plot", "b", "-o", "x.png").code == 0
    code, _, err = train("--backup", "b", "--max-iter", 7, "--resume")
    assert code == 0
    assert "5 whole rows of it are kept, and it is now b/metrics.csv.damaged" in err
    assert batches("b/metrics.csv") == [1, 2, 4, 5, 6, 7]


def test_folders_where_files_are_to_be(train: Train, darknet: Run) -> None:
    assert train("--backup", "b", "--max-iter", 2).code == 0
    Path("b/metrics.csv").unlink()
    Path("b/metrics.csv").mkdir()
    code, _, err = darknet("plot", "b", "-o", "x.png")
    assert (code, err) == (1, "darknet: b/metrics.csv: Is a directory\n")
    assert train("--backup", "b", "--max-iter", 4, "--resume").code == 0
    assert batches("b/n_metrics.csv") == [3, 4]
    Path("c/n_best.weights").mkdir(parents=True)
    code, _, err = train("--backup", "c", "--overwrite")
    assert code == 1
    assert "c/n_best.weights: is a folder, and a training writes such a file" in err


def test_pipes_and_devices_where_files_are_to_be_are_not_waited_for(train: Train) -> None:
    whole = ("n.cfg", "n_best.weights", "n.weights", "n.backup", "n_chart.png")
    assert train("--backup", "b", "--max-iter", 2).code == 0
    for number, name in enumerate(whole):
        folder = Path(shutil.copytree("b", f"b{number}"))
        for there in (folder / "metrics.csv", folder / name):  # so that the chart is n_chart.png
            there.unlink(missing_ok=True)
            os.mkfifo(there)
        before = contents(folder)
        code, _, err = train("--backup", folder, "--max-iter", 4, "--resume")
        assert (code, contents(folder)) == (1, before)
        assert f"{folder}/{name}: is a pipe or a device, and a training writes such a file" in err
    os.mkfifo("n.fifo")
    Path("c").mkdir()
    os.link("n.fifo", "c/n.cfg")
    code, _, err = train("--backup", "c")
    assert code == 1
    assert "c/n.cfg: is there already" in err
    for shared in ("metrics.csv", "chart.png"):
        folder = Path(shutil.copytree("b", f"b-{shared}"))
        (folder / shared).unlink()
        (folder / shared).symlink_to("/dev/zero")
        assert train("--backup", folder, "--max-iter", 4, "--resume").code == 0
        assert batches(f"{folder}/n_metrics.csv") == [3, 4]


def test_a_table_larger_than_any_is_put_aside(train: Train) -> None:
    assert train("--backup", "b", "--max-iter", 2).code == 0
    os.truncate("b/metrics.csv", 1 << 40)
    code, _, err = train("--backup", "b", "--max-iter", 4, "--resume")
    assert code == 0
    assert "b/metrics.csv: is no table of ours: none of it is kept, and it is now b/metrics" in err
    assert batches("b/metrics.csv") == [3, 4]
    assert Path("b/metrics.csv.damaged").stat().st_size == 1 << 40


def test_a_table_that_is_a_pipe_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    os.mkfifo(path)
    said = MetricsFile(path, 0).said
    assert said is not None
    assert f"it is now {path}.damaged" in said
    assert path.read_text().startswith("batch,")


def test_a_folder_is_one_process_at_a_time(train: Train) -> None:
    with only_process_in(Path("b")):
        code, _, err = train("--backup", "b")
    assert code == 1
    assert (
        err == "darknet: b: this process is training there: wait for it, or choose another folder\n"
    )
    assert not Path("b").exists()
    assert train("--backup", "b", "--max-iter", 1).code == 0
    assert not [path for path in Path("b").iterdir() if path.name.startswith(".")]


def test_a_folder_that_cannot_be(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").touch()
    code, _, err = train("--backup", "file/b")
    assert code == 1
    assert err == "darknet: file/b: cannot be a folder for results: file is a file\n"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("darknet_py.atomic.os.fsync", full)
    code, _, err = train("--backup", "b")
    assert code == 1
    assert err.splitlines()[-1] == (
        "darknet: the training cannot begin: b/n.state: cannot be written: No space left on device"
    )
    assert not Path("b").exists()


def test_a_batch_that_does_not_fit_says_what_would(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CFG.replace("batch=8", "batch=4096").replace("=16", "=1600")
    Path("n.cfg").write_text(text)
    monkeypatch.setattr("darknet_py.tasks.check.available_memory", lambda: 10 << 30)
    code, _, err = train("--backup", "b")
    assert (code, Path("b").exists()) == (1, False)
    assert err.count("\n") == 1
    assert "n.cfg: batch=4096 with subdivisions=1 needs about " in err
    assert "and 8,192 MB may be taken: subdivisions=64 in [net] would fit" in err
    Path("n.cfg").write_text(CFG)
    monkeypatch.setattr("darknet_py.network.learning._accumulate_part", _no_memory)
    code, _, err = train("--backup", "b")
    assert code == 1
    assert "may be taken: subdivisions=" in err.splitlines()[-1]


def _no_memory(*_: object) -> float:
    raise MemoryError


def test_advice_calls_the_program_as_it_was_called(
    train: Train, darknet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKNET_COMMAND", "./darknet")
    err = darknet("train", "ds", "n.cfg", "--backup", "b", "--max-iter", 1).err
    assert "next: ./darknet classify b/n.cfg b/n_best.weights PICTURE" in err


def test_all_trainings_of_a_folder_are_drawn(
    train: Train, darknet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy("n.cfg", "other.cfg")
    for cfg in ("n.cfg", "other.cfg"):
        assert train("--backup", "b", "--max-iter", 2, cfg=cfg).code == 0
    drawn: list[str] = []

    def save(_path: Path, runs: list[Metrics], *_: object) -> None:
        drawn.extend(run.name for run in runs)

    monkeypatch.setattr("darknet_py.tasks.chart.save_chart", save)
    assert darknet("plot", "b").code == 0
    assert drawn == ["b", "other"]
    assert Path("b/chart.png").exists()
    assert (
        darknet("plot", "b", "-o", "b/chart.png", "--overwrite").code == 0
    )  # drawn again, where it is
