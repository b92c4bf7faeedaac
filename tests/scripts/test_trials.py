"""Some trials of each kind of scripts/torture, here in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from darknet_py.tasks.dream import recipe
from scripts.trials.main import SEED
from scripts.trials.results import repeat
from scripts.trials.trial import Kind, load_kinds
from scripts.trials.worker import run_trial

KINDS = [kind for kind in load_kinds() if kind.slice]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_slice(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recipe, "_key", recipe._key)  # a kind sets one, which must not stay
    if kind.prepare is not None:
        kind.prepare()
    for number in range(kind.slice):
        result = run_trial(kind, SEED, number, tmp_path / "trial")
        if "failed" in result:
            pytest.fail(f"{result['failed']}\n{result['trace']}\n{repeat(kind.name, SEED, number)}")
