"""What Windows and others lack is done without: train, resume and classify still work."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.processes import run_python

HIDDEN = """
import sys, os, signal, random, multiprocessing.resource_tracker, warnings
sys.modules["fcntl"] = sys.modules["resource"] = None
del os.fchmod, os.O_NOFOLLOW, os.O_NONBLOCK, os.register_at_fork, os.sched_getaffinity
del os.getuid, os.sysconf, signal.pthread_sigmask
warnings.filterwarnings("ignore", "only soft file lock")
from darknet_py.ops.cpu.runtime import thread_pool
thread_pool.HAS_PTHREADS = False
sys.argv[1:] = {words!r}
from darknet_py.__main__ import main
main()
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for kind in ("one", "two"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 255, (12, 12, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"photos/{kind}/{number}.png")
    return tmp_path / "photos"


CFG = """[net]
width=12
height=12
channels=3
batch=4
max_batches=6
learning_rate=.01
[convolutional]
filters=8
size=3
pad=1
activation=leaky
[maxpool]
size=2
stride=2
[convolutional]
filters=2
size=1
activation=linear
[avgpool]
[softmax]
"""


def test_train_resume_and_classify(photos: Path, tmp_path: Path) -> None:
    cfg = tmp_path / "net.cfg"
    cfg.write_text(CFG)

    def darknet(*words: str | Path) -> str:
        return run_python(HIDDEN.format(words=[str(word) for word in words]))

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    darknet("train", photos, cfg, "--backup", whole, "--threads", "2")
    darknet("train", photos, cfg, "--backup", parts, "--threads", "2", "--max-iter", "3")
    darknet("train", photos, cfg, "--backup", parts, "--threads", "2", "--resume")
    assert (parts / "net.weights").read_bytes() == (whole / "net.weights").read_bytes()
    assert not list(parts.glob(".darknet-*"))
    said = darknet("classify", whole / "net.cfg", whole / "net.weights", photos / "one/0.png")
    assert re.search(r"^(one|two): 0\.\d+$", said, re.MULTILINE)
