"""Learning on real data: a slice of MNIST, where it is at hand."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pytest

from darknet_py.network import Network
from darknet_py.tasks.data import open_data
from darknet_py.tasks.events import Validated
from darknet_py.tasks.run import Options
from darknet_py.tasks.train import train

CFG = """
[net]
batch=32
width=28
height=28
channels=1
min_crop=27
max_crop=29
angle=5
flip=0
optimizer=adam
learning_rate=0.003
policy=poly
power=1
max_batches=400

[convolutional]
filters=16
size=5
stride=2
pad=1
activation=relu

[convolutional]
filters=32
size=3
stride=2
pad=1
activation=relu

[connected]
output=10
activation=linear

[softmax]
"""

TRAIN, TEST = 150, 50
"""Pictures of each digit."""


@pytest.fixture(scope="module")
def digits(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = test_data / "mnist.zip"
    if not archive.exists():
        pytest.skip(f"needs MNIST: no {archive}")
    folder, counts = tmp_path_factory.mktemp("digits"), Counter[tuple[str, str]]()
    with zipfile.ZipFile(archive) as pictures:
        for name in sorted(pictures.namelist()):
            part, digit = Path(name).parts[-3:-1] if name.endswith(".png") else ("", "")
            if counts[part, digit] < {"train": TRAIN, "test": TEST}.get(part, 0):
                counts[part, digit] += 1
                target = folder / part / digit / Path(name).name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(pictures.read(name))
    assert len(counts) == 20
    return folder


def test_a_slice_of_mnist(digits: Path, tmp_path: Path) -> None:
    cfg = tmp_path / "digits.cfg"
    cfg.write_text(CFG)
    net = Network.from_cfg(cfg, "cpu")
    net.initialise(0)
    data = open_data(digits)
    options = Options(backup=tmp_path / "backup", name="digits", valid_every=400)
    events = list(train(net, data.training(), data.validation(), options))
    (last,) = (event for event in events if isinstance(event, Validated))
    assert last.evaluation.pictures == 10 * TEST
    assert last.evaluation.top1 > 0.9
