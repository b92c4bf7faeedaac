"""Trainings and fine-tunings that are killed wherever a file is about to change, and go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.trials import kills
from scripts.trials.mortal import Ended, differences, results, run
from tests.support.noise import CFG, draw_noise

TRAIN = ("train", "../ds", "../n.cfg", "-q", "--backup", "b", "--keep", 2, "--valid-every", 1)
FINETUNE = (
    *("finetune", "../ds", "../base.cfg", "../base.weights", "-q", "-o", "b", "--all"),
    *("--views", 1, "--head-epochs", 1, "--epochs", 1, "--batch", 8, "--cache-size", "1e-6"),
)


@pytest.fixture(scope="module")
def loaded() -> None:
    """What commands need is in this process, and so in its forks; nothing draws a chart."""
    kills.prepare()


@pytest.fixture
def whole(loaded: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, the current one, to run in, with what to train on beside it."""
    monkeypatch.setenv("DARKNET_NUM_THREADS", "1")  # threads that wait for one another take longer
    draw_noise(tmp_path / "ds", 4)
    (tmp_path / "n.cfg").write_text(CFG.replace("max_batches=20", "max_batches=3"))
    (tmp_path / "base.cfg").write_text(kills.BASE.format(""))
    kills.draw_weights(tmp_path / "base.cfg")
    (tmp_path / "whole").mkdir()
    monkeypatch.chdir(tmp_path / "whole")
    return tmp_path / "whole"


def settings() -> None:
    kills.checkpoints_every(1)


def began(words: tuple[object, ...]) -> bool:
    return Path("b", "finetune.json" if words[0] == "finetune" else "n.state").exists()


def is_done(ended: Ended) -> bool:
    """It has nothing left to do."""
    return ended.code == 1 and ("is at its end" in ended.err or "has ended" in ended.err)


@pytest.mark.parametrize(
    ("words", "least"), [(TRAIN, 40), ((*TRAIN, "--patience", 1), 30), (FINETUNE, 80)]
)
def test_killed_at_every_seam(
    whole: Path, words: tuple[object, ...], least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """least: how many there are at least, lest none be found any more."""
    done = run(words, prepare=settings, copies=whole.parent)
    assert done.code == 0, done.err
    expected = results(whole)
    seams = sorted(whole.parent.glob("[0-9]*"))
    assert len(seams) >= least
    assert results(seams[-1]) == expected
    for seam in seams:
        monkeypatch.chdir(seam)
        again = run([*words, *["--resume"] * began(words)], prepare=settings)
        assert again.code == 0 or is_done(again), again.err
        assert differences(results(seam), expected) == [], (seam.name, again.err)
