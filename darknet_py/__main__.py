"""What `darknet` and `python -m darknet_py` run."""

from __future__ import annotations

import sys
from types import TracebackType

from darknet_py import interrupt


def main() -> None:
    """Runs the command line, which Ctrl-C may end at any time."""
    interrupt.listen()
    sys.excepthook = _show_bug
    try:
        from darknet_py.cli import main as run

        run()
    except KeyboardInterrupt:  # before it could be answered better
        interrupt.leave()
    finally:
        interrupt.finish()


def _show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A traceback as Python shows it, in which names cannot drive the terminal either."""
    import traceback

    from darknet_py.text import one_line

    text = "".join(traceback.format_exception(kind, error, trace))
    if sys.stderr is not None:
        sys.stderr.write("\n".join(map(one_line, text.split("\n"))))


if __name__ == "__main__":
    main()
