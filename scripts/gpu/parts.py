"""A part, measured by workers, one after the other where one does not live to its end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.gpu.plan import Settings
from scripts.gpu.rows import Failure, Row, from_json

ROOT = Path(__file__).resolve().parents[2]
TRIES = 5
"""Workers of one part: each may lose a row."""

Take = Callable[[Row], None]


def run_part(part: str, settings: Settings, take: Take) -> None:
    """Gives `take` each row as it comes."""
    how = [settings.device, str(settings.seconds)]
    run_workers(part, [sys.executable, "-m", "scripts.gpu.worker", part], how, take)


def run_workers(part: str, command: Sequence[str], how: Sequence[str], take: Take) -> None:
    """The same for any command, with the number of rows to skip as an argument."""
    skip = 0
    for _ in range(TRIES):
        begun = _run_worker(part, [*command, str(skip), *how], take)
        if begun is None:
            return
        skip += begun
    take(Failure(part, "", f"given up after {TRIES} processes"))


def _run_worker(part: str, command: Sequence[str], take: Take) -> int | None:
    """How many rows it began, if it died in the last of them: the next one is to skip these. None
    where there is nothing left to do."""
    begun, name, fault = 0, "", ""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            message = json.loads(line)
            if "begin" in message:
                begun, name = begun + 1, message["begin"]
            elif "fault" in message:
                fault = message["fault"]
            else:
                name = ""
                take(from_json(message))
    if process.returncode == 0:
        return None
    ended = f"the process ended with code {process.returncode}"
    take(Failure(part, name, fault or ended))
    return begun if name else None
