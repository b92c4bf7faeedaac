"""Errors for the user: one line each, no traceback."""

from __future__ import annotations

from pathlib import Path

from darknet_py.text import one_line

_LONGEST = 2000
"""Characters of a message: a file may hold a name, or a number, of any length."""


class DarknetError(Exception):
    """An error that the user can fix. `str(error)` is one printable line: where, what, what to do;
    the middle of a long one is left out."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        line = one_line(message)
        if len(line) > _LONGEST:
            line = f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"
        super().__init__(line)


class ArgumentError(DarknetError, ValueError):
    """A function's argument that is out of its range."""


class CfgError(DarknetError):
    """A `.cfg`, `.data` or list file that cannot be read as one.

    The message begins with the file and, where there is one, the line: `tiny.cfg:12: ...`.
    """

    def __init__(self, path: str | Path, line: int | None, message: str) -> None:
        self.path = str(path)
        self.line = line
        where = self.path if line is None else f"{self.path}:{line}"
        super().__init__(f"{where}: {message}")


class WeightsError(DarknetError):
    """A `.weights` file that cannot be read, or does not fit the network."""


class PictureError(DarknetError):
    """A picture that cannot be read: the message begins with its path."""


class StateError(DarknetError):
    """A training state that cannot be read, or belongs to another network."""


class TrainingError(DarknetError):
    """A training that cannot start or continue."""


class ShapeError(DarknetError):
    """An array whose shape or type the network cannot take."""


class NotFiniteError(DarknetError):
    """Values that are NaN or infinite."""


class DreamError(DarknetError):
    """A dream that cannot start, with this network, picture or recipe."""


class DeviceError(DarknetError):
    """A device that cannot be used here: why, and what to install."""


class OutOfMemoryError(DeviceError):
    """A device has too little memory."""

    def __init__(self, message: str, fits: int) -> None:
        """fits: the batch that might fit; 0 if none does."""
        super().__init__(message)
        self.fits = fits
