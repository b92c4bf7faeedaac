"""A process that runs trials of one kind, some at a time, by commands on stdin.

python -m scripts.trials.worker MODULE SEED FOLDER

In FOLDER it keeps `log`, a line of JSON for each trial that ended, from which its parent knows how
far it came when it dies; `output`, what it and its children print; and the trials' own folder. A
line "FIRST COUNT" on stdin asks for trials; each time they are done, an empty line goes to stdout.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import resource
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

from scripts.trials.trial import Failed, Kind, load_kind, random_of

LOG, OUTPUT, TRIAL = "log", "output", "trial"
_MOST = 1 << 20
"""Bytes of output that are kept."""


def main(module: str, seed: str, place: str) -> None:
    folder = Path(place)
    done = os.dup(sys.stdout.fileno())
    try:
        output = os.open(folder / OUTPUT, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    except FileNotFoundError:  # whoever has started this has ended meanwhile
        return
    os.dup2(output, 1)
    os.dup2(output, 2)
    faulthandler.enable()  # says where, should it die
    log = os.open(folder / LOG, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    # the trials' children, and whatever they read, shall not take the parent's orders
    orders = os.fdopen(os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    kind = load_kind(module)
    assert kind is not None, module
    if kind.prepare is not None:
        kind.prepare()
    _limit_memory(kind.memory)
    gc.collect()
    gc.freeze()
    os.write(done, b"\n")
    for order in orders:
        first, count = map(int, order.split())
        for number in range(first, first + count):
            line = run_trial(kind, int(seed), number, folder / TRIAL)
            os.write(log, json.dumps(line).encode() + b"\n")
        gc.collect()
        if os.fstat(output).st_size > _MOST:
            os.ftruncate(output, 0)
        os.write(done, b"\n")


def run_trial(kind: Kind, seed: int, number: int, folder: Path) -> dict[str, str]:
    """One trial in a new folder, which is removed: its `label`, or why it `failed`, with the
    `trace`. Leaves the process in the folder above."""
    folder.mkdir()
    os.chdir(folder)
    try:
        label = kind.trial(random_of(kind.name, seed, number), folder)
        line = {"label": label}
    except Failed as error:
        line = {"failed": f"failed: {error}", "trace": traceback.format_exc(limit=-8)}
    except BaseException as error:  # noqa: BLE001 - whatever it is, the trial has found it
        what = "".join(traceback.format_exception_only(error)).strip()
        line = {"failed": what, "trace": traceback.format_exc(limit=-16)}
    os.chdir(folder.parent)
    remove(folder)
    return line


def remove(folder: Path) -> None:
    """Removes a trial's folder, with what it made unreadable in there."""
    try:
        os.rmdir(folder)  # most have left nothing in it
    except OSError:
        try:
            shutil.rmtree(folder)
        except (OSError, RecursionError):  # no rights, or deeper than rmtree goes
            subprocess.run(["chmod", "-R", "u+rwx", folder], check=False)
            subprocess.run(["rm", "-rf", folder], check=True)


def _limit_memory(more: int) -> None:
    """Lets this process and each of its children have so many bytes of data beyond what it has."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return
    words = dict(line.split(":", 1) for line in status.read_text().splitlines())
    now = int(words["VmData"].split()[0]) * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (now + more, hard))


if __name__ == "__main__":
    main(*sys.argv[1:])
