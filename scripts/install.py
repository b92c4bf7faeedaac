"""install.py ROOT VENV [EXTRA]: makes or mends the environment of a checkout, for venv.sh.

Standard library alone, Python 3.11 or later. Beside Python's own files the environment holds

    made-here      this script made it and may delete it; without it, it is the user's own
    pyproject      a link to the pyproject.toml that was installed: where the checkout was moved or
                   copied, the two no longer agree
    installed      written last, and as old as that pyproject.toml; installed-X: with the extra X
    install.log    what the installer said
    install.lock   locked by the process that installs
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

OFFLINE = re.compile(
    "from versions: none|connection|timeout|name resolution|service not known|unreachable|dns error"
    "|sending request|connectivity|proxy|ssl|failed to fetch",
    re.IGNORECASE,
)


def say(*words: str) -> None:
    print("darknet:", *words, file=sys.stderr, flush=True)


def fail(*words: str) -> NoReturn:
    say(*words)
    sys.exit(1)


def call(command: list[str | Path], folder: Path, log: Path) -> bool:
    """Runs an installer into the log, whose newest line a terminal shows; did it succeed?"""
    with log.open("a") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, close_fds=False)
    while sys.stderr.isatty() and process.poll() is None:
        time.sleep(0.5)
        newest = (log.read_text(errors="replace").splitlines() or [""])[-1].strip()
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\033[K{newest[:width]}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return process.wait() == 0


def main(root: Path, venv: Path, extra: str = "") -> None:
    """Installs what is missing, one process at a time; exits with 1 where it cannot."""
    name = os.environ.get("DARKNET_VENV") or ".venv"
    made, python, link = venv / "made-here", venv / "bin/python", venv / "pyproject"
    if not venv.exists() or not any(venv.iterdir()):
        venv.mkdir(parents=True, exist_ok=True)
        made.touch()
    elif not made.exists() and not python.exists():
        fail(f"{name} is there, but is no Python environment: move it away")
    # Inherited by the installer: while that lives, the lock is held, whoever was killed.
    lock = os.open(venv / "install.lock", os.O_RDWR | os.O_CREAT, 0o666)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"waiting for another process, which is installing into {name} ...")
        fcntl.flock(lock, fcntl.LOCK_EX)

    project, log = root / "pyproject.toml", venv / "install.log"
    age = project.stat().st_mtime_ns  # before the installer reads it, not after
    stamps = [venv / "installed", *([venv / f"installed-{extra}"] if extra else [])]
    whole = stamps[0].exists()
    moved = link.is_symlink() and not (link.exists() and link.samefile(project))
    fresh = made.exists() and (moved or not whole or not python.exists())
    if not whole and not made.exists():
        why = f"installing into {name}, which was there"
    elif not whole and not log.exists():
        why = f"first use: installing into {name}"
    elif not whole:
        why = f"the last installation did not finish: making {name} again"
    elif moved:
        why = f"the checkout has moved: making {name} again"
    elif fresh:
        why = f"its Python has gone: making {name} again"
    elif stamps[0].stat().st_mtime_ns < age:
        why = f"pyproject.toml has changed: updating {name}"
    elif not stamps[-1].exists():
        why = f'adding what "{extra}" needs to {name}'
    else:
        return  # the process that was waited for has done it
    say(why, "(a minute or two) ..." if fresh else "...")

    for path in (*venv.glob("installed*"), link):
        path.unlink(missing_ok=True)  # from here to the end nothing takes it for whole
    uv = shutil.which("uv")
    commands: list[list[str | Path]] = []
    if fresh:
        for path in venv.iterdir():
            if path.name not in ("made-here", "install.lock"):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if uv:
            commands.append(
                [uv, "venv", "--seed", "--allow-existing", "--python", sys.executable, venv]
            )
        else:
            commands.append([sys.executable, "-m", "venv", venv])
    # "." and not the path, which may hold what an installer takes for an extra
    what = ["--editable", f".[{extra}]" if extra else "."]
    if uv:
        commands.append([uv, "pip", "install", "--python", python, *what])
    else:
        commands.append([python, "-m", "pip", "install", "--disable-pip-version-check", *what])
    log.write_text("")
    if all(call(command, root, log) for command in commands):
        link.symlink_to(project)
        for path in reversed(stamps):
            path.touch()
            os.utime(path, ns=(age, age))
        return
    said = log.read_text(errors="replace").splitlines()
    say(f"installing failed; {log} ends with\n    " + "\n    ".join(said[-5:]))
    if OFFLINE.search("\n".join(said)):
        say(
            "the packages (pypi.org) cannot be reached: connect to the network, or name a proxy by",
            "HTTPS_PROXY, a mirror by PIP_INDEX_URL or a folder of packages by PIP_FIND_LINKS, and",
            "unset PIP_NO_INDEX and UV_OFFLINE; then run this again",
        )
    sys.exit(1)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).absolute(), *sys.argv[3:])
    except OSError as error:
        where = f"{error.filename} ({error.strerror})"
        fail(f"cannot write {where}: DARKNET_VENV can name another folder")
    except KeyboardInterrupt:
        sys.exit(130)
