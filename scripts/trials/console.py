"""The command line in this process, on a terminal or with its output in files."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TextIO

CONTROLS = ("\r\x1b[2K",)
"""What the program itself may say to a terminal: the line that is written over and over."""


class Done(NamedTuple):
    """How a command ended, and the bytes that it wrote."""

    code: int
    out: bytes
    err: bytes


def run(
    words: Sequence[object], on_terminal: bool = False, stdin: bytes = b"", encoding: str = "utf-8"
) -> Done:
    """Runs `darknet` with these words. encoding: of the terminal, or the files. Whatever is no exit
    is raised, as a bug."""
    from darknet_py.cli import main

    before = sys.argv, sys.stdin, sys.stdout, sys.stderr
    place = _terminal if on_terminal else _file
    with place(encoding) as (out, read_out), place(encoding) as (err, read_err):
        sys.argv = ["darknet", *map(str, words)]
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), "utf-8", "surrogateescape")
        sys.stdout, sys.stderr = out, err
        code: object = "no exit"
        try:
            main()
        except SystemExit as end:
            code = end.code
        finally:
            sys.argv, sys.stdin, sys.stdout, sys.stderr = before
        out.flush()
        err.flush()
        assert isinstance(code, int), code
        return Done(code, read_out(), read_err())


def faults(done: Done, on_terminal: bool) -> Iterator[str]:
    """What is wrong with a command's output: what drives a terminal, an error without its line."""
    for name, written in (("stdout", done.out), ("stderr", done.err)):
        if name == "stderr" or on_terminal:
            yield from (f"{name}: {fault}" for fault in _faults_of_text(written))
    lines = done.err.decode("utf-8", "replace").split("\n")
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        yield f"a traceback: {lines[-2:]}"
    if done.code not in (0, 1, 2):
        yield f"exit code {done.code}"
    if done.code == 1 and not any(line.startswith("darknet: ") for line in lines):
        yield f"exit code 1, and no error: {lines}"


def _faults_of_text(written: bytes) -> Iterator[str]:
    try:
        text = written.decode()
    except UnicodeDecodeError as error:
        yield f"no UTF-8: {written[error.start : error.end]!r}"
        return
    for control in CONTROLS:
        text = text.replace(control, "")
    wrong = {c for c in text if not c.isprintable() and c != "\n"}
    if wrong:
        yield f"characters that drive a terminal: {sorted(wrong)!r} in {text[-300:]!r}"


@contextmanager
def _file(encoding: str) -> Iterator[tuple[TextIO, Callable[[], bytes]]]:
    with tempfile.TemporaryFile() as file:

        def read() -> bytes:
            file.seek(0)
            return file.read()

        with open(os.dup(file.fileno()), "w", encoding=encoding) as stream:
            yield stream, read


@contextmanager
def _terminal(encoding: str) -> Iterator[tuple[TextIO, Callable[[], bytes]]]:
    """A terminal that shows bytes as they are, without translating line ends."""
    master, slave = os.openpty()
    tty.setraw(slave)
    shown = bytearray()
    end = os.urandom(16).hex().encode()

    def take() -> None:
        while not shown.endswith(end):
            shown.extend(os.read(master, 1 << 16))

    reader = threading.Thread(target=take, daemon=True)
    reader.start()
    is_read = False

    def read() -> bytes:
        nonlocal is_read
        is_read = True
        os.write(slave, end)
        reader.join()
        return bytes(shown[: -len(end)])

    try:
        with open(slave, "w", encoding=encoding, closefd=False) as stream:
            yield stream, read
    finally:
        if not is_read:
            read()
        os.close(slave)
        os.close(master)
