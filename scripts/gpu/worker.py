"""A process that measures the rows of one part, and says each in a line of JSON.

python -m scripts.gpu.worker PART SKIP DEVICE SECONDS
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any

from darknet_py.errors import DarknetError
from scripts.gpu.plan import Planned, Settings
from scripts.gpu.rows import Failure, to_json

FAILURES = (DarknetError, MemoryError, subprocess.SubprocessError)
"""What a row may end with while the next one goes on in the same process: what a user can mend, a
lack of memory (cupy's error is one of these), a process that fails or takes too long. All else is a
bug, or CUDA's, after which a process can compute nothing more: it ends this one with its traceback,
and the parent process goes on after the row with another."""

Send = Callable[[dict[str, Any]], None]


def work(part: str, plan: Iterable[Planned], skip: int, send: Send) -> None:
    """Measures all rows but the first `skip`."""
    for name, measure in islice(plan, skip, None):
        send({"begin": name})
        gc.collect()  # the row before, where its networks hold one another in circles
        try:
            row = measure()
        except FAILURES as error:
            send(to_json(Failure(part, name, one_line(error))))
        else:
            send(to_json(row))


def one_line(error: BaseException) -> str:
    """An error's kind and its message."""
    return " ".join("".join(traceback.format_exception_only(error)).split())


def main(part: str, skip: str, device: str, seconds: str) -> None:
    """Only lines of JSON go to stdout: whatever else is printed goes to stderr."""
    lines = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    send = partial(_send, lines)
    sys.excepthook = partial(_fault, send)
    module = importlib.import_module(f"scripts.gpu.{part}")
    work(part, module.plan(Settings(device, float(seconds))), int(skip), send)


def _send(lines: Any, message: dict[str, Any]) -> None:
    print(json.dumps(message), file=lines, flush=True)


def _fault(send: Send, kind: Any, error: BaseException, trace: Any) -> None:
    sys.__excepthook__(kind, error, trace)
    send({"fault": one_line(error)})


if __name__ == "__main__":
    main(*sys.argv[1:])
