"""The environment that a script needs: Python's standard library alone brings it there."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_NEEDED = ("numpy", "numba", "PIL", "click")
_ENTERED = "DARKNET_SCRIPT_ENTERED"

# as ../darknet does it
_COMMAND = """
root=$1 extra=
shift
. "$root/scripts/venv.sh"
exec "$venv/bin/python" "$@"
"""


def enter() -> None:
    """Goes on as the same command in the checkout's environment, which is made if need be as
    ./darknet makes it; does nothing in one that has what the project needs."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if not missing:
        os.environ.pop(_ENTERED, None)
        return
    if _ENTERED in os.environ:
        sys.exit(f"darknet: {sys.executable} lacks {', '.join(missing)}: ./darknet says more")
    os.environ[_ENTERED] = "1"
    os.execv("/bin/sh", ["sh", "-c", _COMMAND, "sh", str(ROOT), *sys.argv])
