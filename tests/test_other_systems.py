"""What Windows and others lack is done without: train, resume and classify still work."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.processes import run_python
from tests.support.shapes import CFG, draw_shapes

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


def test_train_resume_and_classify(tmp_path: Path) -> None:
    photos, cfg = draw_shapes(tmp_path / "photos", 12), tmp_path / "net.cfg"
    cfg.write_text(CFG.replace("max_batches=100", "max_batches=6"))

    def darknet(*words: str | Path) -> str:
        return run_python(HIDDEN.format(words=[str(word) for word in words]))

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    darknet("train", photos, cfg, "--backup", whole, "--threads", "2")
    darknet("train", photos, cfg, "--backup", parts, "--threads", "2", "--max-iter", "3")
    darknet("train", photos, cfg, "--backup", parts, "--threads", "2", "--resume")
    assert (parts / "net.weights").read_bytes() == (whole / "net.weights").read_bytes()
    assert not list(parts.glob(".darknet-*"))
    said = darknet("classify", whole / "net.cfg", whole / "net.weights", photos / "cross/0.png")
    assert re.search(r"^(circle|cross|square): 0\.\d+$", said, re.MULTILINE)
