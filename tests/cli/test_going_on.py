"""Trainings that were stopped or killed, or ended by --patience, and what is in their folder."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from darknet_py.network import Network
from darknet_py.network.state import read_notes
from darknet_py.tasks.run_folder import RunFolder
from scripts.trials.mortal import differences, results
from tests.cli.conftest import Result, Run
from tests.support.noise import CFG, draw_noise

Train = Callable[..., Result]
LEARNS_NOTHING = CFG.replace("learning_rate=.05", "learning_rate=0")


@pytest.fixture
def train(darknet: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """train("--seed", 1) -> darknet train ds n.cfg -q --seed 1, in a folder of the test's own."""
    monkeypatch.setattr("darknet_py.tasks.chart.save_chart", lambda path, *_: path.touch())
    draw_noise(tmp_path / "ds", 6)
    (tmp_path / "n.cfg").write_text(CFG)
    monkeypatch.chdir(tmp_path)
    return lambda *words, cfg="n.cfg": darknet("train", "ds", cfg, "-q", *words)


def left(folder: str) -> dict[str, object]:
    """What a run has left, but for the last checkpoint before its end."""
    found = results(Path(folder))
    found.pop("n.backup", None)
    return found


@pytest.fixture
def ctrl_c_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    update = Network.update

    def at(batch: int) -> None:
        def interrupted(self: Network, rate: float | None = None) -> None:
            update(self, rate)
            if self.batch_num == batch:
                os.kill(os.getpid(), signal.SIGINT)

        monkeypatch.setattr(Network, "update", interrupted)

    return at


def test_ctrl_c_changes_nothing_with_patience(
    train: Train, ctrl_c_at: Callable[[int], None]
) -> None:
    """Neither between validations nor with one; nor need anything be said again."""
    how = ("--valid-every", 4, "--patience", 2, "--snapshot", 5, "--ema", 0.9)
    assert train("--backup", "whole", *how).code == 0
    for number, batches in enumerate([(4,), (1, 3, 5), (6, 7, 8)]):
        folder, words = f"b{number}", how
        for batch in batches:
            ctrl_c_at(batch)
            code, _, err = train("--backup", folder, *words)
            assert code == 130, err
            assert f"batch {batch}: validation" not in err or batch % 4 == 0
            words = ("--resume", *(("--snapshot", 5) if batch % 2 else how))
        ctrl_c_at(0)
        assert train("--backup", folder, "--resume", "--snapshot", 5).code == 0
        assert differences(left(folder), left("whole")) == []


def test_what_patience_has_ended_is_not_trained_on(train: Train) -> None:
    Path("n.cfg").write_text(LEARNS_NOTHING)
    assert train("--backup", "b", "--valid-every", 3, "--patience", 2).code == 0
    before = left("b")
    for words in ((), ("--patience", 2), ("--patience", 1), ("--valid-every", 1)):
        code, _, err = train("--backup", "b", "--resume", *words)
        assert code == 1
        assert err == (
            "darknet: n.cfg: the training has ended: of the last 2 validations none was better: to "
            "go on, raise --patience (0: without it); its weights are b/n.weights\n"
        )
        assert differences(left("b"), before) == []
    # killed between the last state and the weights
    Path("b/n.weights").unlink()
    assert train("--backup", "b", "--resume").code == 0
    assert differences(left("b"), before) == []
    assert "batch 18" in train("--backup", "b", "--resume", "--patience", 5).err
    assert "batch 20: validation" in train("--backup", "b", "--resume", "--patience", 0).err


def test_a_validation_that_the_end_alone_brings_tries_no_patience(train: Train) -> None:
    Path("n.cfg").write_text(LEARNS_NOTHING)
    how = ("--valid-every", 4, "--patience", 1)
    code, _, err = train("--backup", "b", "--max-iter", 6, *how)
    assert (code, err.count("validation")) == (0, 2)
    code, _, err = train("--backup", "b", "--max-iter", 7, "--resume")
    assert (code, err.count("validation")) == (0, 1)
    assert "ended (--patience)" not in err
    code, _, err = train("--backup", "b", "--resume")
    assert (code, "batch 8: validation" in err, "batch 12" in err) == (0, True, False)


def test_a_forced_run_that_is_killed_before_the_old_one_has_gone(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train("--backup", "b", "--keep", 1, "--seed", 1).code == 0
    shutil.copytree("b", "whole")
    shutil.copy("b/n_2.weights", "b/mine.weights")
    words = ("b/n_2.weights", "-clear", "--share", 0)
    assert train("--backup", "whole", "--overwrite", "whole/n_2.weights", *words[1:]).code == 0

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "clear", killed)
        assert train("--backup", "b", "--overwrite", *words).code == 130
    assert Path("b/n_best.weights").exists()
    assert train("--backup", "b", "--resume").code == 0
    assert not Path("b/n_best.weights").exists()
    found = left("b")
    assert found.pop("mine.weights")
    assert differences(found, left("whole")) == []


