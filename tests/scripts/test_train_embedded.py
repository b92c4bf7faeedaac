"""scripts/train_mnist and scripts/train_cifar, with a stand-in for ./darknet."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Notes what it is told, and leaves the weights that a training would, or fails.
FAKE = r"""#!/bin/sh
echo "$*" >>calls.log
case "$1 $FAKE_FAIL" in
"train yes") exit 3 ;;
train*)
    cfg=$(basename "$3" .cfg)
    mkdir -p "$5"
    echo "trained $cfg" >"$5/$cfg.weights"
    ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing but these scripts, and pictures beside it."""
    root = tmp_path / "the checkout"
    (root / "scripts").mkdir(parents=True)
    (root / "data").mkdir()
    (tmp_path / "my pictures").mkdir()
    for name in ("train_mnist", "train_cifar", "train_embedded.sh"):
        shutil.copy(ROOT / "scripts" / name, root / "scripts")
    (root / "darknet").write_text(FAKE)
    (root / "darknet").chmod(0o755)
    return root


def run(checkout: Path, name: str, *arguments: str, fail: str = "") -> tuple[int, str]:
    """Runs a script from the folder above the checkout: exit code and complaint."""
    done = subprocess.run(
        [checkout / "scripts" / name, *arguments],
        cwd=checkout.parent,
        env={"PATH": "/usr/bin:/bin", "FAKE_FAIL": fail},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("script", "cfg", "weights"),
    [
        ("train_mnist", "mnist", "mnist"),
        ("train_cifar", "cifar_res", "cifar"),
    ],
)
def test_it_trains_validates_and_keeps_the_weights(
    checkout: Path, script: str, cfg: str, weights: str
) -> None:
    assert run(checkout, script, "my pictures") == (0, "")
    train, valid = (checkout / "calls.log").read_text().splitlines()
    pictures, backup = checkout.parent / "my pictures", checkout / "backup" / weights
    assert train.startswith(f"train {pictures} cfg/{cfg}.cfg --backup {backup} --valid-every ")
    assert valid == f"classifier valid -q {pictures} cfg/{cfg}.cfg {backup}/{cfg}.weights"
    assert (checkout / "data" / f"{weights}.weights").read_text() == f"trained {cfg}\n"
    assert (ROOT / "cfg" / f"{cfg}.cfg").exists()


def test_a_folder_and_options_are_passed_on(checkout: Path) -> None:
    assert run(checkout, "train_cifar", "my pictures", "my run", "--seed", "3") == (0, "")
    train, _ = (checkout / "calls.log").read_text().splitlines()
    assert f"--backup {checkout.parent / 'my run'} " in train
    assert train.endswith(" --seed 3")
    assert run(checkout, "train_cifar", "my pictures", "--resume") == (0, "")
    train = (checkout / "calls.log").read_text().splitlines()[2]
    assert f"--backup {checkout}/backup/cifar " in train
    assert train.endswith(" --resume")


def test_a_training_that_fails_leaves_the_weights_alone(checkout: Path) -> None:
    kept = checkout / "data/cifar.weights"
    kept.write_text("kept\n")
    assert run(checkout, "train_cifar", "my pictures", fail="yes") == (3, "")
    assert kept.read_text() == "kept\n"


@pytest.mark.parametrize("arguments", [(), ("no such folder",)])
def test_without_pictures_nothing_begins(checkout: Path, arguments: tuple[str, ...]) -> None:
    code, err = run(checkout, "train_cifar", *arguments)
    assert code != 0
    assert "no such folder" in err or "usage: scripts/train_cifar CIFAR-FOLDER" in err
    assert not (checkout / "calls.log").exists()
