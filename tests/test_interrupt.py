"""Ctrl-C at any moment, once or more often: one line, exit code 130, no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

_RUN = """
import atexit, os, signal, sys
from darknet_py.__main__ import main

def press():
    os.kill(os.getpid(), signal.SIGINT)

{code}
sys.argv = ["darknet", "info", {cfg!r}]
main()
"""

# Twice while something is imported
IMPORTING = """
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "darknet_py.network.builder":
            press()
            press()
sys.meta_path.insert(0, Finder())
"""

# A library that takes Ctrl-C for a module that is missing
MISSING = """
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "darknet_py.network.builder":
            try:
                press()
                for _ in range(10): pass
            except KeyboardInterrupt:
                raise ImportError("numpy._core.multiarray failed to import")
sys.meta_path.insert(0, Finder())
"""

# In a command, and again while it leaves
LEAVING = """
import darknet_py.cli.info
def find(name):
    try:
        press()
    finally:
        press()
sys.modules["darknet_py.cli.info"].find_file = find
"""

ONCE = """
import darknet_py.cli.info
sys.modules["darknet_py.cli.info"].find_file = lambda name: press()
"""

# After the command
ENDING = """
from darknet_py import interrupt
listen = interrupt.listen
interrupt.listen = lambda: (listen(), atexit.register(press))
"""

# Where Python cannot pass it on
DESTRUCTOR = """
import darknet_py.cli.info
class Held:
    def __del__(self):
        press()
        for _ in range(10): pass
def find(name):
    Held()
    return name
sys.modules["darknet_py.cli.info"].find_file = find
"""


def _run(code: str, folder: Path, ignored: bool = False) -> subprocess.CompletedProcess[str]:
    cfg = folder / "n.cfg"
    cfg.write_text("[net]\nwidth=4\nheight=4\nchannels=1\n[softmax]\n")
    how = signal.SIG_IGN if ignored else signal.SIG_DFL
    return subprocess.run(
        [sys.executable, "-c", _RUN.format(code=code, cfg=str(cfg))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=Path(__file__).parents[1],
        preexec_fn=lambda: signal.signal(signal.SIGINT, how),
    )


@pytest.mark.parametrize(
    "code",
    [IMPORTING, MISSING, LEAVING, ONCE, ENDING, DESTRUCTOR],
    ids=["importing", "missing", "leaving", "once", "ending", "destructor"],
)
def test_ctrl_c_is_one_line(code: str, tmp_path: Path) -> None:
    done = _run(code, tmp_path)
    assert (done.returncode, done.stderr.strip()) == (130, "darknet: interrupted")


def test_who_is_not_to_be_interrupted_is_not(tmp_path: Path) -> None:
    """In the background of a script, say."""
    done = _run("press()\natexit.register(press)", tmp_path, ignored=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "softmax" in done.stdout


def test_the_end_of_what_is_read_is_no_ctrl_c(tmp_path: Path) -> None:
    code = ONCE.replace("lambda name: press()", "lambda name: next(iter([]), 0) or read()")
    done = _run("def read(): raise EOFError('a bug')\n" + code, tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith("EOFError: a bug\n")


def test_a_bug_keeps_its_traceback_and_names_in_it_are_shown_as_names(tmp_path: Path) -> None:
    code = "def read(): raise ValueError('\\x1b[31m')\n" + ONCE.replace("press()", "read()")
    done = _run(code, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):\n")
    assert done.stderr.endswith("ValueError: \\x1b[31m\n")
    assert "\x1b" not in done.stderr