def test_a_state_removes_no_files_but_a_runs_own(tmp_path: Path) -> None:
    for name in ("n.cfg", "n_1.weights", "n_best.weights", "other.weights", "ds"):
        (tmp_path / name).touch()
    folder = RunFolder(tmp_path, "n")
    folder.clear([], ["n.cfg", "../x", "n_1.weights", "other.weights", "/etc/passwd", "ds"])
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"n.cfg", "n_best.weights", "other.weights", "ds"}


def test_a_table_is_its_runs_before_there_is_one(train: Train) -> None:
    """n was killed before its first row: another run leaves metrics.csv to it."""
    shutil.copy("n.cfg", "m.cfg")
    assert train("--max-iter", 2).code == 0
    for name in ("metrics.csv", "chart.png"):
        Path("backup", name).unlink()
    assert train("--max-iter", 3, cfg="m.cfg").code == 0
    assert Path("backup/m_metrics.csv").exists()
    assert not Path("backup/metrics.csv").exists()
    assert train("--max-iter", 4, "--resume", cfg="m.cfg").code == 0
    assert train("--max-iter", 3, "--resume").code == 0
    assert Path("backup/m_metrics.csv").read_text().count("\n") == 5
    assert Path("backup/metrics.csv").read_text().count("\n") == 2
    assert not Path("backup/n_metrics.csv").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [("n_2", ("--keep", 1)), ("n_iter_2", ("--snapshot", 2)), ("n_best", ())],
)
def test_what_is_kept_replaces_no_other_runs_files(
    train: Train, name: str, words: tuple[object, ...]
) -> None:
    shutil.copy("n.cfg", f"{name}.cfg")
    assert train("--max-iter", 2, cfg=f"{name}.cfg").code == 0
    before = results(Path("backup"))
    code, _, err = train("--max-iter", 2, *words)
    assert code == 1
    assert f"backup: holds a training of {name}, whose files would be replaced by what n" in err
    assert differences(results(Path("backup")), before) == []
    # its own are no obstacle
    assert train("--max-iter", 2, "--backup", "b", *words).code == 0
    assert train("--max-iter", 4, "--backup", "b", "--resume", *words).code == 0


def test_results_among_the_pictures_would_be_a_class(
    train: Train, darknet: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = results(Path("ds"))
    Path("link").symlink_to("ds")
    for backup in ("ds", "ds/backup", "link/a/b", "ds/../ds/cat"):
        code, _, err = train("--backup", backup)
        said = f"darknet: {backup}: lies in ds, among the pictures: choose another"
        assert (code, err) == (1, f"{said} --backup\n")
        code, _, err = darknet("finetune", "ds", "n.cfg", "n.weights", "-q", "-o", backup)
        assert (code, err) == (1, f"{said} -o\n")
    assert differences(results(Path("ds")), before) == []
    # lists name their pictures: a chart is none of them
    lines = [
        f"{path.relative_to('ds')} {i // 6}\n"
        for i, path in enumerate(sorted(Path("ds").glob("*/*.png")))
    ]
    Path("ds/train.txt").write_text("".join(lines))
    assert train("--backup", "ds/backup", "--max-iter", 1).code == 0
    assert train("--backup", "ds/backup", "--max-iter", 2, "--resume").code == 0


def test_pictures_that_hold_other_than_then_are_said(train: Train) -> None:
    assert train("--backup", "b", "--max-iter", 2).code == 0
    assert "warning" not in train("--backup", "b", "--max-iter", 3, "--resume").err
    held = Path("b/n_valid.list").read_text().split()
    one, other = (path for path in sorted(Path("ds/cat").iterdir())[:2])
    one.write_bytes(other.read_bytes() + b"\0")
    code, _, err = train("--backup", "b", "--max-iter", 4, "--resume")
    assert code == 0
    side = "validate with" if str(one.resolve()) in held else "train on"
    assert f"warning: hold other than when the run began: 1 picture (1 to {side}): cat/0.png" in err
    assert "warning" not in train("--backup", "b", "--max-iter", 5, "--resume").err


def test_a_chart_that_a_killed_run_did_not_draw(train: Train) -> None:
    assert train("--backup", "b", "--max-iter", 2).code == 0
    Path("b/chart.png").unlink()
    assert train("--backup", "b", "--max-iter", 2, "--resume").code == 1
    assert Path("b/chart.png").exists()


def test_best_weights_of_another_batch_are_not_shown_as_the_best(
    train: Train, darknet: Run
) -> None:
    Path("n.cfg").write_text(LEARNS_NOTHING)
    how = ("--backup", "b", "--valid-every", 2, "--snapshot", 1)
    assert train(*how, "--max-iter", 4).code == 0
    best = read_notes("b/n.state")[0]["best_batch"]
    shutil.copy(f"b/n_iter_{best - 1}.weights", "b/n_best.weights")
    code, _, err = darknet("train", "ds", "n.cfg", *how, "--max-iter", 5, "--resume")
    assert code == 0
    assert f"batch {best}: its weights are not here" in err
    assert err.splitlines()[-1] == "next: darknet classify b/n.cfg b/n.weights PICTURE"
