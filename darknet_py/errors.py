"""What can go wrong through no fault of the program: one line each, no traceback."""

from __future__ import annotations

from pathlib import Path

from darknet_py.text import one_line

_LONGEST = 2000
"""Characters of a message: a file may hold a name, or a number, of any length."""


class DarknetError(Exception):
    """Something the user can mend. `str(error)` is one line: where, what, what to do; whatever the
    names in it, it can be shown as it is. Of one that is too long, the middle is left out."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        line = one_line(message)
        if len(line) > _LONGEST:
            line = f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 2 :]}"
        super().__init__(line)


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
    """A training that cannot begin, or must not go on."""


class ShapeError(DarknetError):
    """An array whose shape or type the network cannot take."""


class NotFiniteError(DarknetError):
    """Numbers that are none, or without end (NaN, infinite), where an answer was expected."""


class DreamError(DarknetError):
    """A dream that cannot begin, for what network, picture or recipe are."""


class DeviceError(DarknetError):
    """A device that cannot be used here: why, and what to install."""


class OutOfMemoryError(DeviceError):
    """A device's memory does not hold what was asked of it."""

    def __init__(self, message: str, fits: int) -> None:
        """fits: how many pictures at once might fit; 0 where not even one does."""
        super().__init__(message)
        self.fits = fits
