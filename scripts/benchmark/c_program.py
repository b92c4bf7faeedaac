"""The C program, timed by its own `darknet speed CFG N`: inference of one picture."""

from __future__ import annotations

import math
import os
import re
import subprocess
from pathlib import Path

from scripts.benchmark.measure import Block
from scripts.benchmark.peers import PeerError


class CProgram:
    """A darknet that was built from the C sources: its folder, or the program in it."""

    def __init__(self, path: Path, threads: int) -> None:
        path = path.resolve()
        self.program = path / "darknet" if path.is_dir() else path
        self.threads = threads
        if not os.access(self.program, os.X_OK) or self.program.is_dir():
            raise PeerError(f"{self.program} is no program: build it with make OPENMP=1")

    def speed(self, cfg: Path, evals: int) -> float:
        """Seconds a picture. Raises PeerError."""
        command = [str(self.program), "-nogpu", "speed", str(cfg.resolve()), str(evals)]
        done = subprocess.run(
            command,
            cwd=self.program.parent,
            env={**os.environ, "OMP_NUM_THREADS": str(self.threads)},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = read_speed(done.stdout)
        if done.returncode or seconds is None:
            last = (done.stderr.strip() or "no word").splitlines()[-1]
            raise PeerError(f"{' '.join(command)} ended with {done.returncode}: {last}")
        return seconds

    def block(self, cfg: Path) -> Block:
        """Each block is a run of the program, of as many pictures as fill it, at least two."""
        each = self.speed(cfg, 1)
        return lambda seconds: [self.speed(cfg, max(math.ceil(seconds / max(each, 1e-6)), 2))]


def read_speed(text: str) -> float | None:
    """Seconds a picture, from what the program prints."""
    found = re.search(r"(\d+) evals, ([\d.]+) Seconds", text)
    return float(found[2]) / int(found[1]) if found else None
